#include "m365/graph/delta.h"

#include <algorithm>
#include <set>

#include "m365/graph/graph_error.h"
#include "m365/mime/text.h"

namespace embedded {
namespace {

constexpr std::uint64_t kFilteredCap = 5000;  // "such a series returns at most 5,000 messages"

// Tokens of another run of this program name a world that is gone.
const std::string& run_key() {
  static const std::string key = random_bytes(16);
  return key;
}

std::string check_of(std::string_view payload) {
  return sha256(run_key() + std::string(payload)).substr(0, 9);
}

void append_removed(std::string& out, const Mailbox& mailbox, const Tombstone& gone, IdForm ids) {
  out += "{\"@odata.type\":\"#microsoft.graph.message\",\"id\":";
  append_json_string(out, encode_item_id({ids, mailbox.id(), gone.number, gone.place, 0}));
  out += ",\"@removed\":{\"reason\":\"deleted\"}}";
}

class PageWriter {
 public:
  PageWriter(DeltaState& state, Mailbox& mailbox, const Folder& folder, std::size_t size, View& view,
             bool forgets_returned)
      : state_(state), mailbox_(mailbox), folder_(folder), size_(size), view_(view) {
    if (forgets_returned && view.ids == IdForm::immutable && state.base > 0) {
      for (auto gone = folder.tombstones.upper_bound(state.base); gone != folder.tombstones.end(); ++gone) {
        if (gone->second.arrived <= state.base) forgotten_.insert(gone->second.number);
      }
    }
  }

  DeltaPage write() {
    if (state_.listing) list();
    if (!state_.listing && page_.count < size_) follow();
    if (!page_.more) {
      state_.delta_link = true;
      state_.base = std::max(state_.position, mailbox_.sequence());
      state_.position = state_.start = state_.base;
    }
    return std::move(page_);
  }

 private:
  bool wanted(const Message& message) const {
    return state_.from == 0 || message.received.time_since_epoch().count() >= state_.from;
  }

  void row(const Message& message, bool whole) {
    if (page_.count++ > 0) page_.rows += ',';
    if (!whole) {
      append_flag_row(page_.rows, mailbox_, message, view_.ids);
      return;
    }
    page_.rows += '{';
    append_message_members(page_.rows, mailbox_, message, view_);
    page_.rows += '}';
  }

  // Phase A. Full pages end with a nextLink even when nothing follows: an empty last page is legal.
  void list() {
    const auto& all = folder_.by_received;
    const auto before = [this](const Message* message, int) {
      const auto received = message->received.time_since_epoch().count();
      return received != state_.at_received ? received < state_.at_received : message->number < state_.at_number;
    };
    auto at = std::lower_bound(all.begin(), all.end(), 0, before);
    while (true) {
      if (at == all.begin() || (state_.cap != 0 && state_.reported >= state_.cap)) break;
      const Message& message = **std::prev(at);
      if (!wanted(message)) break;  // the list is in order of receiving
      if (page_.count == size_) {
        page_.more = true;
        return;
      }
      --at;
      state_.at_received = message.received.time_since_epoch().count();
      state_.at_number = message.number;
      ++state_.reported;
      row(message, true);
    }
    state_.listing = false;
    state_.position = state_.start;
    page_.more = page_.count == size_;
  }

  // Phase B: two ordered maps merged.
  void follow() {
    auto change = folder_.changes.upper_bound(state_.position);
    auto gone = folder_.tombstones.upper_bound(state_.position);
    const std::uint64_t known_until = std::max(state_.base, state_.position);
    const bool later_round = state_.base > 0;
    while (change != folder_.changes.end() || gone != folder_.tombstones.end()) {
      if (page_.count == size_) {
        page_.more = true;
        return;
      }
      const bool take_gone =
          change == folder_.changes.end() || (gone != folder_.tombstones.end() && gone->first < change->first);
      if (take_gone) {
        // What came and went without being reported is not mentioned.
        if (gone->second.arrived <= known_until && type_allows("deleted", later_round)) {
          if (page_.count++ > 0) page_.rows += ',';
          append_removed(page_.rows, mailbox_, gone->second, view_.ids);
        }
        state_.position = gone->first;
        ++gone;
      } else {
        const Message& message = *change->second;
        const bool fresh = message.arrived > state_.base;
        if (wanted(message) && type_allows(fresh ? "created" : "updated", later_round) &&
            forgotten_.count(message.number) == 0) {
          row(message, fresh || message.content_changed > state_.base);
        }
        state_.position = change->first;
        ++change;
      }
    }
    page_.more = false;
  }

  bool type_allows(std::string_view kind, bool later_round) const {
    return !later_round || state_.change_type.empty() || state_.change_type == kind;
  }

  DeltaState& state_;
  Mailbox& mailbox_;
  const Folder& folder_;
  const std::size_t size_;
  View& view_;
  std::set<std::uint64_t> forgotten_;
  DeltaPage page_;
};

}  // namespace

DeltaState begin_delta(const Query& query, const Folder& folder, std::uint64_t sequence) {
  DeltaState state;
  state.folder = folder.number;
  state.generation = folder.generation;
  state.start = sequence;
  state.listing = true;
  state.at_received = INT64_MAX;
  state.at_number = UINT64_MAX;
  state.properties = query.select ? select_properties(*query.select) : default_properties();
  if (query.search || query.skip || query.count) {
    throw bad_request("The query option is not supported with change tracking.");
  }
  if (query.filter) {
    const auto from = Filter::parse(*query.filter).received_from();
    if (!from) {
      throw GraphError(400, "ErrorInvalidUrlQueryFilter",
                       "The change tracking query supports only receivedDateTime ge or gt in $filter.");
    }
    state.from = from->time.time_since_epoch().count() + (from->inclusive ? 0 : 1);
    state.cap = kFilteredCap;
  }
  if (query.orderby) {
    const auto order = parse_orderby(*query.orderby);
    if (order.size() != 1 || order.front().property != "receivedDateTime" || !order.front().descending) {
      throw bad_request("The change tracking query supports only 'receivedDateTime desc' in $orderby.");
    }
  }
  if (query.expand) {
    const Expand expand = parse_expand(*query.expand);
    // Documented and seen to fail (section 6, $select row).
    if (!expand.property_ids.empty() || !expand.multi_property_ids.empty())
      throw GraphError(500, "ErrorInternalServerError", "An internal server error occurred.");
    state.expand_attachments = expand.attachments;
  }
  // "$top: it has been seen to cap the whole series".
  if (query.top) state.cap = state.cap == 0 ? *query.top : std::min<std::uint64_t>(state.cap, *query.top);
  state.change_type = query.change_type.value_or(std::string());
  return state;
}

std::string encode_delta_token(const DeltaState& state) {
  std::string payload;
  const auto put = [&payload](std::int64_t value) { payload += std::to_string(value) + ' '; };
  put(state.delta_link ? 1 : 0);
  for (const std::uint64_t value : {state.folder, state.generation, state.base, state.start})
    put(static_cast<std::int64_t>(value));
  put(state.listing ? 1 : 0);
  put(state.at_received);
  for (const std::uint64_t value : {state.at_number, state.position, state.reported, state.properties}) {
    put(static_cast<std::int64_t>(value));
  }
  put(state.from);
  put(static_cast<std::int64_t>(state.cap));
  put(state.expand_attachments ? 1 : 0);
  payload += state.change_type;
  return base64url_encode(check_of(payload) + payload);
}

DeltaState decode_delta_token(std::string_view token, bool delta_link, const Folder& folder) {
  const auto bytes = base64url_decode(token);
  if (!bytes || bytes->size() < 20) throw GraphError(400, "BadRequest", "Badly formed token.");
  const std::string payload = bytes->substr(9);
  const auto lost = [&folder] {
    return GraphError(410, "SyncStateNotFound",
                      "The sync state generation is not found; generation=" + std::to_string(folder.generation) + ".");
  };
  if (bytes->substr(0, 9) != check_of(payload)) throw lost();
  const auto words = split(payload, ' ');
  std::size_t at = 0;
  const auto take = [&] { return static_cast<std::uint64_t>(std::stoll(words.at(at++))); };
  DeltaState state;
  state.delta_link = take() != 0;
  state.folder = take();
  state.generation = take();
  state.base = take();
  state.start = take();
  state.listing = take() != 0;
  state.at_received = static_cast<std::int64_t>(take());
  state.at_number = take();
  state.position = take();
  state.reported = take();
  state.properties = take();
  state.from = static_cast<std::int64_t>(take());
  state.cap = take();
  state.expand_attachments = take() != 0;
  state.change_type = words.at(at);
  if (state.delta_link != delta_link || state.folder != folder.number) {
    throw GraphError(400, "BadRequest", "The token does not belong to this request.");
  }
  if (state.generation != folder.generation) throw lost();
  return state;
}

DeltaPage next_delta_page(DeltaState& state, Mailbox& mailbox, const Folder& folder, std::size_t size, View view,
                          bool forgets_returned) {
  state.delta_link = false;
  view.properties = state.properties;
  view.type_always = true;
  view.expand.attachments = state.expand_attachments;
  return PageWriter(state, mailbox, folder, size, view, forgets_returned).write();
}

}  // namespace embedded
