#include "m365/incoming/polling.h"

#include <algorithm>
#include <map>
#include <utility>

#include "m365/incoming/delivery.h"
#include "m365/incoming/duplicates.h"
#include "m365/incoming/feed_trouble.h"
#include "m365/incoming/folder_finder.h"
#include "m365/incoming/opening.h"
#include "m365/incoming/owed_receipts.h"
#include "m365/incoming/reconcile.h"
#include "m365/message/page_salvage.h"

namespace m365 {
namespace {

using namespace std::chrono_literals;
using mail::Cause;
using mail::Level;

// Of all streams; beyond it only their ids are kept, and each is read by itself. Every worker may have a page in hand.
constexpr std::size_t most_rows_in_hand = 2'000, rows_in_hand_of_worker = page_alone + page_in_batch;
constexpr unsigned most_broken_pages = 3;  // in a row; then lists

std::string messages_path(const Stream& stream, const std::string& folder_id) {
  return user_path(stream.settings.user) + "/mailFolders/" + http::percent_encode(folder_id) + "/messages";
}

// Kept, such a link would be refused again and again: the page is not taken, and no token goes there.
void refuse_foreign_links(const Stream& stream, const std::string& next_link, const std::string& delta_link) {
  if (leads_elsewhere(stream, next_link) || leads_elsewhere(stream, delta_link))
    throw broken_answer(stream, "with a link to another server, which is not followed");
}

// The mail left the folder, says a row. Believed for what is still to be handed over only when a GET says so too.
void take_removed(Stream& stream, const FolderIdentity& folder, const MessageRow& row) {
  const std::shared_ptr<store::Store> store = stream.core.store();
  if (const auto receipt = store->receipt(folder.stream, row.id)) {
    if (!receipt->gone) store->set_gone(folder.stream, row.id, true);
    return;
  }
  if (at_work(stream, row.id)) return;  // its own GET, or the host's verdict, decides
  if (store->aside(folder.stream, row.id)) {
    const std::optional<MessageRow> now = fetch_row(stream, row.id);
    if (now && (!now->parent_folder_id || *now->parent_folder_id == folder.id)) return;
    store->drop_aside(folder.stream, row.id);
    stream.asides_stale = true;
    stream.note(Level::info, "a mail left the folder before it was handed over, id " + row.id);
  }
}

// A row of a decided mail: mostly the echo of our own marking.
bool take_known(Stream& stream, const FolderIdentity& folder, const MessageRow& row, bool list) {
  const std::shared_ptr<store::Store> store = stream.core.store();
  const auto receipt = store->receipt(folder.stream, row.id);
  if (!receipt) return true;
  if (!receipt->attachments_digest.empty()) {
    // Handed over with SCAN_PENDING: perhaps its attachments are there now.
    auto aside = list ? std::nullopt : store->aside(folder.stream, row.id);
    if (aside && from_reason(aside->reason).kind == AsideKind::watch && aside->due > stream.core.wall()) {
      aside->due = stream.core.wall();
      store->set_aside(*aside);
      stream.asides_stale = true;
    }
    return true;
  }
  if (receipt->decision != store::Decision::rejected || !receipt->gone || receipt->tries >= 2) return true;
  if (store->aside(folder.stream, row.id)) return true;
  // A rejected mail that came back gets one new try. A late row of before it left must not pass for that.
  const std::optional<MessageRow> now = fetch_row(stream, row.id);
  if (!now || now->parent_folder_id != folder.id) return true;
  store->set_gone(folder.stream, row.id, false);
  return false;
}

// A row that is neither at work nor decided, but for a rejected mail that came back, and what the store knew of it when
// the page came.
struct NewRow {
  MessageRow* row;
  store::Fingerprint fingerprint;
  std::optional<store::SetAside> aside;
  std::optional<store::Receipt> like;  ///< looked for where there is no aside
};

std::optional<Arrival> take_new(Stream& stream, const FolderIdentity& folder, NewRow is, bool list, SetAsides& asides) {
  MessageRow& row = *is.row;
  // The headers were asked for (message_select). A mail that truly has none is rare (of Sent Items, imported), and a
  // feed that leaves them out would hide what the mail answers and that a machine wrote it: asked for by id, once.
  const bool whole = row.complete() && row.has_headers;
  Arrival arrival;
  arrival.first_seen = stream.core.wall();
  if (const auto& aside = is.aside) {
    const AsideNote note = from_reason(aside->reason);
    if (note.kind != AsideKind::offered) {
      if (note.kind != AsideKind::scan || aside->due <= stream.core.wall()) return std::nullopt;
      store::SetAside now = *aside;  // it changed: perhaps its attachments are there
      now.due = stream.core.wall();
      stream.core.store()->set_aside(now);
      stream.asides_stale = true;
      return std::nullopt;
    }
    arrival.note = note;
    arrival.first_seen = aside->first_seen;
    arrival.tries = aside->tries;
    arrival.offered = aside->offered;
  } else {
    if (absorb(stream, folder, row, is.like)) return std::nullopt;
    arrival.note.kind = list ? AsideKind::listed : AsideKind::offered;
    arrival.note.fingerprint = digest_of(is.fingerprint);
    inherit_identity(stream, folder, arrival, asides);
  }
  arrival.whole = whole;
  arrival.row = std::move(row);
  return arrival;
}

// For the whole page at once: each look at the file by itself begins with reading anew what others have changed.
void look_up(Stream& stream, const FolderIdentity& folder, std::vector<NewRow>& rows) {
  const std::shared_ptr<store::Store> store = stream.core.store();
  std::vector<std::string> ids;
  for (const NewRow& each : rows) ids.push_back(each.row->id);
  std::vector<std::optional<store::SetAside>> asides = store->asides_of(folder.stream, ids);
  std::vector<std::size_t> unknown;
  std::vector<store::Fingerprint> fingerprints;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].aside = std::move(asides[i]);
    if (rows[i].aside) continue;
    unknown.push_back(i);
    fingerprints.push_back(rows[i].fingerprint);
  }
  std::vector<std::optional<store::Receipt>> alike = store->receipts_like(fingerprints);
  for (std::size_t i = 0; i < unknown.size(); ++i) rows[unknown[i]].like = std::move(alike[i]);
}

// The last row of an id counts; that it was there complete before spares a GET.
std::vector<MessageRow> without_repeats(std::vector<MessageRow> rows) {
  std::map<std::string, std::size_t> places;
  std::vector<MessageRow> single;
  for (MessageRow& row : rows) {
    if (row.id.empty()) continue;
    const auto [place, is_new] = places.try_emplace(row.id, single.size());
    if (is_new) {
      single.push_back(std::move(row));
    } else if (row.removed || single[place->second].removed || row.complete()) {
      single[place->second] = std::move(row);
    }
  }
  return single;
}

void set_aside_offered(Stream& stream, const FolderIdentity& folder, const std::vector<Arrival>& arrivals) {
  std::vector<store::SetAside> asides;
  for (const Arrival& arrival : arrivals) {
    store::SetAside aside = aside_of(arrival, folder.stream, stream.core.wall());
    // From here on a crash may leave it open whether the host had it; what is only listed is fetched first.
    aside.offered = arrival.offered || arrival.note.kind == AsideKind::offered;
    asides.push_back(std::move(aside));
  }
  stream.core.store()->set_aside_all(asides);
  stream.asides_stale = true;
}

// A page that cannot be read as a whole is asked for again in smaller ones, until the culprit stands alone.
void page_unreadable(Stream& stream, const std::string& body, unsigned page_size, const mail::FaultError& error) {
  if (page_size > 1) {
    stream.page_size = page_size / 2;
    stream.good_pages = 0;
    stream.note(Level::warning,
                "a page of the folder cannot be read (" + error.fault().text + "); asking again in smaller pages");
    return;
  }
  const Salvage found = salvage(body);
  if (found.next_link.empty() && found.delta_link.empty()) throw error;
  refuse_foreign_links(stream, found.next_link, found.delta_link);
  if (!found.id.empty() && !stream.core.store()->receipt(stream.identity()->stream, found.id) &&
      !stream.core.store()->aside(stream.identity()->stream, found.id)) {
    store::SetAside aside;
    aside.stream = stream.identity()->stream;
    aside.message_id = found.id;
    aside.reason = to_reason({AsideKind::unreadable, {}, {}, false, false});
    aside.first_seen = aside.due = stream.core.wall();
    stream.core.store()->set_aside(aside);
    stream.asides_stale = true;
  }
  ++stream.item_failures;
  stream.note(Level::error, "one mail of the folder cannot be read and is set aside" +
                                (found.id.empty() ? std::string() : ", id " + found.id));
  store::Cursor after = stream.cursor;
  after.next_link = found.next_link;
  if (!found.delta_link.empty()) after.delta_link = found.delta_link;
  stream.cursor_after = after;
  save_progress(stream);
}

void pace(Stream& stream, std::size_t fresh) {
  stream.barren_pages = fresh > 0 ? 0 : stream.barren_pages + 1;
  stream.poll_due = stream.core.now() + pause_after(stream.barren_pages);
  if (stream.barren_pages == many_barren_pages) tell_endless(stream, "the changes of the folder");
}

void grow_page(Stream& stream) {
  if (stream.page_size >= page_alone || ++stream.good_pages < 10) return;
  stream.page_size = std::min(page_alone, stream.page_size * 2);
  stream.good_pages = 0;
}

}  // namespace

GraphRequest poll_request(const Stream& stream, unsigned page_size) {
  GraphRequest request;
  request.mailbox = stream.settings.user;
  request.operation = "read the changes of the folder";
  request.prefer.push_back("odata.maxpagesize=" + std::to_string(page_size));
  const store::Cursor& cursor = stream.cursor;
  if (!cursor.next_link.empty()) {
    request.path = cursor.next_link;
  } else if (!cursor.delta_link.empty()) {
    request.path = cursor.delta_link;
  } else {
    request.path = messages_path(stream, stream.folder->id) + "/delta?$select=" + message_select;
    if (stream.series_since)
      request.path += "&$filter=" + http::percent_encode("receivedDateTime ge " + format_time(*stream.series_since));
  }
  return request;
}

std::size_t take_rows(Stream& stream, std::vector<MessageRow> rows, bool list) {
  const std::shared_ptr<const FolderIdentity> folder = stream.identity();
  // Rows are compared with the receipts, by id and by likeness: those that are owed belong to them.
  if (!rows.empty()) save_receipts(stream);
  if (const auto nameless = std::ranges::count_if(rows, [](const MessageRow& row) { return row.id.empty(); })) {
    stream.note(Level::warning, std::to_string(nameless) + (nameless == 1 ? " row" : " rows") +
                                    " of the folder cannot be read so far that the mail has an id");
  }
  std::vector<MessageRow> single = without_repeats(std::move(rows));
  std::vector<std::string> ids;
  std::vector<bool> busy;
  for (const MessageRow& row : single) {
    ids.push_back(row.id);
    busy.push_back(at_work(stream, row.id));
  }
  // Asked after that: what is at work no more has its receipt by now, or its row among those set aside.
  const std::vector<bool> known = stream.core.store()->receipts_known(folder->stream, ids);
  std::vector<NewRow> candidates;
  for (std::size_t i = 0; i < single.size(); ++i) {
    MessageRow& row = single[i];
    if (row.removed || (known[i] && take_known(stream, *folder, row, list))) continue;
    if (!busy[i] && !row.is_draft.value_or(false))
      candidates.push_back({&row, fingerprint_of(stream.settings, row), {}, {}});
  }
  look_up(stream, *folder, candidates);
  std::vector<Arrival> arrivals;
  arrivals.reserve(candidates.size());
  SetAsides asides(stream, *folder);
  for (NewRow& candidate : candidates) {
    if (auto arrival = take_new(stream, *folder, std::move(candidate), list, asides))
      arrivals.push_back(std::move(*arrival));
  }
  // After those that came: a mail whose id changed shows as both, and keeps its identity.
  for (const MessageRow& row : single) {
    if (row.removed) take_removed(stream, *folder, row);
  }
  std::vector<Arrival*> in_order;  // of their arrival; a row is large
  in_order.reserve(arrivals.size());
  for (Arrival& arrival : arrivals) in_order.push_back(&arrival);
  std::ranges::stable_sort(in_order, {},
                           [](const Arrival* arrival) { return arrival->row.received.value_or(mail::WallTime{}); });
  if (!arrivals.empty()) {
    set_aside_offered(stream, *folder, arrivals);
    stream.activity = true;
  }
  const std::size_t fresh = arrivals.size();
  const std::size_t most = std::max(most_rows_in_hand, stream.core.settings.tenant.workers * rows_in_hand_of_worker);
  for (Arrival* const next : in_order) {
    Arrival& arrival = *next;
    if (stream.core.rows_in_hand >= most && arrival.whole) {
      std::string id = std::move(arrival.row.id);
      arrival.row = MessageRow();
      arrival.row.id = std::move(id);
      arrival.whole = false;
    }
    ++stream.core.rows_in_hand;
    stream.in_hand.push_back(std::move(arrival));
  }
  return fresh;
}

void take_poll(Stream& stream, std::string& body, unsigned page_size) {
  MessagePage page;
  try {
    page = decode_message_page_in(body);
  } catch (const mail::FaultError& error) {
    page_unreadable(stream, body, page_size, error);
    return;
  }
  if (page.broken_links) {
    // Repeated (section 6); but what stands in it is a hint like any other, and a service that never gives the link
    // must not keep the mail back.
    take_rows(stream, std::move(page.rows), false);
    if (++stream.broken_pages >= most_broken_pages) feed_not_offered(stream, "its pages have no usable link");
    throw broken_answer(stream, "a page of changes without a usable link");
  }
  stream.broken_pages = 0;
  refuse_foreign_links(stream, page.next_link, page.delta_link);
  store::Cursor after = stream.cursor;
  after.next_link = page.next_link;
  if (!page.delta_link.empty()) after.delta_link = page.delta_link;
  if (!page.next_link.empty() && page.next_link == stream.cursor.next_link && page.rows.empty())
    throw broken_answer(stream, "the same empty page twice");
  const std::size_t fresh = take_rows(stream, std::move(page.rows), false);
  if (stream.cursor.next_link.empty() && !stream.cursor.delta_link.empty()) stream.series_lost = 0;  // it went on
  stream.cursor_after = std::move(after);
  grow_page(stream);
  pace(stream, fresh);
  if (stream.in_hand.empty()) save_progress(stream);
}

void save_progress(Stream& stream) {
  if (!stream.cursor_after) return;
  store::Cursor after = std::move(*stream.cursor_after);
  stream.cursor_after.reset();
  const mail::SteadyTime now = stream.core.now();
  const bool ended = after.next_link.empty();
  const bool had_mid = !stream.cursor.next_link.empty() || stream.cursor.delta_link.empty();
  // A quiet round changes nothing but the link, and the old link still leads here: it is written now and then only.
  const bool worth = had_mid || !ended || stream.barren_pages == 0 || now >= stream.cursor_saved + 30min;
  after.reconciled = stream.cursor.reconciled;
  after.reconciled_whole = stream.cursor.reconciled_whole;
  if (worth && !(after == stream.cursor)) {
    stream.core.store()->save_cursor(stream.identity()->stream, after);
    stream.cursor_saved = now;
  }
  stream.cursor = std::move(after);
  if (!ended) return;
  if (!stream.round_done) stream.series_since.reset();
  stream.round_done = true;
  stream.barren_pages = 1;
  feed_works(stream);
  // From one question to the next, not from the answer: a mail waits half an interval on average. But a service that
  // takes long to answer is not asked all the time.
  const auto poll = std::chrono::duration_cast<std::chrono::milliseconds>(stream.core.settings.poll);
  stream.poll_due = std::max(stream.asked + poll, now + poll / 2);
}

bool poll_refused(Stream& stream, const GraphError& error) {
  const bool beginning = stream.cursor.next_link.empty() && stream.cursor.delta_link.empty();
  if (error.status() == 504 && stream.page_size > 1) {
    stream.page_size = std::max(1u, stream.page_size / 2);  // large pages end in 504 (graph-mail.md, section 5)
    stream.good_pages = 0;
    return false;
  }
  if (error.action() == Action::restart_sync && !beginning) {
    lost_state(stream, error);
    return true;
  }
  const int status = error.status();
  // The link names the mailbox by its id, and one that was made anew under its name has another. Whatever a 404 names
  // at the beginning of a series: the folder could be read a moment ago.
  const bool mailbox_gone = !beginning && error.fault().cause == Cause::mailbox_unknown;
  const bool place_gone = tells_folder_missing(error) || mailbox_gone;
  const bool not_offered = status == 400 || status == 405 || status == 501 || (beginning && status == 404);
  if (!place_gone && !not_offered) return false;
  if (!beginning && !place_gone) {
    lost_state(stream, error);
    return true;
  }
  // The folder itself tells whether it is gone, or only delta is not offered (graph-mail.md, section 1).
  const std::string before = stream.folder->id;
  stream.opened = false;
  open_stream(stream);
  if (stream.folder->id != before) return true;  // made anew under its name
  if (!beginning) {
    lost_state(stream, error);
    return true;
  }
  feed_not_offered(stream, error.fault().code);
  return true;
}

void poll(Stream& stream) {
  if (stream.lists_instead && stream.core.now() >= stream.delta_again) {
    stream.lists_instead = false;
    stream.round_done = false;
    stream.opened = false;
    open_stream(stream);  // decides where a new series begins
    return;
  }
  if (stream.lists_instead || first_fetch_held(stream)) {
    poll_by_list(stream);
    return;
  }
  const unsigned size = stream.page_size;
  const mail::SteadyTime begun = stream.core.now();
  stream.asked = begun;
  std::string body;
  try {
    body = stream.graph().send(poll_request(stream, size), stream.token()).body;
  } catch (const GraphError& error) {
    if (!poll_refused(stream, error)) throw;
    return;
  } catch (const mail::FaultError& error) {
    if (error.fault().remedy != mail::Remedy::item) throw;
    page_too_large(stream, size, error);
    return;
  }
  stream.quick = stream.core.now() - begun < 3s;
  take_poll(stream, body, size);
}

}  // namespace m365
