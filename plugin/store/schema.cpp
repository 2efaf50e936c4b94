#include "store/schema.h"

#include <string>

#include "store/writer.h"

namespace store {
namespace {

// An id as short_ids.h stores it, which counts bytes.
#define ID_BYTES "cast(message_id as blob)"
#define SHORTENED                                                         \
  "case when length(" ID_BYTES                                            \
  ") > 24 and id_beginning <> '' and"                                     \
  " substr(" ID_BYTES                                                     \
  ", 1, length(cast(id_beginning as blob))) = cast(id_beginning as blob)" \
  " then '+' || cast(substr(" ID_BYTES                                    \
  ", length(cast(id_beginning as blob)) + 1) as text)"                    \
  " else '=' || message_id end"
#define BEGINNING_IN(table)                                                                              \
  "(select cast(substr(" ID_BYTES ", 1, length(" ID_BYTES ") - 24) as text) from " table " where " table \
  ".stream = stream.id and length(" ID_BYTES ") > 24 limit 1)"

// Times are milliseconds since 1970 UTC, 0 = none. A text that is not there is empty, never null.
const std::vector<Migration> all = {
    // 1
    {{
        "create table stream("
        " id integer primary key, tenant text not null, folder text not null,"
        " delta_link text not null default '', next_link text not null default '', opened integer not null default 0,"
        " start_from text not null default '', first_fetch_decided integer not null default 0,"
        " reconciled integer not null default 0, reconciled_whole integer not null default 0,"
        " unique(tenant, folder)) strict",

        // A receipt is found by hashes of 16 bytes. likeness is null when the mail cannot be compared.
        "create table receipt("
        " stream integer not null references stream(id), id_hash blob not null, message_id text not null,"
        " likeness blob, decision integer not null, pending_mark text not null, decided integer not null,"
        " gone integer not null, tries integer not null, attachments_digest text not null,"
        " missing integer not null default 0,"
        " primary key(stream, id_hash)) strict, without rowid",
        "create index receipt_likeness on receipt(likeness) where likeness is not null",
        "create index receipt_to_mark on receipt(stream, decided) where pending_mark <> ''",

        "create table aside("
        " stream integer not null references stream(id), message_id text not null, reason text not null,"
        " due integer not null, first_seen integer not null, tries integer not null, offered integer not null,"
        " primary key(stream, message_id)) strict, without rowid",

        "create table submission("
        " server text not null, key text not null, mailbox text not null, draft_id text not null, step integer not "
        "null,"
        " tries integer not null, looks integer not null, attachments_done integer not null, taken integer not null,"
        " changed integer not null, verdict integer not null, internet_message_id text not null,"
        " conversation_id text not null, reason text not null,"
        " primary key(server, key)) strict, without rowid",
        "create index submission_sent_as on submission(internet_message_id) where internet_message_id <> ''",

        "create table refused_password("
        " account text primary key, salt blob not null, iterations integer not null, hash blob not null)"
        " strict, without rowid",
    }},
    // 2: automatic answers of the last hours. pair and key are hashes: whom somebody wrote to is nobody's to read here.
    {{
        "create table automatic_answer("
        " pair blob not null, key blob not null, noted integer not null,"
        " primary key(pair, key)) strict, without rowid",
        "create index automatic_answer_noted on automatic_answer(noted)",
    }},
    // 3
    {{
        "alter table submission add column late_drafts_due integer not null default 0",
        "create index submission_late_drafts on submission(server, late_drafts_due) where late_drafts_due <> 0",
    }},
    // 4: what is left to mark beside the receipts. A receipt stands at a place that its hash gives: to note in it that
    // the mail was marked rewrote a page for every mail. These rows come and go in order, at the ends of few pages.
    {{
        "create table mark("
        " stream integer not null references stream(id), decided integer not null, id_hash blob not null,"
        " what text not null,"
        " primary key(stream, decided, id_hash)) strict, without rowid",
        "insert into mark select stream, decided, id_hash, pending_mark from receipt where pending_mark <> ''",
        "drop index receipt_to_mark",
        "alter table receipt drop column pending_mark",
    }},
    // 5: a mark has all that marking needs: to look it up in the receipts read a page for every mail.
    {{
        "create table mark_5("
        " stream integer not null references stream(id), decided integer not null, id_hash blob not null,"
        " message_id text not null, what text not null,"
        " primary key(stream, decided, id_hash)) strict, without rowid",
        "insert into mark_5 select mark.stream, mark.decided, mark.id_hash, message_id, what from mark join receipt"
        " on receipt.stream = mark.stream and receipt.id_hash = mark.id_hash",
        "drop table mark",
        "alter table mark_5 rename to mark",
    }},
    // 6: mails that arrive together have keys that stand together, so that the receipts of one page of mails are on few
    // pages of the file: where a hash gives the place, each of them rewrites two. "mail" is an id, stored short; "near"
    // puts what is compared beside the other mails of its mailbox and time (0: written before).
    {{
        "alter table stream add column id_beginning text not null default ''",
        "update stream set id_beginning = coalesce(" BEGINNING_IN("receipt") ", " BEGINNING_IN("aside") ", '')",
        "create table receipt_6("
        " stream integer not null references stream(id), mail text not null,"
        " near integer not null, likeness blob, decision integer not null, decided integer not null,"
        " gone integer not null, tries integer not null, attachments_digest text not null,"
        " missing integer not null default 0,"
        " primary key(stream, mail)) strict, without rowid",
        "insert into receipt_6 select stream, " SHORTENED ", 0, likeness, decision, decided, gone, tries,"
        " attachments_digest, missing from receipt join stream on stream.id = stream order by 1, 2",
        "create table mark_6("
        " stream integer not null references stream(id), decided integer not null, mail text not null,"
        " what text not null,"
        " primary key(stream, decided, mail)) strict, without rowid",
        "insert into mark_6 select stream, decided, " SHORTENED ", what from mark join stream on stream.id = stream",
        "create table aside_6("
        " stream integer not null references stream(id), mail text not null, reason text not null,"
        " due integer not null, first_seen integer not null, tries integer not null, offered integer not null,"
        " primary key(stream, mail)) strict, without rowid",
        "insert into aside_6 select stream, " SHORTENED ", reason, due, first_seen, tries, offered"
        " from aside join stream on stream.id = stream",
        "drop table receipt",
        "drop table mark",
        "drop table aside",
        "alter table receipt_6 rename to receipt",
        "alter table mark_6 rename to mark",
        "alter table aside_6 rename to aside",
        "create index receipt_likeness on receipt(near, likeness) where likeness is not null",
    }},
};

}  // namespace

std::span<const Migration> migrations() {
  return all;
}

void migrate(Writer& writer, std::span<const Migration> migrations) {
  const auto last = static_cast<std::int64_t>(migrations.size());
  for (std::int64_t version = writer.ask_number("pragma user_version"); version < last; ++version) {
    Writer::Transaction transaction(writer);
    for (const char* sql : migrations[static_cast<std::size_t>(version)].statements) transaction.execute(sql);
    transaction.execute("pragma application_id = " + std::to_string(application_id));
    transaction.execute("pragma user_version = " + std::to_string(version + 1));
    transaction.commit();
  }
}

}  // namespace store
