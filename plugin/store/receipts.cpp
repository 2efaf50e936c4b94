// The part of the store that knows mails: decided ones and those set aside.
#include <algorithm>
#include <limits>

#include "store/hash.h"
#include "store/queries.h"
#include "store/sqlite_store.h"

namespace store {
namespace {

using namespace std::chrono_literals;

constexpr auto missing_for_good = 24h;  // between the two 404 that end a receipt (architecture, section 3)
enum : int { column_message_id = 1, column_missing = 8 };

Receipt receipt_of(const Row& row) {
  Receipt r;
  r.stream = row.number(0);
  r.message_id = row.text(column_message_id);
  r.decision = static_cast<Decision>(row.number(2));
  r.pending_mark = row.text(3);
  r.decided = wall_time(row.number(4));
  r.gone = row.flag(5);
  r.tries = static_cast<int>(row.number(6));
  r.attachments_digest = row.text(7);
  return r;
}

SetAside aside_of(const Row& row) {
  SetAside mail;
  mail.stream = row.number(0);
  mail.message_id = row.text(1);
  mail.reason = row.text(2);
  mail.due = wall_time(row.number(3));
  mail.first_seen = wall_time(row.number(4));
  mail.tries = static_cast<int>(row.number(5));
  mail.offered = row.flag(6);
  return mail;
}

std::int64_t limit(std::size_t most) {
  return static_cast<std::int64_t>(std::min<std::size_t>(most, std::numeric_limits<std::int64_t>::max()));
}

void drop(Writer::Transaction& transaction, StreamId stream, std::string_view message_id) {
  transaction.run("delete from aside where stream = ? and message_id = ?", {stream, message_id});
}

void drop_mark(Writer::Transaction& transaction, StreamId stream, const Hash128& id) {
  transaction.run(
      "delete from mark where stream = ?1 and id_hash = ?2"
      " and decided = (select decided from receipt where stream = ?1 and id_hash = ?2)",
      {stream, Blob{bytes_of(id)}});
}

void decide_in(Writer::Transaction& transaction, const Receipt& r) {
  const Hash128 id = hash_of(r.message_id);
  const Hash128 likeness = likeness_of(r.fingerprint).value_or(Hash128{});
  const Blob key{bytes_of(id)}, like{bytes_of(likeness)};
  const auto decision = static_cast<std::int64_t>(r.decision);
  const std::size_t made = transaction.run(
      "insert into receipt(stream, id_hash, message_id, likeness, decision, decided, gone, tries, attachments_digest)"
      " values(?, ?, ?, nullif(?, zeroblob(16)), ?, ?, ?, ?, ?) on conflict do nothing",
      {r.stream, key, r.message_id, like, decision, milliseconds(r.decided), r.gone, r.tries, r.attachments_digest});
  if (made == 0) {
    drop_mark(transaction, r.stream, id);
    // A receipt that was read back has no fingerprint, and keeps what it was written with.
    transaction.run(
        "update receipt set likeness = coalesce(nullif(?, zeroblob(16)), likeness), decision = ?, decided = ?,"
        " gone = ?, tries = ?, attachments_digest = ?, missing = 0 where stream = ? and id_hash = ?",
        {like, decision, milliseconds(r.decided), r.gone, r.tries, r.attachments_digest, r.stream, key});
  }
  if (!r.pending_mark.empty())
    transaction.run("insert into mark(stream, decided, id_hash, message_id, what) values(?, ?, ?, ?, ?)",
                    {r.stream, milliseconds(r.decided), key, r.message_id, r.pending_mark});
  drop(transaction, r.stream, r.message_id);
}

void set_aside_in(Writer::Transaction& transaction, const SetAside& m) {
  transaction.run(
      "insert or replace into aside(" STORE_ASIDE_COLUMNS ") values(?, ?, ?, ?, ?, ?, ?)",
      {m.stream, m.message_id, m.reason, milliseconds(m.due), milliseconds(m.first_seen), m.tries, m.offered});
}

}  // namespace

std::optional<Receipt> SqliteStore::receipt(StreamId stream, std::string_view message_id) {
  const Hash128 id = hash_of(message_id);
  std::optional<Receipt> found;
  queries_->receipt.one({stream, Blob{bytes_of(id)}}, [&](const Row& row) { found = receipt_of(row); });
  return found;
}

std::optional<Receipt> SqliteStore::receipt_like(const Fingerprint& fingerprint) {
  std::optional<Receipt> found;
  const auto likeness = likeness_of(fingerprint);
  if (!likeness) return found;
  queries_->receipt_like.one({Blob{bytes_of(*likeness)}}, [&](const Row& row) { found = receipt_of(row); });
  if (found) found->fingerprint = fingerprint;
  return found;
}

void SqliteStore::look_up(Query& query, std::size_t count, const std::function<void(std::size_t, const One&)>& each) {
  if (count == 0) return;
  if (Writer::Look look(*writer_); look) {
    const One one = [&](Values values, const std::function<void(const Row&)>& show) {
      return look.one(query.sql, values, show);
    };
    for (std::size_t i = 0; i < count; ++i) each(i, one);
    return;
  }
  const Reader::Snapshot snapshot(reader_);
  const One one = [&](Values values, const std::function<void(const Row&)>& show) {
    return query.one(snapshot, values, show);
  };
  for (std::size_t i = 0; i < count; ++i) each(i, one);
}

std::vector<std::optional<Receipt>> SqliteStore::receipts_like(const std::vector<Fingerprint>& fingerprints) {
  std::vector<std::optional<Receipt>> all(fingerprints.size());
  look_up(queries_->receipt_like, fingerprints.size(), [&](std::size_t i, const One& one) {
    const auto likeness = likeness_of(fingerprints[i]);
    if (!likeness) return;
    one({Blob{bytes_of(*likeness)}}, [&](const Row& row) { all[i] = receipt_of(row); });
    if (all[i]) all[i]->fingerprint = fingerprints[i];
  });
  return all;
}

std::vector<bool> SqliteStore::receipts_known(StreamId stream, const std::vector<std::string>& message_ids) {
  std::vector<bool> known(message_ids.size());
  look_up(queries_->receipt_known, message_ids.size(), [&](std::size_t i, const One& one) {
    const Hash128 id = hash_of(message_ids[i]);
    known[i] = one({stream, Blob{bytes_of(id)}}, [](const Row&) {});
  });
  return known;
}

void SqliteStore::decide(const Receipt& receipt) {
  Writer::Transaction transaction(*writer_);
  decide_in(transaction, receipt);
  transaction.commit();
}

void SqliteStore::decide_all(const std::vector<Receipt>& receipts) {
  if (receipts.empty()) return;
  Writer::Transaction transaction(*writer_);
  for (const Receipt& receipt : receipts) decide_in(transaction, receipt);
  transaction.commit();
}

void SqliteStore::marked(StreamId stream, const std::vector<Mark>& marks) {
  if (marks.empty()) return;
  Writer::Transaction transaction(*writer_, Writer::Durable::with_next);
  for (const Mark& mark : marks) {
    const Hash128 id = hash_of(mark.message_id);
    transaction.run("delete from mark where stream = ? and decided = ? and id_hash = ? and what = ?",
                    {stream, milliseconds(mark.decided), Blob{bytes_of(id)}, mark.what});
  }
  transaction.commit();
}

void SqliteStore::set_gone(StreamId stream, std::string_view message_id, bool gone) {
  const Hash128 id = hash_of(message_id);
  write("update receipt set gone = ? where stream = ? and id_hash = ?", {gone, stream, Blob{bytes_of(id)}});
}

std::vector<Mark> SqliteStore::to_mark(StreamId stream, std::size_t most) {
  std::vector<Mark> marks;
  queries_->to_mark.each({stream, limit(most)}, [&](const Row& row) {
    marks.push_back({row.text(0), row.text(1), wall_time(row.number(2))});
  });
  return marks;
}

std::size_t SqliteStore::to_mark_count(StreamId stream, std::size_t most) {
  std::int64_t count = 0;
  queries_->to_mark_count.one({stream, limit(most)}, [&](const Row& row) { count = row.number(0); });
  return static_cast<std::size_t>(count);
}

std::vector<Receipt> SqliteStore::receipts_after(StreamId stream, std::string_view after, std::size_t most) {
  const Hash128 id = hash_of(after);
  const Blob from{after.empty() ? std::string_view() : bytes_of(id)};  // the empty one is less than all
  std::vector<Receipt> receipts;
  queries_->receipts_after.each({stream, from, limit(most)},
                                [&](const Row& row) { receipts.push_back(receipt_of(row)); });
  return receipts;
}

bool SqliteStore::seen_missing(StreamId stream, std::string_view message_id) {
  const Hash128 id = hash_of(message_id);
  const Blob key{bytes_of(id)};
  Writer::Transaction transaction(*writer_);  // nobody else writes between the look and the deed
  WallTime before{};
  if (!queries_->receipt.one({stream, key}, [&](const Row& row) { before = wall_time(row.number(column_missing)); }))
    return false;
  const WallTime now = wall_();
  const bool for_good = before != WallTime{} && now - before >= missing_for_good;
  if (for_good) {
    drop_mark(transaction, stream, id);
    transaction.run("delete from receipt where stream = ? and id_hash = ?", {stream, key});
  } else if (before == WallTime{} || now < before) {  // the machine's date was set back: the day begins anew
    transaction.run("update receipt set missing = ? where stream = ? and id_hash = ?",
                    {milliseconds(now), stream, key});
  }
  transaction.commit();
  return for_good;
}

void SqliteStore::set_aside(const SetAside& mail) {
  Writer::Transaction transaction(*writer_);
  set_aside_in(transaction, mail);
  transaction.commit();
}

void SqliteStore::set_aside_all(const std::vector<SetAside>& mails) {
  if (mails.empty()) return;
  Writer::Transaction transaction(*writer_);
  for (const SetAside& mail : mails) set_aside_in(transaction, mail);
  transaction.commit();
}

std::optional<SetAside> SqliteStore::aside(StreamId stream, std::string_view message_id) {
  std::optional<SetAside> found;
  queries_->aside.one({stream, message_id}, [&](const Row& row) { found = aside_of(row); });
  return found;
}

std::vector<std::optional<SetAside>> SqliteStore::asides_of(StreamId stream,
                                                            const std::vector<std::string>& message_ids) {
  std::vector<std::optional<SetAside>> all(message_ids.size());
  look_up(queries_->aside, message_ids.size(), [&](std::size_t i, const One& one) {
    one({stream, message_ids[i]}, [&](const Row& row) { all[i] = aside_of(row); });
  });
  return all;
}

std::vector<SetAside> SqliteStore::asides(StreamId stream) {
  std::vector<SetAside> mails;
  queries_->asides.each({stream}, [&](const Row& row) { mails.push_back(aside_of(row)); });
  return mails;
}

void SqliteStore::drop_aside(StreamId stream, std::string_view message_id) {
  Writer::Transaction transaction(*writer_);
  drop(transaction, stream, message_id);
  transaction.commit();
}

}  // namespace store
