// Every look-up of the store, and how a row becomes one of its words.
#pragma once

#include "store/reader.h"
#include "store/sqlite_store.h"

#define STORE_RECEIPT_COLUMNS                                                                               \
  "receipt.stream, mail, decision, coalesce((select what from mark where mark.stream = receipt.stream and " \
  "mark.decided = receipt.decided and mark.mail = receipt.mail), ''), receipt.decided, gone, tries, "       \
  "attachments_digest, missing"
#define STORE_ASIDE_COLUMNS "stream, mail, reason, due, first_seen, tries, offered"
#define STORE_SUBMISSION_COLUMNS                                                                    \
  "server, key, mailbox, draft_id, step, tries, looks, attachments_done, taken, changed, verdict, " \
  "internet_message_id, conversation_id, reason, late_drafts_due"
// One row with the first and the last; none where there is none.
#define STORE_SPAN(column, table, condition)                                \
  "select first, last from (select"                                         \
  " (select " column " from " table " where " condition " order by " column \
  " limit 1) as first,"                                                     \
  " (select " column " from " table " where " condition " order by " column \
  " desc limit 1) as last)"                                                 \
  " where first is not null"

namespace store {

inline std::int64_t milliseconds(WallTime time) {
  return time.time_since_epoch().count();
}
inline WallTime wall_time(std::int64_t milliseconds) {
  return WallTime(std::chrono::milliseconds(milliseconds));
}

struct SqliteStore::Queries {
  explicit Queries(Reader& reader) : reader_(reader) {}

  Reader& reader_;
  Query stream{reader_, "select id from stream where tenant = ? and folder = ?"};
  Query cursor{reader_,
               "select delta_link, next_link, opened, start_from, first_fetch_decided, reconciled, reconciled_whole"
               " from stream where id = ?"};

  Query receipt{reader_, "select " STORE_RECEIPT_COLUMNS " from receipt where stream = ? and mail = ?"};
  Query receipt_like{reader_,
                     "select " STORE_RECEIPT_COLUMNS
                     " from receipt where near = ? and likeness = ? order by decided desc, stream, mail limit 1"};
  Query near_span{reader_, STORE_SPAN("near", "receipt", "likeness is not null and near between ?1 and ?2")};
  Query receipt_known{reader_, "select 1 from receipt where stream = ? and mail = ?"};
  Query receipt_span{reader_, STORE_SPAN("mail", "receipt", "stream = ?1")};
  Query to_mark{reader_, "select mail, what, decided from mark where stream = ? order by decided, mail limit ?"};
  Query to_mark_count{reader_, "select count(*) from (select 1 from mark where stream = ? limit ?)"};
  Query receipts_after{
      reader_, "select " STORE_RECEIPT_COLUMNS " from receipt where stream = ? and mail > ? order by mail limit ?"};
  Query receipt_somewhere{reader_,
                          "select mail from receipt where stream = ?1 order by mail limit 1 offset"
                          " ?2 % max(1, (select count(*) from receipt where stream = ?1))"};

  Query aside{reader_, "select " STORE_ASIDE_COLUMNS " from aside where stream = ? and mail = ?"};
  Query aside_span{reader_, STORE_SPAN("mail", "aside", "stream = ?1")};
  Query asides{reader_, "select " STORE_ASIDE_COLUMNS " from aside where stream = ? order by due, mail"};

  Query submission{reader_, "select " STORE_SUBMISSION_COLUMNS " from submission where server = ? and key = ?"};
  Query submission_sent_as{reader_, "select " STORE_SUBMISSION_COLUMNS
                                    " from submission where internet_message_id = ? and internet_message_id <> ''"
                                    " and step = ? and verdict = ? order by changed desc limit 1"};

  Query automatic_known{reader_, "select 1 from automatic_answer where pair = ? and key = ?"};
  Query automatic_count{reader_, "select count(*) from automatic_answer where pair = ? and noted > ? and noted <= ?"};

  Query late_drafts{reader_, "select " STORE_SUBMISSION_COLUMNS
                             " from submission where server = ? and late_drafts_due <> 0 and late_drafts_due <= ?"
                             " order by late_drafts_due limit ?"};

  Query refused_password{reader_, "select salt, iterations, hash from refused_password where account = ?"};
};

}  // namespace store
