#include "m365/incoming/reconcile.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "m365/incoming/delivery.h"
#include "m365/incoming/feed_trouble.h"
#include "m365/incoming/folder_finder.h"
#include "m365/incoming/opening.h"
#include "m365/incoming/polling.h"

namespace m365 {
namespace {

using namespace std::chrono_literals;
using mail::Level;

constexpr std::chrono::hours recent{48}, whole_interval{24};
// A mail can stand in the folder hours after its receivedDateTime when it was scanned first (exchange-admin.md, 10).
constexpr std::chrono::hours overlap{2};
// Receipts looked after in a day. Each takes two looks to go, so the file stays bounded where up to a thousand mails a
// day leave a mailbox; only a mailbox with so many makes so many requests.
constexpr std::size_t most_cleaned = 2'000;
constexpr unsigned fewest_rows = 10;  // of a page after 504s

std::string list_path(const Stream& stream, const Walk& walk) {
  std::string path = user_path(stream.settings.user) + "/mailFolders/" + http::percent_encode(stream.folder->id) +
                     "/messages?$select=" + thin_select + "&$top=" + std::to_string(walk.top);
  if (walk.own_pages) path += "&$skip=" + std::to_string(walk.seen);
  const auto since = [&path](mail::WallTime time) {
    path +=
        "&$filter=" + http::percent_encode("receivedDateTime ge " + format_time(time)) + "&$orderby=receivedDateTime";
  };
  switch (walk.kind) {
    case Walk::Kind::unread:
      path += "&$filter=" + http::percent_encode("isRead eq false");
      break;
    case Walk::Kind::recent:
      since(stream.core.wall() - recent);
      break;
    case Walk::Kind::poll:
      since(first_fetch_held(stream) ? stream.cursor.opened : std::max(stream.newest, stream.cursor.opened) - overlap);
      break;
    case Walk::Kind::first:
    case Walk::Kind::whole:
      path += "&$orderby=receivedDateTime";
      break;
    case Walk::Kind::cleanup:
      break;
  }
  return path;
}

// What stood there at the first opening and is not to be handed over gets a receipt, so that it never is. What is to be
// handed over comes by the series, unless that begins later or there is none.
struct AtFirst {
  std::vector<MessageRow> wanted;
  std::size_t skipped = 0;
};

AtFirst skip_unwanted(Stream& stream, std::vector<MessageRow> rows) {
  std::vector<std::string> ids;
  for (const MessageRow& row : rows) ids.push_back(row.id);
  const store::StreamId id = stream.identity()->stream;
  const std::vector<bool> known = stream.core.store()->receipts_known(id, ids);
  std::vector<store::Receipt> skipped;
  std::vector<MessageRow> wanted;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    MessageRow& row = rows[i];
    if (known[i] || row.is_draft.value_or(false) || row.id.empty()) continue;
    if (wanted_at_first(stream, row)) {
      const bool older = stream.series_since && row.received && *row.received < *stream.series_since;
      if (stream.lists_instead || older) wanted.push_back(std::move(row));
      continue;
    }
    store::Receipt receipt;
    receipt.stream = id;
    receipt.message_id = row.id;
    receipt.fingerprint = fingerprint_of(stream.settings, row);
    receipt.decision = store::Decision::skipped;
    receipt.decided = stream.core.wall();
    skipped.push_back(std::move(receipt));
  }
  if (!skipped.empty()) stream.core.store()->decide_all(skipped);
  return {std::move(wanted), skipped.size()};
}

// Receipts of mails that left the mailbox are dropped when a GET said 404 twice, a day apart (architecture, section 3).
// True: enough for today.
bool clean_receipts(Stream& stream, Walk& walk) {
  const std::shared_ptr<store::Store> store = stream.core.store();
  const store::StreamId id = stream.identity()->stream;
  // Each run of the plugin begins somewhere else, so that all have their turn where it is restarted every day.
  if (!stream.cleaning_begun) {
    stream.cleaned_to =
        store->receipt_somewhere(id, stream.core.random.below(std::numeric_limits<std::uint64_t>::max()));
    stream.cleaning_begun = true;
    walk.turns_back = true;
  }
  const std::vector<store::Receipt> receipts = store->receipts_after(id, stream.cleaned_to, 500);
  const bool moves = stream.settings.after_fetch.kind == AfterFetch::Kind::move ||
                     stream.settings.after_fetch.kind == AfterFetch::Kind::erase;
  std::vector<std::string> candidates;
  stream.cleaned_to = receipts.size() < 500 ? std::string() : receipts.back().message_id;
  for (const store::Receipt& receipt : receipts) {
    const bool left = receipt.gone || (moves && receipt.decision == store::Decision::accepted);
    if (!left || !receipt.pending_mark.empty() || stream.core.wall() - receipt.decided < 24h) continue;
    candidates.push_back(receipt.message_id);
    if (candidates.size() < 20) continue;
    stream.cleaned_to = receipt.message_id;
    break;
  }
  if (!candidates.empty()) {
    std::vector<GraphRequest> looks;
    for (const std::string& message : candidates) {
      GraphRequest look;
      look.path = user_path(stream.settings.user) + "/messages/" + http::percent_encode(message) + "?$select=id";
      look.operation = "look for a mail";
      look.mailbox = stream.settings.user;
      looks.push_back(std::move(look));
    }
    const std::vector<BatchAnswer> answers = stream.graph().batch(looks, stream.token());
    for (std::size_t i = 0; i < answers.size(); ++i) {
      if (answers[i].status == 404 && tells_folder_missing(stream.graph().error_of(answers[i], looks[i])))
        store->seen_missing(id, candidates[i]);
    }
  }
  walk.seen += static_cast<unsigned>(candidates.size());
  if (walk.seen >= most_cleaned) return true;
  return stream.cleaned_to.empty() && !std::exchange(walk.turns_back, false);
}

void walk_ended(Stream& stream) {
  const Walk ended = stream.walks.front();
  stream.walks.pop_front();
  stream.list_due = {};
  const mail::WallTime now = stream.core.wall();
  if (ended.kind == Walk::Kind::poll) {
    stream.poll_due = stream.core.now() + stream.core.settings.poll;
    stream.round_done = !first_fetch_held(stream);
    return;
  }
  if (ended.barren >= many_barren_pages) feed_works(stream);
  if (ended.kind == Walk::Kind::first || ended.kind == Walk::Kind::whole) {
    stream.whole_wanted = false;
    stream.cursor.reconciled_whole = now;
    stream.core.store()->save_cursor(stream.identity()->stream, stream.cursor);
  }
  if (ended.kind == Walk::Kind::first) {
    stream.note(Level::info, "first opening, start_from " + stream.cursor.start_from + ": " +
                                 std::to_string(ended.seen) + " mails stood in the folder");
  } else if (ended.found > 0) {
    stream.note(Level::info,
                "reconciliation found " + std::to_string(ended.found) + " mails that the change feed had not shown");
  }
  if (stream.walks.empty()) stream.cursor.reconciled = now;
}

void begin_walks(Stream& stream) {
  if (first_fetch_held(stream)) {
    stream.opened = false;  // counted anew: perhaps somebody has read the backlog
    return;
  }
  if (!stream.lists_instead || stream.round_done) {
    stream.walks.emplace_back(Walk::Kind::unread);
    stream.walks.emplace_back(Walk::Kind::recent);
  }
  const bool day_passed = stream.core.wall() - stream.cursor.reconciled_whole >= whole_interval;
  if (day_passed || stream.whole_wanted) stream.walks.emplace_back(Walk::Kind::whole);
  if (day_passed) stream.walks.emplace_back(Walk::Kind::cleanup);
}

void pace(Stream& stream, Walk& at, std::size_t news) {
  at.barren = news > 0 ? 0 : at.barren + 1;
  stream.list_due = stream.core.now() + pause_after(at.barren);
  if (at.kind == Walk::Kind::poll) stream.poll_due = stream.list_due;
  if (at.barren == many_barren_pages) tell_endless(stream, "a list of the folder");
}

void begin_anew(Walk& walk) {
  walk.next_link.clear();
  walk.seen = 0;
  walk.top = Walk::page;
  walk.own_pages = false;
}

// The page is asked for again in halves, by our own count, until the row that cannot be read stands alone; that one is
// left out. Its mail shows in the change feed, which has its own way with such rows.
void read_in_halves(Stream& stream, Walk& at) {
  at.own_pages = true;
  if (at.top > 1) {
    at.top /= 2;
  } else {
    ++at.seen;
    at.top = Walk::page;
    stream.note(Level::warning, "a row of a list cannot be read and is left out");
  }
  at.next_link = list_path(stream, at);
}

void page_unreadable(Stream& stream, Walk& at, const std::string& body, const mail::FaultError& error) {
  if (body.find("\"value\"") == std::string::npos) {  // a gateway's page, say: no row's fault
    begin_anew(at);
    throw error;
  }
  read_in_halves(stream, at);
}

void walk_page(Stream& stream) {
  Walk& at = stream.walks.front();
  if (at.kind == Walk::Kind::cleanup) {
    if (clean_receipts(stream, at)) walk_ended(stream);
    return;
  }
  GraphRequest request;
  request.path = at.next_link.empty() ? list_path(stream, at) : at.next_link;
  request.operation = "list the folder";
  request.mailbox = stream.settings.user;
  std::string body;
  try {
    body = stream.graph().send(request, stream.token()).body;
  } catch (const GraphError& error) {
    if (tells_folder_missing(error)) stream.opened = false;
    if (error.status() == 504 && at.top > fewest_rows) {
      const unsigned smaller = std::max(fewest_rows, at.top / 2);  // large pages end in 504 (graph-mail.md, section 5)
      begin_anew(at);
      at.top = smaller;
    }
    // A link that the service does not take any more: the list begins anew.
    if (error.status() < 500 && error.status() != 429) begin_anew(at);
    throw;
  } catch (const mail::FaultError& error) {
    if (error.fault().remedy != mail::Remedy::item) throw;
    read_in_halves(stream, at);  // more than an answer may have
    return;
  }
  MessagePage page;
  try {
    page = decode_message_page_in(body);
  } catch (const mail::FaultError& error) {
    page_unreadable(stream, at, body, error);
    return;
  }
  if (leads_elsewhere(stream, page.next_link)) {
    begin_anew(at);
    throw broken_answer(stream, "with a link to another server, which is not followed");
  }
  at.seen += static_cast<unsigned>(page.rows.size());
  for (const MessageRow& row : page.rows) {
    // A mail of the year 9999 must not hide those of today from the next list.
    if (row.received) stream.newest = std::max(stream.newest, std::min(*row.received, stream.core.wall()));
  }
  std::size_t news = 0;
  if (at.kind == Walk::Kind::first) {
    AtFirst sorted = skip_unwanted(stream, std::move(page.rows));
    page.rows = std::move(sorted.wanted);
    news = sorted.skipped;
  }
  const std::size_t fresh = take_rows(stream, std::move(page.rows), true);
  at.found += static_cast<unsigned>(fresh);
  pace(stream, at, news + fresh);
  const bool stuck = !page.next_link.empty() && page.next_link == at.next_link;
  const bool ended = page.next_link.empty() || stuck;
  at.next_link = std::move(page.next_link);
  if (at.own_pages && !ended) {
    at.top = std::min(Walk::page, at.top * 2);
    at.next_link = list_path(stream, at);
  }
  if (ended) walk_ended(stream);
}

}  // namespace

void walk(Stream& stream) {
  if (stream.walks.empty()) {
    begin_walks(stream);
    stream.walk_due = stream.core.now() + stream.core.jittered(stream.settings.reconcile);
    if (stream.walks.empty()) return;
  }
  walk_page(stream);
}

void poll_by_list(Stream& stream) {
  if (stream.walks.empty() || stream.walks.front().kind != Walk::Kind::poll)
    stream.walks.emplace_front(Walk::Kind::poll);
  walk_page(stream);
}

}  // namespace m365
