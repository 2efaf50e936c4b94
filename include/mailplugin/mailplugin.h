/* mailplugin.h - the contract between a mail plugin (a shared object) and its host. C11, no libraries.
 *
 * Memory   Who allocates, frees. Nothing passed across changes owner; a receiver copies what it keeps.
 * Growth   Every struct opens with struct_size, set by its allocator. Readers ask MAILPLUGIN_HAS() before
 *          touching a field added after 1.0. Fields are appended only. Arrays hold pointers, so an
 *          element can grow. [frozen] structs never grow and may be passed by value or in arrays.
 * Text     UTF-8. const char* is NUL-terminated; mailplugin_text is a view of `size` bytes.
 * Errors   A mailplugin_status for the program, a log line for people. No C++ exception crosses.
 * Threads  [control]  calls for one server never overlap; the host sees to it
 *          [any]      may be called from every thread, also at the same time
 *          [worker]   called by the module on a thread of its own; never once stop() has returned
 *          [serial]   from any thread, one call at a time for that object
 *          A host never calls a [control] function from inside a callback; MAILPLUGIN_E_STATE answers one that
 *          does, and one that overlaps another (destroy and shutdown then do nothing). */
#ifndef MAILPLUGIN_H
#define MAILPLUGIN_H
#include <stddef.h>
#include <stdint.h>

#define MAILPLUGIN_ABI_MAJOR 1u /* changes only together with the name of the entry symbol */
#define MAILPLUGIN_ABI_MINOR 0u /* grows with every appended field */

#if defined(_WIN32)
#define MAILPLUGIN_EXPORT __declspec(dllexport)
#define MAILPLUGIN_CALL __cdecl
#else
#define MAILPLUGIN_EXPORT __attribute__((visibility("default")))
#define MAILPLUGIN_CALL
#endif

#define MAILPLUGIN_HAS(p, type, field) ((p)->struct_size >= offsetof(type, field) + sizeof((p)->field))
#define MAILPLUGIN_CAN(p, type, fn) (MAILPLUGIN_HAS(p, type, fn) && (p)->fn != NULL)

#ifdef __cplusplus
extern "C" {
#endif

typedef int32_t mailplugin_status;
enum {
  MAILPLUGIN_OK = 0,
  MAILPLUGIN_E_ABI = -1,      /* no common version, or a struct is too small */
  MAILPLUGIN_E_ARGUMENT = -2,
  MAILPLUGIN_E_STATE = -3,    /* not allowed now, e.g. submit after stop */
  MAILPLUGIN_E_CONFIG = -4,   /* told in detail through mailplugin_problems */
  MAILPLUGIN_E_CANCELLED = -5,
  MAILPLUGIN_E_IO = -6,
  MAILPLUGIN_E_INTERNAL = -7, /* a fault inside; the log has the words */
  MAILPLUGIN_E_TIMEOUT = -8   /* the deadline passed first; say what still holds: see stop */
};

typedef uint32_t mailplugin_verdict; /* zero is no verdict, so blank memory accepts nothing */
enum {
  MAILPLUGIN_ACCEPTED = 1,    /* the receiver has stored it safely; the sender may forget it */
  MAILPLUGIN_RETRY_LATER = 2, /* not now; offer it again after retry_after_ms */
  MAILPLUGIN_REJECTED = 3,    /* never; do not offer it again */
  MAILPLUGIN_PENDING = 4,     /* the verdict follows through incoming->acknowledge */
  MAILPLUGIN_UNCERTAIN = 5    /* of a submission only: it may have left; a person decides, nobody resubmits */
};

typedef struct mailplugin_text { const char *data; uint64_t size; } mailplugin_text;                 /* [frozen] */
typedef struct mailplugin_address { mailplugin_text name, address; } mailplugin_address;                /* [frozen] */
typedef struct mailplugin_pair { mailplugin_text name, value; } mailplugin_pair;                        /* [frozen] */
typedef struct mailplugin_setting { const char *key; mailplugin_text value; } mailplugin_setting;       /* [frozen] */

/* ---- content ---------------------------------------------------------------------------------- */

/* Bytes on demand. The reader pulls, in both directions, so the reader sets the pace. */
typedef struct mailplugin_stream {
  uint32_t struct_size, reserved;
  void *ctx;
  /* Bytes read, 0 at the end, a negative mailplugin_status on failure. May block. [serial] */
  int64_t(MAILPLUGIN_CALL *read)(const struct mailplugin_stream *s, void *buffer, uint64_t capacity);
  /* Ends the stream; it is invalid afterwards. Exactly once. [serial] */
  void(MAILPLUGIN_CALL *close)(const struct mailplugin_stream *s);
} mailplugin_stream;

enum { MAILPLUGIN_PART_TEXT = 1, MAILPLUGIN_PART_HTML = 2, MAILPLUGIN_PART_INLINE = 3, MAILPLUGIN_PART_ATTACHMENT = 4,
       MAILPLUGIN_PART_LINK = 5,      /* a reference attachment: file_name and the URL as its bytes */
       MAILPLUGIN_PART_ORIGINAL = 6 }; /* the whole mail as MIME, fetched only when opened */
typedef struct mailplugin_part {
  uint32_t struct_size, kind;
  void *ctx;
  mailplugin_text file_name, media_type, content_id;
  int64_t size_hint; /* bytes, -1 when not known */
  /* A fresh stream at the first byte, or NULL (why is in the log). [serial per message] */
  const mailplugin_stream *(MAILPLUGIN_CALL *open)(const struct mailplugin_part *part);
} mailplugin_part;

enum { MAILPLUGIN_REDELIVERED = 1u << 0, /* the host may have had it before a crash: look stable_id up */
       MAILPLUGIN_AUTO_SUBMITTED = 1u << 1, MAILPLUGIN_BOUNCE = 1u << 2, MAILPLUGIN_ENCRYPTED = 1u << 3,
       MAILPLUGIN_SIGNED = 1u << 4, MAILPLUGIN_RIGHTS_PROTECTED = 1u << 5, MAILPLUGIN_LINKS_REWRITTEN = 1u << 6,
       MAILPLUGIN_SCAN_PENDING = 1u << 7, MAILPLUGIN_OVERSIZE = 1u << 8, MAILPLUGIN_ATTACHMENTS_REPLACED = 1u << 9,
       MAILPLUGIN_READ_RECEIPT = 1u << 10, MAILPLUGIN_MEETING = 1u << 11, MAILPLUGIN_BULK = 1u << 12,
       MAILPLUGIN_OWN_MAIL = 1u << 13, MAILPLUGIN_READ_RECEIPT_REQUESTED = 1u << 14 };
enum { MAILPLUGIN_IMPORTANCE_NORMAL = 0, MAILPLUGIN_IMPORTANCE_LOW = 1, MAILPLUGIN_IMPORTANCE_HIGH = 2 };

/* What a delivery report or read receipt says (RFC 3464, RFC 8098). */
enum { MAILPLUGIN_REPORT_FAILED = 1, MAILPLUGIN_REPORT_DELAYED, MAILPLUGIN_REPORT_DELIVERED, MAILPLUGIN_REPORT_READ };
typedef struct mailplugin_report {
  uint32_t struct_size, kind;
  mailplugin_text recipient, status, original_message_id;
  mailplugin_text key;              /* stable_id of our own submission it answers, empty when none */
} mailplugin_report;

/* A view, of a mail that came or of one that shall leave. What came lives, with all it points to, until its verdict:
 * on_message's answer, or after MAILPLUGIN_PENDING the return of acknowledge. What shall leave lives until on_sent.
 * Times are milliseconds since 1970-01-01 UTC, 0 when not known. A text that is not known has size 0. */
typedef struct mailplugin_message {
  uint32_t struct_size;
  uint32_t flags;                      /* leaving: AUTO_SUBMITTED marks an automatic reply, of which a module may
                                        * refuse (REJECTED) what looks like a loop; READ_RECEIPT_REQUESTED asks */
  mailplugin_text stable_id;           /* came: the same at every delivery of this mail, the key to deduplicate by.
                                        * leaving: the host's key of this submission, 1 to 200 bytes; makes submit idempotent */
  mailplugin_text service_id;          /* came: the service's own id of the message (Graph: immutable). leaving: unused */
  mailplugin_text mailbox;             /* the mailbox in the service's own path; leaving, empty: from.address names it */
  mailplugin_text folder;              /* came: the folder's name as the service shows it. leaving: unused */
  mailplugin_text delivered_to;        /* came: the address or alias it came by, empty when not known. leaving: unused */
  mailplugin_text internet_message_id; /* with angle brackets, as the next two */
  mailplugin_text in_reply_to, conversation_id, subject;
  mailplugin_address from, sender;
  const mailplugin_address *reply_to, *to, *cc, *bcc;
  uint32_t reply_to_count, to_count, cc_count, bcc_count;
  int64_t received_unix_ms, sent_unix_ms, size_bytes; /* size -1 when not known */
  const mailplugin_text *references;
  const mailplugin_pair *links;     /* shown and original, where Safe Links rewrote */
  const mailplugin_report *report;  /* NULL unless a report */
  uint32_t reference_count, link_count, importance, reserved;
  const mailplugin_pair *headers;      /* in wire order, repeated names kept */
  const mailplugin_part *const *parts;
  uint32_t header_count, part_count;
} mailplugin_message;

/* ---- configuration ---------------------------------------------------------------------------- */

enum { MAILPLUGIN_FIELD_TEXT = 1, MAILPLUGIN_FIELD_SECRET, MAILPLUGIN_FIELD_URL, MAILPLUGIN_FIELD_EMAIL,
       MAILPLUGIN_FIELD_NUMBER, MAILPLUGIN_FIELD_SWITCH, MAILPLUGIN_FIELD_CHOICE };
enum { MAILPLUGIN_FIELD_REQUIRED = 1u << 0, MAILPLUGIN_FIELD_ADVANCED = 1u << 1 };
enum { MAILPLUGIN_SCOPE_SERVER = 1, MAILPLUGIN_SCOPE_MAILBOX = 2 };

/* One row of the form that the System Configurator draws. */
typedef struct mailplugin_field {
  uint32_t struct_size, type, flags, scope;
  const char *key, *label, *help, *default_value;
  const mailplugin_pair *choices;      /* value and label */
  uint32_t choice_count, reserved;
  const char *shown_if_key, *shown_if_value; /* NULL: always shown */
} mailplugin_field;

typedef struct mailplugin_settings {
  uint32_t struct_size, count;
  const mailplugin_setting *items;
} mailplugin_settings;

/* Receives one line per faulty field; key is NULL for a fault of the whole. [serial, during the call] */
typedef struct mailplugin_problems {
  uint32_t struct_size, reserved;
  void *ctx;
  void(MAILPLUGIN_CALL *add)(const struct mailplugin_problems *p, const char *key, const char *message);
} mailplugin_problems;

/* ---- host ------------------------------------------------------------------------------------- */

enum { MAILPLUGIN_LOG_DEBUG = 1, MAILPLUGIN_LOG_INFO, MAILPLUGIN_LOG_WARNING, MAILPLUGIN_LOG_ERROR, MAILPLUGIN_LOG_MISUSE };

/* Lives from the entry call until module->shutdown has returned. */
typedef struct mailplugin_host {
  uint32_t struct_size, abi_minor;
  void *ctx;
  const char *name, *version;
  /* A folder, UTF-8, private to this plugin and kept between runs, where it may keep its state. */
  const char *state_dir;
  /* One finished line, secrets already removed. Never blocks for long. [any] */
  void(MAILPLUGIN_CALL *log)(const struct mailplugin_host *h, uint32_t level, const char *source, const char *line);
  /* NULL when the host does not offer it. The pointer lives as long as the host table. [any] */
  const void *(MAILPLUGIN_CALL *get_extension)(const struct mailplugin_host *h, const char *id);
} mailplugin_host;

enum { MAILPLUGIN_STOPPED = 1, MAILPLUGIN_STARTING, MAILPLUGIN_READY, MAILPLUGIN_DEGRADED, MAILPLUGIN_FAILED };
enum { MAILPLUGIN_CAUSE_NONE = 0, MAILPLUGIN_CAUSE_NETWORK, MAILPLUGIN_CAUSE_THROTTLED, MAILPLUGIN_CAUSE_SECRET_REFUSED,
       MAILPLUGIN_CAUSE_SECRET_EXPIRED, MAILPLUGIN_CAUSE_CONSENT_MISSING, MAILPLUGIN_CAUSE_MAILBOX_UNKNOWN,
       MAILPLUGIN_CAUSE_MAILBOX_FORBIDDEN, MAILPLUGIN_CAUSE_HOST_REFUSES, MAILPLUGIN_CAUSE_TLS, MAILPLUGIN_CAUSE_PROXY,
       MAILPLUGIN_CAUSE_TENANT_UNKNOWN, MAILPLUGIN_CAUSE_CLIENT_UNKNOWN, MAILPLUGIN_CAUSE_PASSWORD_REFUSED,
       MAILPLUGIN_CAUSE_SIGN_IN_BLOCKED, MAILPLUGIN_CAUSE_SECRET_EXPIRES_SOON, MAILPLUGIN_CAUSE_MAILBOX_FULL,
       MAILPLUGIN_CAUSE_FOLDER_MISSING, MAILPLUGIN_CAUSE_FOLDER_SHARED, MAILPLUGIN_CAUSE_FIRST_FETCH,
       MAILPLUGIN_CAUSE_SENDER_FORBIDDEN, MAILPLUGIN_CAUSE_SEND_LIMIT, MAILPLUGIN_CAUSE_SERVICE_FAULT,
       MAILPLUGIN_CAUSE_STATE_DISK };
typedef struct mailplugin_health {
  uint32_t struct_size, state, cause, retry_after_ms;
  int64_t since_unix_ms, last_success_unix_ms;
  const char *message;    /* for an administrator: what, where, what to do; no secrets */
  const char *code;       /* as the service named it: "AADSTS7000215", "ErrorAccessDenied"; NULL when none */
  const char *request_id; /* to quote to the service's support; NULL when none */
} mailplugin_health;

/* Given at creation; must outlive the server. */
typedef struct mailplugin_server_events {
  uint32_t struct_size, reserved;
  void *ctx;
  /* At every change of state or cause; mailbox_id is 0 for the server itself. [worker] */
  void(MAILPLUGIN_CALL *on_health)(const struct mailplugin_server_events *e, uint64_t mailbox_id, const mailplugin_health *now);
  /* May be NULL. Asked after the service refused a secret: the present value of that field, for an administrator may
   * have repaired it (a file was written anew) while the server runs. mailbox_id is 0 for a field of the server.
   * Writes at most `capacity` bytes; returns the size of the whole value, or a negative mailplugin_status. [worker] */
  int64_t(MAILPLUGIN_CALL *read_secret)(const struct mailplugin_server_events *e, uint64_t mailbox_id, const char *key,
                                        char *buffer, uint64_t capacity);
} mailplugin_server_events;

/* ---- servers ---------------------------------------------------------------------------------- */

typedef struct mailplugin_server {
  uint32_t struct_size, reserved;
  void *self;
  /* Returns at once; progress is told through on_health. [control] */
  mailplugin_status(MAILPLUGIN_CALL *start)(const struct mailplugin_server *s);
  /* Ends work in flight within the deadline. Once it returned MAILPLUGIN_OK no callback runs or will run.
   * MAILPLUGIN_E_TIMEOUT: a callback into the host has not come back yet; no new one starts; call stop again.
   * Reads of an undecided mail then give MAILPLUGIN_E_CANCELLED; its memory lives until destroy(). [control] */
  mailplugin_status(MAILPLUGIN_CALL *stop)(const struct mailplugin_server *s, uint32_t deadline_ms);
  /* Stops first if needed, then frees the server. [control] */
  void(MAILPLUGIN_CALL *destroy)(const struct mailplugin_server *s);
  /* MAILPLUGIN_INCOMING, MAILPLUGIN_OUTGOING or an optional interface; NULL when absent. [any] */
  const void *(MAILPLUGIN_CALL *get_interface)(const struct mailplugin_server *s, const char *id);
} mailplugin_server;

/* The IncomingMailServer. */
#define MAILPLUGIN_INCOMING "mailplugin.incoming/1"
typedef struct mailplugin_mailbox_events {
  uint32_t struct_size, reserved;
  void *ctx;
  /* One mail. Blocking here holds back this mailbox only. With MAILPLUGIN_RETRY_LATER the host may
   * lower or raise *retry_after_ms. A mail without a verdict at stop() is delivered again. [worker] */
  mailplugin_verdict(MAILPLUGIN_CALL *on_message)(const struct mailplugin_mailbox_events *e, uint64_t delivery_id,
                                            const mailplugin_message *mail, uint32_t *retry_after_ms);
  /* May be NULL. The folder was read to its end, nothing is undecided, set aside or left to mark. Said each time the
   * mailbox gets there, at least once after every start(). [worker] */
  void(MAILPLUGIN_CALL *on_idle)(const struct mailplugin_mailbox_events *e);
} mailplugin_mailbox_events;

typedef struct mailplugin_incoming {
  uint32_t struct_size, reserved;
  /* Events must stay valid until close_mailbox or destroy has returned. Ids are never 0. MAILPLUGIN_E_CONFIG: the
   * settings are faulty, each fault was told to `problems`. Touches no network. [control] */
  mailplugin_status(MAILPLUGIN_CALL *open_mailbox)(const mailplugin_server *s, const mailplugin_settings *mailbox,
                                             const mailplugin_mailbox_events *events, const mailplugin_problems *problems,
                                             uint64_t *mailbox_id);
  /* Waits for a callback of this mailbox that runs. What the host still holds undecided is delivered again when the
   * mailbox is opened anew; it reads MAILPLUGIN_E_CANCELLED, its memory lives until destroy(). MAILPLUGIN_E_ARGUMENT: no
   * such mailbox. [control] */
  mailplugin_status(MAILPLUGIN_CALL *close_mailbox)(const mailplugin_server *s, uint64_t mailbox_id);
  /* The verdict (ACCEPTED, RETRY_LATER, REJECTED) after MAILPLUGIN_PENDING; once per delivery. MAILPLUGIN_E_STATE: the
   * delivery is unknown, decided, or was withdrawn by stop or close_mailbox. The view is invalid afterwards. [any] */
  mailplugin_status(MAILPLUGIN_CALL *acknowledge)(const mailplugin_server *s, uint64_t delivery_id, mailplugin_verdict verdict,
                                            uint32_t retry_after_ms);
} mailplugin_incoming;

/* The OutgoingMailServer. */
#define MAILPLUGIN_OUTGOING "mailplugin.outgoing/1"
/* What became of a submission. REJECTED and RETRY_LATER carry a reason for an administrator, without secrets. */
typedef struct mailplugin_outcome {
  uint32_t struct_size;
  mailplugin_verdict verdict;            /* never PENDING */
  uint32_t retry_after_ms, attempts;
  mailplugin_text internet_message_id, conversation_id; /* as it left, empty when not known */
  const char *reason;
} mailplugin_outcome;
typedef struct mailplugin_submission {
  uint32_t struct_size, reserved;
  void *ctx;
  /* Exactly once for each submit that returned MAILPLUGIN_OK, also when stop() cut it short. [worker] */
  void(MAILPLUGIN_CALL *on_sent)(const struct mailplugin_submission *sub, const mailplugin_outcome *outcome);
} mailplugin_submission;

typedef struct mailplugin_outgoing {
  uint32_t struct_size, reserved;
  /* MAILPLUGIN_OK: taken, on_sent follows. MAILPLUGIN_E_STATE: the server does not run. MAILPLUGIN_E_ARGUMENT: the message
   * breaks a rule of this header or cannot be sent as it is (no recipient, no key, ...); the log says which.
   * Idempotent by mail->stable_id, across restarts: what was sent already is answered, not sent again.
   * Message and submission stay valid until on_sent. Parts are pulled on a worker thread. [any] */
  mailplugin_status(MAILPLUGIN_CALL *submit)(const mailplugin_server *s, const mailplugin_message *mail,
                                       const mailplugin_submission *submission);
} mailplugin_outgoing;

/* The check, an optional interface of every server: proves settings against the real service and touches no mail. */
#define MAILPLUGIN_CHECK "mailplugin.check/1"
enum { MAILPLUGIN_FINDING_PASSED = 1, MAILPLUGIN_FINDING_WARNING, MAILPLUGIN_FINDING_FAILED,
       MAILPLUGIN_FINDING_UNKNOWN }; /* cannot be told without doing it; the message says how to find out */
typedef struct mailplugin_finding {
  uint32_t struct_size, result;
  uint32_t cause, reserved; /* MAILPLUGIN_CAUSE_*, of a warning or failure */
  const char *step;         /* a few words: "sign in", "folder" */
  const char *message;      /* for an administrator: what was proved, or what, where, what to do; no secrets */
  const char *code, *request_id; /* as in mailplugin_health */
} mailplugin_finding;
typedef struct mailplugin_findings {
  uint32_t struct_size, reserved;
  void *ctx;
  /* One thing that was looked at. [serial, during the call, on the calling thread] */
  void(MAILPLUGIN_CALL *add)(const struct mailplugin_findings *f, const mailplugin_finding *finding);
} mailplugin_findings;
typedef struct mailplugin_check {
  uint32_t struct_size, reserved;
  /* Looks at the server itself (mailbox NULL), or at one mailbox with the settings that open_mailbox would get; an
   * outgoing server looks at "address" and "email_account" of them, the mailbox it would send from. Blocks, at most
   * deadline_ms; what was not reached by then is a failed finding. The server may be started or not.
   * MAILPLUGIN_OK: looked, findings say what came of it, also when all failed. MAILPLUGIN_E_CONFIG: the settings are
   * faulty, each fault was told to `problems`; nothing was asked. MAILPLUGIN_E_ARGUMENT: no findings. [control] */
  mailplugin_status(MAILPLUGIN_CALL *look)(const mailplugin_server *s, const mailplugin_settings *mailbox, uint32_t deadline_ms,
                                     const mailplugin_findings *findings, const mailplugin_problems *problems);
} mailplugin_check;

/* ---- module ----------------------------------------------------------------------------------- */

typedef struct mailplugin_server_type {
  uint32_t struct_size, field_count;
  const char *id, *label;                /* "com.example.ms365.incoming", "Microsoft 365 (incoming)" */
  const char *const *interfaces;         /* NULL-terminated, e.g. { MAILPLUGIN_INCOMING, MAILPLUGIN_CHECK, NULL } */
  const mailplugin_field *const *fields;
  /* Checks settings, creates a stopped server, touches no network. `events` and `problems` may be NULL: nobody listens.
   * The settings are copied; the host may overwrite its secrets when this has returned. [any] */
  mailplugin_status(MAILPLUGIN_CALL *create)(const struct mailplugin_server_type *t, const mailplugin_settings *settings,
                                       const mailplugin_server_events *events, const mailplugin_problems *problems,
                                       const mailplugin_server **server);
} mailplugin_server_type;

typedef struct mailplugin_module {
  uint32_t struct_size, abi_minor;
  const char *id, *name, *vendor, *version;
  const mailplugin_server_type *const *server_types;
  uint32_t server_type_count, reserved;
  const void *(MAILPLUGIN_CALL *get_extension)(const char *id); /* [any] */
  /* After the last destroy. Joins every thread of the module; a server that was not destroyed is stopped, and waited for.
   * Secrets a host hands over lie in memory while servers live: a host that wants no core file with them says so itself
   * (on Linux prctl(PR_SET_DUMPABLE, 0)). [control] */
  void(MAILPLUGIN_CALL *shutdown)(void);
} mailplugin_module;

/* The only exported symbol. MAILPLUGIN_OK and a module; else no module, and a line in the host's log where it has one:
 * MAILPLUGIN_E_ABI       no common version, or mailplugin_host is smaller than that of 1.0
 * MAILPLUGIN_E_ARGUMENT  a pointer is NULL, or state_dir is missing
 * MAILPLUGIN_E_STATE     another host of this process uses the module: one host a process, for shutdown has no argument
 *                        that could tell two apart
 * Repeated calls with the same host give the same module, counted; shutdown pairs with each. [control] */
#define MAILPLUGIN_ENTRY_SYMBOL "mailplugin_entry_v1"
typedef mailplugin_status(MAILPLUGIN_CALL *mailplugin_entry_fn)(const mailplugin_host *host, const mailplugin_module **module);
MAILPLUGIN_EXPORT mailplugin_status MAILPLUGIN_CALL mailplugin_entry_v1(const mailplugin_host *host, const mailplugin_module **module);

#ifdef __cplusplus
}
#endif
#endif
