// The part of the store that knows mails: decided ones and those set aside.
#include <algorithm>
#include <limits>
#include <map>

#include "store/hash.h"
#include "store/queries.h"
#include "store/sqlite_store.h"

namespace store {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t near_before_6 = 0;  // of what was written before schema 6
constexpr auto missing_for_good = 24h;     // between the two 404 that end a receipt (architecture, section 3)
enum : int { column_mail = 1, column_missing = 8 };

// message_id as it is stored: to be made whole when the look-up is over.
Receipt receipt_of(const Row& row) {
  Receipt r;
  r.stream = row.number(0);
  r.message_id = row.text(column_mail);
  r.decision = static_cast<Decision>(row.number(2));
  r.pending_mark = row.text(3);
  r.decided = wall_time(row.number(4));
  r.gone = row.flag(5);
  r.tries = static_cast<int>(row.number(6));
  r.attachments_digest = row.text(7);
  return r;
}

// The same.
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

void drop(Writer::Transaction& transaction, StreamId stream, std::string_view mail) {
  transaction.run("delete from aside where stream = ? and mail = ?", {stream, mail});
}

void drop_mark(Writer::Transaction& transaction, StreamId stream, std::string_view mail) {
  transaction.run(
      "delete from mark where stream = ?1 and mail = ?2"
      " and decided = (select decided from receipt where stream = ?1 and mail = ?2)",
      {stream, mail});
}

// The first and the last of some keys. New mails often come behind all that are there, or in a first fetch before
// them: one look for a page of them shows it.
template <typename Key>
struct Span {
  std::optional<std::pair<Key, Key>> ends;
  bool holds(const Key& key) const { return ends && ends->first <= key && key <= ends->second; }
};

// `mail`: its id as it is stored.
void decide_in(Writer::Transaction& transaction, const Receipt& r, std::string_view mail) {
  const bool can_be_like = comparable(r.fingerprint);
  const Hash128 likeness = can_be_like ? likeness_of(r.fingerprint) : Hash128{};
  const std::int64_t near = can_be_like ? near_of(r.fingerprint) : 0;
  const Blob like{bytes_of(likeness)};
  const auto decision = static_cast<std::int64_t>(r.decision);
  const std::size_t made = transaction.run(
      "insert into receipt(stream, mail, near, likeness, decision, decided, gone, tries, attachments_digest)"
      " values(?, ?, ?, nullif(?, zeroblob(16)), ?, ?, ?, ?, ?) on conflict do nothing",
      {r.stream, mail, near, like, decision, milliseconds(r.decided), r.gone, r.tries, r.attachments_digest});
  if (made == 0) {
    drop_mark(transaction, r.stream, mail);
    // A receipt that was read back has no fingerprint, and keeps what it was written with.
    transaction.run(
        "update receipt set near = iif(?1 = zeroblob(16), near, ?2),"
        " likeness = coalesce(nullif(?1, zeroblob(16)), likeness), decision = ?3, decided = ?4,"
        " gone = ?5, tries = ?6, attachments_digest = ?7, missing = 0 where stream = ?8 and mail = ?9",
        {like, near, decision, milliseconds(r.decided), r.gone, r.tries, r.attachments_digest, r.stream, mail});
  }
  if (!r.pending_mark.empty())
    transaction.run("insert into mark(stream, decided, mail, what) values(?, ?, ?, ?)",
                    {r.stream, milliseconds(r.decided), mail, r.pending_mark});
  drop(transaction, r.stream, mail);
}

void set_aside_in(Writer::Transaction& transaction, const SetAside& m, std::string_view mail) {
  transaction.run("insert or replace into aside(" STORE_ASIDE_COLUMNS ") values(?, ?, ?, ?, ?, ?, ?)",
                  {m.stream, mail, m.reason, milliseconds(m.due), milliseconds(m.first_seen), m.tries, m.offered});
}

}  // namespace

std::optional<Receipt> SqliteStore::receipt(StreamId stream, std::string_view message_id) {
  std::optional<Receipt> found;
  queries_->receipt.one({stream, ids_.shortened(stream, message_id)}, [&](const Row& row) { found = receipt_of(row); });
  if (found) found->message_id = ids_.whole(stream, found->message_id);
  return found;
}

std::optional<Receipt> SqliteStore::receipt_like(const Fingerprint& fingerprint) {
  return receipts_like({fingerprint}).front();
}

void SqliteStore::look_up(const std::function<void(const One&)>& work) {
  if (Writer::Look look(*writer_); look) {
    work([&](const Query& query, Values values, const std::function<void(const Row&)>& show) {
      return look.one(query.sql, values, show);
    });
    return;
  }
  const Reader::Snapshot snapshot(reader_);
  work([&](Query& query, Values values, const std::function<void(const Row&)>& show) {
    return query.one(snapshot, values, show);
  });
}

std::vector<std::optional<Receipt>> SqliteStore::receipts_like(const std::vector<Fingerprint>& fingerprints) {
  std::vector<std::optional<Receipt>> all(fingerprints.size());
  if (all.empty()) return all;  // a poll that brought nothing, which most are
  look_up([&](const One& one) {
    const bool has_old = one(queries_->near_span, {near_before_6, near_before_6}, [](const Row&) {});
    std::map<std::string_view, Span<std::int64_t>> spans;  // by mailbox: mostly all are of one
    for (std::size_t i = 0; i < fingerprints.size(); ++i) {
      const Fingerprint& fingerprint = fingerprints[i];
      if (!comparable(fingerprint)) continue;
      const auto place = spans.try_emplace(fingerprint.mailbox);
      Span<std::int64_t>& span = place.first->second;
      if (place.second) {
        const auto [first, last] = near_range(fingerprint.mailbox);
        one(queries_->near_span, {first, last},
            [&](const Row& row) { span.ends.emplace(row.number(0), row.number(1)); });
      }
      const std::int64_t near = near_of(fingerprint);
      const bool may_have_new = span.holds(near);
      if (!may_have_new && !has_old) continue;
      const Hash128 likeness = likeness_of(fingerprint);
      const auto look = [&](std::int64_t where) {
        one(queries_->receipt_like, {where, Blob{bytes_of(likeness)}}, [&](const Row& row) {
          Receipt found = receipt_of(row);
          if (!all[i] || all[i]->decided < found.decided) all[i] = std::move(found);
        });
      };
      if (may_have_new) look(near);
      if (has_old) look(near_before_6);
      if (all[i]) all[i]->fingerprint = fingerprint;
    }
  });
  for (auto& receipt : all) {
    if (receipt) receipt->message_id = ids_.whole(receipt->stream, receipt->message_id);
  }
  return all;
}

std::vector<bool> SqliteStore::receipts_known(StreamId stream, const std::vector<std::string>& message_ids) {
  const std::vector<std::string> mails = ids_.shortened(stream, message_ids);
  std::vector<bool> known(mails.size());
  if (known.empty()) return known;
  look_up([&](const One& one) {
    Span<std::string> span;
    one(queries_->receipt_span, {stream}, [&](const Row& row) { span.ends.emplace(row.text(0), row.text(1)); });
    for (std::size_t i = 0; i < mails.size(); ++i)
      known[i] = span.holds(mails[i]) && one(queries_->receipt_known, {stream, mails[i]}, [](const Row&) {});
  });
  return known;
}

void SqliteStore::decide(const Receipt& receipt) {
  decide_all({receipt});
}

void SqliteStore::decide_all(const std::vector<Receipt>& receipts) {
  if (receipts.empty()) return;
  for (const Receipt& receipt : receipts) ids_.prepare(receipt.stream, receipt.message_id);
  Writer::Transaction transaction(*writer_);
  for (const Receipt& receipt : receipts)
    decide_in(transaction, receipt, ids_.shortened(receipt.stream, receipt.message_id));
  transaction.commit();
}

void SqliteStore::marked(StreamId stream, const std::vector<Mark>& marks) {
  if (marks.empty()) return;
  Writer::Transaction transaction(*writer_, Writer::Durable::with_next);
  for (const Mark& mark : marks) {
    transaction.run("delete from mark where stream = ? and decided = ? and mail = ? and what = ?",
                    {stream, milliseconds(mark.decided), ids_.shortened(stream, mark.message_id), mark.what});
  }
  transaction.commit();
}

void SqliteStore::set_gone(StreamId stream, std::string_view message_id, bool gone) {
  write("update receipt set gone = ? where stream = ? and mail = ?",
        {gone, stream, ids_.shortened(stream, message_id)});
}

std::vector<Mark> SqliteStore::to_mark(StreamId stream, std::size_t most) {
  std::vector<Mark> marks;
  queries_->to_mark.each({stream, limit(most)}, [&](const Row& row) {
    marks.push_back({row.text(0), row.text(1), wall_time(row.number(2))});
  });
  for (Mark& mark : marks) mark.message_id = ids_.whole(stream, mark.message_id);
  return marks;
}

std::size_t SqliteStore::to_mark_count(StreamId stream, std::size_t most) {
  std::int64_t count = 0;
  queries_->to_mark_count.one({stream, limit(most)}, [&](const Row& row) { count = row.number(0); });
  return static_cast<std::size_t>(count);
}

std::vector<Receipt> SqliteStore::receipts_after(StreamId stream, std::string_view after, std::size_t most) {
  const std::string from = after.empty() ? std::string() : ids_.shortened(stream, after);  // "" is less than all
  std::vector<Receipt> receipts;
  queries_->receipts_after.each({stream, from, limit(most)},
                                [&](const Row& row) { receipts.push_back(receipt_of(row)); });
  for (Receipt& receipt : receipts) receipt.message_id = ids_.whole(stream, receipt.message_id);
  return receipts;
}

std::string SqliteStore::receipt_somewhere(StreamId stream, std::uint64_t random) {
  const auto place = static_cast<std::int64_t>(random & std::numeric_limits<std::int64_t>::max());
  std::string mail;
  queries_->receipt_somewhere.one({stream, place}, [&](const Row& row) { mail = row.text(0); });
  return ids_.whole(stream, mail);
}

bool SqliteStore::seen_missing(StreamId stream, std::string_view message_id) {
  const std::string mail = ids_.shortened(stream, message_id);
  Writer::Transaction transaction(*writer_);  // nobody else writes between the look and the deed
  WallTime before{};
  if (!queries_->receipt.one({stream, mail}, [&](const Row& row) { before = wall_time(row.number(column_missing)); }))
    return false;
  const WallTime now = wall_();
  const bool for_good = before != WallTime{} && now - before >= missing_for_good;
  if (for_good) {
    drop_mark(transaction, stream, mail);
    transaction.run("delete from receipt where stream = ? and mail = ?", {stream, mail});
  } else if (before == WallTime{} || now < before) {  // the machine's date was set back: the day begins anew
    transaction.run("update receipt set missing = ? where stream = ? and mail = ?", {milliseconds(now), stream, mail});
  }
  transaction.commit();
  return for_good;
}

void SqliteStore::set_aside(const SetAside& mail) {
  set_aside_all({mail});
}

void SqliteStore::set_aside_all(const std::vector<SetAside>& mails) {
  if (mails.empty()) return;
  for (const SetAside& mail : mails) ids_.prepare(mail.stream, mail.message_id);
  Writer::Transaction transaction(*writer_);
  for (const SetAside& mail : mails) set_aside_in(transaction, mail, ids_.shortened(mail.stream, mail.message_id));
  transaction.commit();
}

std::optional<SetAside> SqliteStore::aside(StreamId stream, std::string_view message_id) {
  std::optional<SetAside> found;
  queries_->aside.one({stream, ids_.shortened(stream, message_id)}, [&](const Row& row) { found = aside_of(row); });
  if (found) found->message_id = ids_.whole(stream, found->message_id);
  return found;
}

std::vector<std::optional<SetAside>> SqliteStore::asides_of(StreamId stream,
                                                            const std::vector<std::string>& message_ids) {
  const std::vector<std::string> mails = ids_.shortened(stream, message_ids);
  std::vector<std::optional<SetAside>> all(mails.size());
  if (all.empty()) return all;
  look_up([&](const One& one) {
    Span<std::string> span;
    one(queries_->aside_span, {stream}, [&](const Row& row) { span.ends.emplace(row.text(0), row.text(1)); });
    for (std::size_t i = 0; i < mails.size(); ++i) {
      if (!span.holds(mails[i])) continue;
      one(queries_->aside, {stream, mails[i]}, [&](const Row& row) { all[i] = aside_of(row); });
    }
  });
  for (auto& mail : all) {
    if (mail) mail->message_id = ids_.whole(stream, mail->message_id);
  }
  return all;
}

std::vector<SetAside> SqliteStore::asides(StreamId stream) {
  std::vector<SetAside> mails;
  queries_->asides.each({stream}, [&](const Row& row) { mails.push_back(aside_of(row)); });
  for (SetAside& mail : mails) mail.message_id = ids_.whole(stream, mail.message_id);
  return mails;
}

void SqliteStore::drop_aside(StreamId stream, std::string_view message_id) {
  Writer::Transaction transaction(*writer_);
  drop(transaction, stream, ids_.shortened(stream, message_id));
  transaction.commit();
}

}  // namespace store
