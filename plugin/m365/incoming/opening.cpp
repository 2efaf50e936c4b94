#include "m365/incoming/opening.h"

#include <utility>

#include "http/http_date.h"
#include "m365/incoming/folder_finder.h"
#include "m365/settings/server_settings_values.h"

namespace m365 {
namespace {

using mail::Cause;
using mail::Level;
using mail::Remedy;

// Where the id of a folder is kept, so that renaming it does no harm: a stream of this name in the state file whose
// "delta_link" is the id.
store::StreamKey id_memory(const Stream& stream) {
  return {lower(stream.core.settings.tenant.tenant),
          "folder of " + lower(stream.settings.user) + ": " + stream.settings.folder};
}

std::string remembered_id(Stream& stream) {
  const std::shared_ptr<store::Store> store = stream.core.store();
  return store->cursor(store->stream(id_memory(stream))).delta_link;
}

void remember_id(Stream& stream, const std::string& id) {
  const std::shared_ptr<store::Store> store = stream.core.store();
  const store::StreamId memory = store->stream(id_memory(stream));
  store::Cursor cursor = store->cursor(memory);
  if (cursor.delta_link == id) return;
  cursor.delta_link = id;
  store->save_cursor(memory, cursor);
}

FolderFinder finder(Stream& stream) {
  return FolderFinder(stream.graph(), stream.settings.user, stream.address(), stream.token());
}

std::string start_text(const MailboxSettings& settings) {
  return settings.start_time ? format_time(*settings.start_time) : settings.start_from;
}

// The service's own clock: what it stamps mails with. Ours may be minutes off.
mail::WallTime service_time(const Stream& stream, const http::Headers& headers) {
  if (const auto date = http::parse_http_date(headers.get("Date")))
    return std::chrono::time_point_cast<std::chrono::milliseconds>(*date);
  return stream.core.wall();
}

mail::Fault first_fetch_fault(const Stream& stream, std::int64_t number) {
  mail::Fault fault;
  fault.cause = Cause::first_fetch;
  fault.remedy = Remedy::administrator;
  fault.text = stream.address() + ": the first opening of this folder would hand over " + std::to_string(number) +
               " unread mails, more than first_fetch_limit (" + std::to_string(stream.settings.first_fetch_limit) +
               "). None of them is handed over; mail that arrives from now on is. Set start_from to \"all\" or to a "
               "time, or raise first_fetch_limit (0 = none).";
  return fault;
}

// Only "unread", the default, can surprise: "all" and a time are the administrator's own word.
void decide_first_fetch(Stream& stream, const FolderRow& folder) {
  const unsigned limit = stream.settings.first_fetch_limit;
  const bool too_many = stream.cursor.start_from == "unread" && limit != 0 && folder.unread > limit;
  stream.cursor.first_fetch_decided = !too_many;
  if (too_many) {
    stream.health.degraded(Aspect::notice, first_fetch_fault(stream, folder.unread), {}, stream.core.wall());
  } else {
    stream.health.clear(Aspect::notice, stream.core.wall());
  }
}

void decide_start(Stream& stream, const FolderRow& folder, const http::Headers& headers, store::StreamId id) {
  const std::shared_ptr<store::Store> store = stream.core.store();
  stream.cursor = store->cursor(id);
  const store::Cursor before = stream.cursor;
  // The Graph endpoint was changed: its old links are refused, so the folder is read anew and the receipts absorb.
  if (leads_elsewhere(stream, stream.cursor.next_link) || leads_elsewhere(stream, stream.cursor.delta_link)) {
    stream.cursor.next_link.clear();
    stream.cursor.delta_link.clear();
  }
  if (stream.cursor.opened == mail::WallTime{}) {
    stream.cursor.opened = service_time(stream, headers);
    stream.cursor.start_from = start_text(stream.settings);
    decide_first_fetch(stream, folder);
  } else if (!stream.cursor.first_fetch_decided) {
    stream.cursor.start_from = start_text(stream.settings);
    decide_first_fetch(stream, folder);
  }
  // "all" needs no list of what is to be left out.
  if (stream.cursor.first_fetch_decided && stream.cursor.start_from == "all" && !stream.lists_instead &&
      stream.cursor.reconciled_whole == mail::WallTime{})
    stream.cursor.reconciled_whole = stream.core.wall();
  if (!(stream.cursor == before)) store->save_cursor(id, stream.cursor);
}

// The time of the newest_by_delta-th newest mail.
std::optional<mail::WallTime> time_of_recent(Stream& stream, const std::string& folder_id) {
  GraphRequest request;
  request.path = user_path(stream.settings.user) + "/mailFolders/" + http::percent_encode(folder_id) +
                 "/messages?$select=" + thin_select + "&$orderby=" + http::percent_encode("receivedDateTime desc") +
                 "&$top=1&$skip=" + std::to_string(newest_by_delta);
  request.operation = "list the folder";
  request.mailbox = stream.settings.user;
  const MessagePage page = decode_message_page(stream.graph().send(request, stream.token()).body);
  return page.rows.empty() ? std::nullopt : page.rows.front().received;
}

// A new series in a long folder begins with the newest mails; a list proves the rest.
void plan_series(Stream& stream, const FolderRow& folder) {
  stream.series_since.reset();
  const store::Cursor& cursor = stream.cursor;
  const bool series_begun = !cursor.delta_link.empty() || !cursor.next_link.empty();
  // A first series that hands most of the folder over is read whole: a page of fifty costs less than fifty GETs.
  const bool many_unread = cursor.start_from == "unread" && folder.unread > newest_by_delta;
  const bool wants_all = (cursor.start_from == "all" || many_unread) && !stream.round_done;
  if (series_begun || stream.lists_instead || folder.total <= long_folder || wants_all) return;
  try {
    stream.series_since = time_of_recent(stream, folder.id);
  } catch (const GraphError& error) {
    if (error.status() != 400 && error.status() != 501) throw;  // then the series is read from its beginning
  }
}

void plan_walks(Stream& stream) {
  stream.walks.clear();
  const store::Cursor& cursor = stream.cursor;
  if (first_fetch_held(stream)) return;
  if (cursor.reconciled_whole == mail::WallTime{}) {
    stream.walks.emplace_back(Walk::Kind::first);
  } else if (stream.series_since) {
    stream.walks.emplace_back(Walk::Kind::whole);
  }
}

void refuse_shared(Stream& stream, const FolderRow& folder, const std::string& other) {
  throw mail::FaultError(shared_folder(stream.address(), other, folder.name));
}

}  // namespace

bool leads_elsewhere(const Stream& stream, const std::string& link) {
  return !link.empty() && http::origin_of(link) != http::origin_of(stream.graph().graph_origin());
}

bool first_fetch_held(const Stream& stream) {
  return !stream.cursor.first_fetch_decided;
}

bool wanted_at_first(const Stream& stream, const MessageRow& row) {
  const store::Cursor& cursor = stream.cursor;
  if (!row.received || *row.received >= cursor.opened) return true;
  if (cursor.start_from == "all") return true;
  if (cursor.start_from == "now") return false;
  if (cursor.start_from == "unread") return !row.is_read.value_or(false);
  const auto from = parse_time(cursor.start_from);
  return !from || *row.received >= *from;
}

std::optional<GraphRequest> opening_request(Stream& stream) {
  if (FolderFinder::well_known(stream.settings.folder))
    return finder(stream).folder_request(lower(stream.settings.folder));
  const std::string id = remembered_id(stream);
  if (id.empty()) return std::nullopt;
  return finder(stream).folder_request(id);
}

void open_with(Stream& stream, const FolderRow& folder, const http::Headers& headers) {
  const store::StreamKey key{lower(stream.core.settings.tenant.tenant), folder.id};
  const std::string other = stream.core.parts.folders->claim(key, &stream, stream.address());
  if (!other.empty()) refuse_shared(stream, folder, other);
  const std::shared_ptr<store::Store> store = stream.core.store();
  const bool new_folder = !FolderFinder::well_known(stream.settings.folder);
  if (new_folder) remember_id(stream, folder.id);

  auto identity = std::make_shared<FolderIdentity>();
  identity->stream = store->stream(key);
  identity->id = folder.id;
  identity->name = folder.name;
  identity->parent_id = folder.parent_id;
  if (!stream.core.settings.tenant.delta_offered) {
    stream.lists_instead = true;
    stream.delta_again = mail::SteadyTime::max();
  }
  decide_start(stream, folder, headers, identity->stream);
  plan_series(stream, folder);
  plan_walks(stream);
  const std::size_t marks = store->to_mark_count(identity->stream, 1);
  bool incident_stands = false;
  for (const store::SetAside& aside : store->asides(identity->stream))
    incident_stands = incident_stands || from_reason(aside.reason).kind == AsideKind::refused;
  {
    const std::lock_guard lock(stream.mutex);
    stream.folder = identity;
    stream.marks_waiting = stream.marks_waiting || marks > 0;
    // An incident of before the restart: one mail tells whether it is over.
    if (incident_stands && !stream.guard.tripped())
      stream.guard.trip(RefusalGuard::Incident::host_refuses, stream.core.now());
  }
  if (!stream.opened && !stream.begun) {
    stream.note(Level::info, "opened the folder \"" + folder.name + "\" with " + std::to_string(folder.total) +
                                 " mails, " + std::to_string(folder.unread) + " unread" +
                                 (marks > 0 ? "; " + std::to_string(marks) + " still to be marked" : std::string()));
  }
  stream.asides_stale = true;
  stream.opened = stream.begun = true;
  // Spread: ten thousand mailboxes do not reconcile at once.
  if (stream.walk_due == mail::SteadyTime{}) {
    const auto interval = std::chrono::duration_cast<std::chrono::milliseconds>(stream.settings.reconcile);
    stream.walk_due =
        stream.core.now() + interval / 2 +
        std::chrono::milliseconds(stream.core.random.below(static_cast<std::uint64_t>(interval.count() / 2 + 1)));
  }
}

void open_stream(Stream& stream) {
  if (const std::optional<GraphRequest> request = opening_request(stream)) {
    try {
      const http::Response answer = stream.graph().send(*request, stream.token());
      open_with(stream, decode_folder(answer.body), answer.headers);
      return;
    } catch (const GraphError& error) {
      if (!tells_folder_missing(error)) throw;
      // The id is of a folder that was deleted; perhaps there is a new one of this name.
      if (FolderFinder::well_known(stream.settings.folder))
        throw mail::FaultError(folder_missing(stream.address(), stream.settings.folder, {}));
    }
  }
  open_with(stream, finder(stream).find(stream.settings.folder), {});
}

void restart_series(Stream& stream, const std::string& why) {
  stream.note(Level::info, "the folder is read anew from its beginning (" + why +
                               "); what was handed over before is known and stays so");
  stream.cursor.delta_link.clear();
  stream.cursor.next_link.clear();
  stream.core.store()->save_cursor(stream.identity()->stream, stream.cursor);
  stream.opened = false;
}

}  // namespace m365
