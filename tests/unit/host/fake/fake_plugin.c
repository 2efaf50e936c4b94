/* A mail plugin without a mail service, to try hosts with: it makes up mails and keeps a diary of what the host said.
 *
 * Incoming, mailbox settings: `messages` how many mails to deliver (0 by default), `behaviour`:
 *   plain      deliver, then say on_idle
 *   twice      deliver each again with REDELIVERED
 *   attach     each mail has attachments with awkward names
 *   broken     the attachment of each first delivery ends in an error, the second works
 *   forbidden  say FAILED, MAILBOX_FORBIDDEN and deliver nothing
 *   network    say DEGRADED, NETWORK and deliver nothing
 * Outgoing, server setting `answer`: accepted (default), rejected, retry_later, uncertain, silent (only stop answers).
 * A verdict that is PENDING is waited for, or given up when the server stops.
 * The diary is STATE_DIR/diary.txt: one line a verdict, "ID VERDICT", or "sent KEY BYTES-OF-PARTS".
 *
 * -DFAKE_ID, -DFAKE_SMALL_MODULE, -DFAKE_REFUSES, -DFAKE_NO_ENTRY make the faulty ones. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mailplugin/mailplugin.h"

#ifndef FAKE_ID
#define FAKE_ID "fake"
#endif

static const mailplugin_host *the_host;
static pthread_mutex_t diary_mutex = PTHREAD_MUTEX_INITIALIZER;

static void write_diary(const char *line) {
  char path[4096];
  snprintf(path, sizeof path, "%s/diary.txt", the_host->state_dir);
  pthread_mutex_lock(&diary_mutex);
  FILE *file = fopen(path, "a");
  if (file != NULL) {
    fprintf(file, "%s\n", line);
    fclose(file);
  }
  pthread_mutex_unlock(&diary_mutex);
}

static mailplugin_text text_of(const char *text) {
  mailplugin_text view = {text, strlen(text)};
  return view;
}

/* A setting as a new C string, or `otherwise`. The caller frees it. */
static char *setting(const mailplugin_settings *settings, const char *key, const char *otherwise) {
  for (uint32_t i = 0; i < settings->count; ++i) {
    if (strcmp(settings->items[i].key, key) == 0) {
      const mailplugin_text value = settings->items[i].value;
      char *copy = malloc(value.size + 1);
      memcpy(copy, value.data, value.size);
      copy[value.size] = '\0';
      return copy;
    }
  }
  return strdup(otherwise);
}

/* ---- parts ---- */

typedef struct {
  mailplugin_part part;
  const char *bytes;
  int fails;
} fake_part;

typedef struct {
  mailplugin_stream stream;
  const fake_part *of;
  uint64_t at;
} fake_stream;

static int64_t read_stream(const mailplugin_stream *s, void *buffer, uint64_t capacity) {
  fake_stream *self = s->ctx;
  if (self->of->fails) return MAILPLUGIN_E_IO;
  uint64_t n = strlen(self->of->bytes) - self->at;
  if (n > capacity) n = capacity;
  memcpy(buffer, self->of->bytes + self->at, n);
  self->at += n;
  return (int64_t)n;
}

static void close_stream(const mailplugin_stream *s) {
  free(s->ctx);
}

static const mailplugin_stream *open_part(const mailplugin_part *part) {
  fake_stream *self = calloc(1, sizeof *self);
  self->stream.struct_size = sizeof self->stream;
  self->stream.ctx = self;
  self->stream.read = &read_stream;
  self->stream.close = &close_stream;
  self->of = part->ctx;
  return &self->stream;
}

static void set_part(fake_part *part, uint32_t kind, const char *name, const char *type, const char *bytes) {
  memset(part, 0, sizeof *part);
  part->part.struct_size = sizeof part->part;
  part->part.kind = kind;
  part->part.ctx = part;
  part->part.file_name = text_of(name);
  part->part.media_type = text_of(type);
  part->part.size_hint = (int64_t)strlen(bytes);
  part->part.open = &open_part;
  part->bytes = bytes;
}

/* ---- servers ---- */

#define FAKE_MAILBOXES 8
typedef struct {
  uint64_t id;
  const mailplugin_mailbox_events *events;
  int messages;
  char *behaviour, *address;
  pthread_t thread;
  int running;
  /* Guarded by the server's mutex. */
  uint64_t delivery; /* the one in the host's hands, else 0 */
  mailplugin_verdict acknowledged;
} fake_mailbox;

typedef struct {
  const mailplugin_submission *submission;
  const mailplugin_message *mail;
} fake_send;

#define FAKE_SENDS 256
typedef struct {
  mailplugin_server server;
  mailplugin_incoming incoming;
  mailplugin_outgoing outgoing;
  const mailplugin_server_events *events;
  fake_mailbox mailboxes[FAKE_MAILBOXES];
  unsigned mailbox_count;
  char *answer;
  pthread_t sender;
  int sending;
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  /* Guarded by mutex. */
  int stopping;
  fake_send sends[FAKE_SENDS];
  unsigned send_from, send_to;
} fake_server;

static void say_health(fake_server *self, uint64_t mailbox, uint32_t state, uint32_t cause, const char *text) {
  mailplugin_health health;
  memset(&health, 0, sizeof health);
  health.struct_size = sizeof health;
  health.state = state;
  health.cause = cause;
  health.message = text;
  health.since_unix_ms = 1700000000000;
  self->events->on_health(self->events, mailbox, &health);
}

static int is_stopping(fake_server *self) {
  pthread_mutex_lock(&self->mutex);
  const int stopping = self->stopping;
  pthread_mutex_unlock(&self->mutex);
  return stopping;
}

/* Hands it over; returns the verdict, however late it comes. */
static mailplugin_verdict hand_over(fake_server *self, fake_mailbox *box, uint64_t delivery,
                                    const mailplugin_message *mail) {
  uint32_t retry = 0;
  pthread_mutex_lock(&self->mutex);
  box->delivery = delivery;
  box->acknowledged = 0;
  pthread_mutex_unlock(&self->mutex);
  mailplugin_verdict verdict = box->events->on_message(box->events, delivery, mail, &retry);
  pthread_mutex_lock(&self->mutex);
  if (verdict == MAILPLUGIN_PENDING) {
    while (box->acknowledged == 0 && !self->stopping) pthread_cond_wait(&self->changed, &self->mutex);
    if (box->acknowledged != 0) verdict = box->acknowledged;
  }
  box->delivery = 0;
  pthread_mutex_unlock(&self->mutex);
  return verdict;
}

/* One delivery; returns the verdict. */
static mailplugin_verdict deliver(fake_server *self, fake_mailbox *box, int number, uint32_t flags, int part_fails) {
  char id[100], message_id[100], parent[100], subject[100];
  snprintf(id, sizeof id, "%s-%04d", box->address, number);
  snprintf(message_id, sizeof message_id, "<%d.%s>", number, box->address);
  snprintf(parent, sizeof parent, "<reply-%d@fake>", number);
  snprintf(subject, sizeof subject, "Mail %d", number);
  fake_part parts[5];
  set_part(&parts[0], MAILPLUGIN_PART_HTML, "", "text/html", "<p>Hello &amp; welcome</p><p>second</p>");
  set_part(&parts[1], MAILPLUGIN_PART_ATTACHMENT, "../../etc/passwd", "text/plain", "attached");
  set_part(&parts[2], MAILPLUGIN_PART_INLINE, "logo.png", "image/png", "PNG");
  parts[2].part.content_id = text_of("logo");
  set_part(&parts[3], MAILPLUGIN_PART_LINK, "Plan", "", "https://example.com/plan");
  set_part(&parts[4], MAILPLUGIN_PART_ATTACHMENT, "inner.eml", "message/rfc822", "Subject: inner\r\n\r\n");
  parts[1].fails = part_fails;
  const mailplugin_part *views[5] = {&parts[0].part, &parts[1].part, &parts[2].part, &parts[3].part, &parts[4].part};
  const mailplugin_address to[1] = {{text_of("Queue"), text_of(box->address)}};
  const mailplugin_text references[2] = {text_of("<root@fake>"), text_of(parent)};
  const mailplugin_pair headers[2] = {{text_of("X-One"), text_of("1")}, {text_of("X-One"), text_of("2")}};
  mailplugin_message mail;
  memset(&mail, 0, sizeof mail);
  mail.struct_size = sizeof mail;
  mail.flags = flags;
  mail.stable_id = text_of(id);
  mail.service_id = text_of(id);
  mail.mailbox = text_of(box->address);
  mail.folder = text_of("Inbox");
  mail.internet_message_id = text_of(message_id);
  mail.in_reply_to = text_of(parent);
  mail.subject = text_of(subject);
  mail.from.name = text_of("Ann");
  mail.from.address = text_of("ann@example.com");
  mail.to = to;
  mail.to_count = 1;
  mail.received_unix_ms = 1700000000000 + number;
  mail.size_bytes = 1234;
  mail.references = references;
  mail.reference_count = 2;
  mail.headers = headers;
  mail.header_count = 2;
  mail.parts = views;
  mail.part_count = strcmp(box->behaviour, "attach") == 0 || strcmp(box->behaviour, "broken") == 0 ? 5 : 1;
  const mailplugin_verdict verdict = hand_over(self, box, (box->id << 32) | (uint64_t)number, &mail);
  char line[200];
  snprintf(line, sizeof line, "%s %u", id, verdict);
  write_diary(line);
  return verdict;
}

typedef struct {
  fake_server *server;
  fake_mailbox *box;
} fake_work;

static void *run_mailbox(void *argument) {
  fake_work *work = argument;
  fake_server *self = work->server;
  fake_mailbox *box = work->box;
  free(work);
  if (strcmp(box->behaviour, "forbidden") == 0) {
    say_health(self, box->id, MAILPLUGIN_FAILED, MAILPLUGIN_CAUSE_MAILBOX_FORBIDDEN,
               "The app may not read this mailbox.");
    return NULL;
  }
  if (strcmp(box->behaviour, "network") == 0) {
    say_health(self, box->id, MAILPLUGIN_DEGRADED, MAILPLUGIN_CAUSE_NETWORK, "The service does not answer.");
    return NULL;
  }
  say_health(self, box->id, MAILPLUGIN_READY, MAILPLUGIN_CAUSE_NONE, NULL);
  int undecided = 0;
  for (int i = 1; i <= box->messages && !is_stopping(self); ++i) {
    if (strcmp(box->behaviour, "broken") == 0) deliver(self, box, i, 0, 1);
    if (deliver(self, box, i, 0, 0) != MAILPLUGIN_ACCEPTED) ++undecided;
    if (strcmp(box->behaviour, "twice") == 0) deliver(self, box, i, MAILPLUGIN_REDELIVERED, 0);
  }
  if (undecided == 0 && !is_stopping(self)) box->events->on_idle(box->events);
  return NULL;
}

static void answer_send(fake_server *self, const fake_send *send, mailplugin_verdict verdict, const char *reason) {
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < send->mail->part_count; ++i) {
    const mailplugin_part *part = send->mail->parts[i];
    const mailplugin_stream *stream = part->open(part);
    char buffer[1000];
    int64_t n = 0;
    while (stream != NULL && (n = stream->read(stream, buffer, sizeof buffer)) > 0) bytes += (uint64_t)n;
    if (stream != NULL) stream->close(stream);
  }
  char key[210], id[250], line[300];
  snprintf(key, sizeof key, "%.*s", (int)send->mail->stable_id.size, send->mail->stable_id.data);
  snprintf(id, sizeof id, "<%s@fake>", key);
  snprintf(line, sizeof line, "sent %s %llu", key, (unsigned long long)bytes);
  write_diary(line);
  mailplugin_outcome outcome;
  memset(&outcome, 0, sizeof outcome);
  outcome.struct_size = sizeof outcome;
  outcome.verdict = verdict;
  outcome.attempts = 1;
  outcome.reason = reason;
  if (verdict == MAILPLUGIN_ACCEPTED) outcome.internet_message_id = text_of(id);
  send->submission->on_sent(send->submission, &outcome);
  (void)self;
}

static void *run_sender(void *argument) {
  fake_server *self = argument;
  pthread_mutex_lock(&self->mutex);
  while (1) {
    while (!self->stopping && (self->send_from == self->send_to || strcmp(self->answer, "silent") == 0)) {
      pthread_cond_wait(&self->changed, &self->mutex);
    }
    if (self->send_from == self->send_to) break;
    const fake_send send = self->sends[self->send_from++ % FAKE_SENDS];
    const int cut = self->stopping;
    pthread_mutex_unlock(&self->mutex);
    if (cut || strcmp(self->answer, "retry_later") == 0) {
      answer_send(self, &send, MAILPLUGIN_RETRY_LATER, "not now");
    } else if (strcmp(self->answer, "rejected") == 0) {
      answer_send(self, &send, MAILPLUGIN_REJECTED, "the recipient does not exist");
    } else if (strcmp(self->answer, "uncertain") == 0) {
      answer_send(self, &send, MAILPLUGIN_UNCERTAIN, "the answer was lost");
    } else {
      answer_send(self, &send, MAILPLUGIN_ACCEPTED, NULL);
    }
    pthread_mutex_lock(&self->mutex);
  }
  pthread_mutex_unlock(&self->mutex);
  return NULL;
}

static mailplugin_status start(const mailplugin_server *s) {
  fake_server *self = s->self;
  self->stopping = 0;
  say_health(self, 0, MAILPLUGIN_READY, MAILPLUGIN_CAUSE_NONE, NULL);
  for (unsigned i = 0; i < self->mailbox_count; ++i) {
    fake_work *work = malloc(sizeof *work);
    work->server = self;
    work->box = &self->mailboxes[i];
    self->mailboxes[i].running = pthread_create(&self->mailboxes[i].thread, NULL, &run_mailbox, work) == 0;
  }
  self->sending = pthread_create(&self->sender, NULL, &run_sender, self) == 0;
  return MAILPLUGIN_OK;
}

static mailplugin_status stop(const mailplugin_server *s, uint32_t deadline_ms) {
  (void)deadline_ms;
  fake_server *self = s->self;
  pthread_mutex_lock(&self->mutex);
  self->stopping = 1;
  pthread_cond_broadcast(&self->changed);
  pthread_mutex_unlock(&self->mutex);
  for (unsigned i = 0; i < self->mailbox_count; ++i) {
    if (self->mailboxes[i].running) pthread_join(self->mailboxes[i].thread, NULL);
    self->mailboxes[i].running = 0;
  }
  if (self->sending) pthread_join(self->sender, NULL);
  self->sending = 0;
  return MAILPLUGIN_OK;
}

static void destroy(const mailplugin_server *s) {
  fake_server *self = s->self;
  stop(s, 0);
  for (unsigned i = 0; i < self->mailbox_count; ++i) {
    free(self->mailboxes[i].behaviour);
    free(self->mailboxes[i].address);
  }
  free(self->answer);
  pthread_mutex_destroy(&self->mutex);
  pthread_cond_destroy(&self->changed);
  free(self);
}

static const void *get_interface(const mailplugin_server *s, const char *id) {
  const fake_server *self = s->self;
  if (strcmp(id, MAILPLUGIN_INCOMING) == 0) return &self->incoming;
  if (strcmp(id, MAILPLUGIN_OUTGOING) == 0) return &self->outgoing;
  return NULL;
}

static mailplugin_status open_mailbox(const mailplugin_server *s, const mailplugin_settings *settings,
                                      const mailplugin_mailbox_events *events, const mailplugin_problems *problems,
                                      uint64_t *id) {
  fake_server *self = s->self;
  char *messages = setting(settings, "messages", "0");
  const int count = atoi(messages);
  free(messages);
  if (count < 0 || self->mailbox_count == FAKE_MAILBOXES) {
    problems->add(problems, "messages", "must not be negative");
    return MAILPLUGIN_E_CONFIG;
  }
  fake_mailbox *box = &self->mailboxes[self->mailbox_count++];
  box->id = self->mailbox_count;
  box->events = events;
  box->messages = count;
  box->behaviour = setting(settings, "behaviour", "plain");
  box->address = setting(settings, "address", "nobody");
  *id = box->id;
  return MAILPLUGIN_OK;
}

static mailplugin_status close_mailbox(const mailplugin_server *s, uint64_t id) {
  (void)s;
  (void)id;
  return MAILPLUGIN_OK;
}

static mailplugin_status acknowledge(const mailplugin_server *s, uint64_t id, mailplugin_verdict verdict, uint32_t ms) {
  (void)ms;
  fake_server *self = s->self;
  mailplugin_status status = MAILPLUGIN_E_STATE;
  pthread_mutex_lock(&self->mutex);
  for (unsigned i = 0; i < self->mailbox_count; ++i) {
    fake_mailbox *box = &self->mailboxes[i];
    if (box->delivery != id || box->acknowledged != 0) continue;
    box->acknowledged = verdict;
    pthread_cond_broadcast(&self->changed);
    status = MAILPLUGIN_OK;
  }
  pthread_mutex_unlock(&self->mutex);
  return status;
}

static mailplugin_status submit(const mailplugin_server *s, const mailplugin_message *mail,
                                const mailplugin_submission *submission) {
  fake_server *self = s->self;
  pthread_mutex_lock(&self->mutex);
  const int stopping = self->stopping;
  if (!stopping) {
    fake_send *send = &self->sends[self->send_to++ % FAKE_SENDS];
    send->submission = submission;
    send->mail = mail;
    pthread_cond_broadcast(&self->changed);
  }
  pthread_mutex_unlock(&self->mutex);
  return stopping ? MAILPLUGIN_E_STATE : MAILPLUGIN_OK;
}

static mailplugin_status create(const mailplugin_server_type *type, const mailplugin_settings *settings,
                                const mailplugin_server_events *events, const mailplugin_problems *problems,
                                const mailplugin_server **server) {
  (void)type;
  char *secret = setting(settings, "secret", "");
  const int wrong = strcmp(secret, "wrong") == 0;
  free(secret);
  if (wrong) {
    problems->add(problems, "secret", "is not the one");
    return MAILPLUGIN_E_CONFIG;
  }
  fake_server *self = calloc(1, sizeof *self);
  self->server.struct_size = sizeof self->server;
  self->server.self = self;
  self->server.start = &start;
  self->server.stop = &stop;
  self->server.destroy = &destroy;
  self->server.get_interface = &get_interface;
  self->incoming.struct_size = sizeof self->incoming;
  self->incoming.open_mailbox = &open_mailbox;
  self->incoming.close_mailbox = &close_mailbox;
  self->incoming.acknowledge = &acknowledge;
  self->outgoing.struct_size = sizeof self->outgoing;
  self->outgoing.submit = &submit;
  self->events = events;
  self->answer = setting(settings, "answer", "accepted");
  pthread_mutex_init(&self->mutex, NULL);
  pthread_cond_init(&self->changed, NULL);
  *server = &self->server;
  return MAILPLUGIN_OK;
}

/* ---- module ---- */

static mailplugin_field server_address = {.struct_size = sizeof(mailplugin_field),
                                          .type = MAILPLUGIN_FIELD_URL,
                                          .flags = MAILPLUGIN_FIELD_REQUIRED,
                                          .scope = MAILPLUGIN_SCOPE_SERVER,
                                          .key = "address",
                                          .label = "Address",
                                          .help = "Where nobody lives."};
static mailplugin_field server_secret = {.struct_size = sizeof(mailplugin_field),
                                         .type = MAILPLUGIN_FIELD_SECRET,
                                         .scope = MAILPLUGIN_SCOPE_SERVER,
                                         .key = "secret",
                                         .label = "Secret"};
static mailplugin_field server_answer = {.struct_size = sizeof(mailplugin_field),
                                         .type = MAILPLUGIN_FIELD_TEXT,
                                         .flags = MAILPLUGIN_FIELD_ADVANCED,
                                         .scope = MAILPLUGIN_SCOPE_SERVER,
                                         .key = "answer",
                                         .label = "Answer",
                                         .default_value = "accepted"};
static mailplugin_field mailbox_messages = {.struct_size = sizeof(mailplugin_field),
                                            .type = MAILPLUGIN_FIELD_NUMBER,
                                            .scope = MAILPLUGIN_SCOPE_MAILBOX,
                                            .key = "messages",
                                            .label = "Messages",
                                            .default_value = "0"};
static mailplugin_field mailbox_folder = {.struct_size = sizeof(mailplugin_field),
                                          .type = MAILPLUGIN_FIELD_TEXT,
                                          .flags = MAILPLUGIN_FIELD_ADVANCED,
                                          .scope = MAILPLUGIN_SCOPE_MAILBOX,
                                          .key = "folder",
                                          .label = "Folder",
                                          .default_value = "inbox"};
static mailplugin_pair behaviours[3];
static mailplugin_field mailbox_behaviour = {.struct_size = sizeof(mailplugin_field),
                                             .type = MAILPLUGIN_FIELD_CHOICE,
                                             .scope = MAILPLUGIN_SCOPE_MAILBOX,
                                             .key = "behaviour",
                                             .label = "Behaviour",
                                             .choices = behaviours,
                                             .choice_count = 3,
                                             .shown_if_key = "messages",
                                             .shown_if_value = "1"};

static const mailplugin_field *const fields[] = {&server_address,   &server_secret,     &server_answer,
                                                 &mailbox_messages, &mailbox_behaviour, &mailbox_folder};
static const char *const incoming_interfaces[] = {MAILPLUGIN_INCOMING, NULL};
static const char *const outgoing_interfaces[] = {MAILPLUGIN_OUTGOING, NULL};
static const mailplugin_server_type incoming_type = {.struct_size = sizeof(mailplugin_server_type),
                                                     .field_count = 6,
                                                     .id = FAKE_ID ".incoming",
                                                     .label = "Fake (incoming)",
                                                     .interfaces = incoming_interfaces,
                                                     .fields = fields,
                                                     .create = &create};
static const mailplugin_server_type outgoing_type = {.struct_size = sizeof(mailplugin_server_type),
                                                     .field_count = 3,
                                                     .id = FAKE_ID ".outgoing",
                                                     .label = "Fake (outgoing)",
                                                     .interfaces = outgoing_interfaces,
                                                     .fields = fields,
                                                     .create = &create};
static const mailplugin_server_type *const types[] = {&incoming_type, &outgoing_type};

static void shut_down(void) {
  write_diary("shutdown");
}

static mailplugin_module the_module = {.struct_size = sizeof(mailplugin_module),
                                       .abi_minor = MAILPLUGIN_ABI_MINOR,
                                       .id = FAKE_ID,
                                       .name = "Fake mail",
                                       .vendor = "Nobody",
                                       .version = "0.1.0",
                                       .server_types = types,
                                       .server_type_count = 2,
                                       .shutdown = &shut_down};

#ifdef FAKE_NO_ENTRY
#define mailplugin_entry_v1 mailplugin_entry_v2
MAILPLUGIN_EXPORT mailplugin_status MAILPLUGIN_CALL mailplugin_entry_v2(const mailplugin_host *host,
                                                                        const mailplugin_module **module);
#endif

mailplugin_status MAILPLUGIN_CALL mailplugin_entry_v1(const mailplugin_host *host, const mailplugin_module **module) {
  the_host = host;
  for (int i = 0; i < 3; ++i) {
    static const char *const names[] = {"plain", "twice", "attach"};
    behaviours[i].name = text_of(names[i]);
    behaviours[i].value = text_of(names[i]);
  }
  host->log(host, MAILPLUGIN_LOG_DEBUG, "entry", "hello");
#ifdef FAKE_REFUSES
  return MAILPLUGIN_E_ABI;
#endif
#ifdef FAKE_SMALL_MODULE
  the_module.struct_size = 16;
#endif
  *module = &the_module;
  return MAILPLUGIN_OK;
}
