// messages: list, delta, read, change, move, delete. graph-mail.md sections 5 to 8 and 12.
#include <algorithm>

#include "m365/graph/call.h"
#include "m365/graph/delta.h"
#include "m365/graph/draft.h"
#include "m365/graph/search.h"
#include "m365/mime/mime_write.h"
#include "m365/mime/text.h"
#include "m365/world/world.h"

namespace embedded {
namespace {

constexpr std::string_view kListOptions = "$select,$filter,$orderby,$top,$skip,$count,$expand,$search";
constexpr std::size_t kSearchLimit = 250;

bool order_before(const OrderTerm& term, const Message& a, const Message& b, bool& decided) {
  const auto compare = [&](const auto& x, const auto& y) {
    decided = !(x == y);
    return term.descending ? y < x : x < y;
  };
  const auto address = [](const Message& m) { return m.from ? lower(m.from->address) : std::string(); };
  const auto name = [](const Message& m) { return m.from ? lower(m.from->name) : std::string(); };
  if (term.property == "receivedDateTime") return compare(a.received, b.received);
  if (term.property == "sentDateTime") return compare(a.sent_time, b.sent_time);
  if (term.property == "createdDateTime") return compare(a.created, b.created);
  if (term.property == "lastModifiedDateTime") return compare(a.modified, b.modified);
  if (term.property == "subject") return compare(lower(a.subject.value_or("")), lower(b.subject.value_or("")));
  if (term.property == "isRead") return compare(a.is_read, b.is_read);
  if (term.property == "importance") return compare(a.importance, b.importance);
  if (term.property == "from/emailAddress/name") return compare(name(a), name(b));
  return compare(address(a), address(b));
}

// The messages a list speaks of, newest first unless ordered otherwise.
class Listing {
 public:
  Listing(World& world, Mailbox& mailbox, Folder* folder, const Query& query) : mailbox_(mailbox), folder_(folder) {
    if (query.filter) filter_ = Filter::parse(*query.filter);
    if (query.orderby) order_ = parse_orderby(*query.orderby);
    if (filter_ && !order_.empty()) check_order_and_filter(order_, *filter_);
    if (query.search) {
      if (query.filter || query.orderby || query.count) {
        throw bad_request("The query parameter '$search' cannot be combined with '$filter', '$orderby' or '$count'.");
      }
      words_ = Search::parse(*query.search);
    }
    now_ = world.clock.now();
  }

  // True when the folder's own order is the answer: then a page costs what it holds, however large the folder.
  bool is_plain() const {
    const bool natural = order_.empty() || (order_.size() == 1 && order_[0].property == "receivedDateTime");
    return folder_ != nullptr && !filter_ && !words_ && natural;
  }

  std::size_t plain_size() const { return folder_->by_received.size(); }
  const Message* plain_at(std::size_t index) const {
    const bool ascending = !order_.empty() && !order_[0].descending;
    const auto& all = folder_->by_received;
    return ascending ? all[index] : all[all.size() - 1 - index];
  }

  std::vector<const Message*> collect() {
    std::vector<const Message*> found;
    const auto consider = [&](const Message* message) {
      if (folder_ != nullptr && message->folder != folder_) return;
      // A search that lags does not see what was stored just now.
      if ((filter_ || words_) && message->findable_from > now_) return;
      if (filter_ && !filter_->matches(mailbox_, *message)) return;
      if (words_ && !words_->finds(*message)) return;
      found.push_back(message);
    };
    if (filter_ && filter_->equality()) {
      const auto& equality = *filter_->equality();
      for (const Message* message : equality.property == "internetMessageId"
                                        ? mailbox_.by_internet_message_id(equality.value)
                                        : mailbox_.by_property(equality.property, equality.value)) {
        consider(message);
      }
    } else {
      for (Folder* folder : folder_ != nullptr ? std::vector<Folder*>{folder_} : mailbox_.folders()) {
        for (const Message* message : folder->by_received) consider(message);
      }
    }
    sort(found);
    if (words_ && found.size() > kSearchLimit) found.resize(kSearchLimit);
    return found;
  }

 private:
  void sort(std::vector<const Message*>& found) const {
    const std::vector<OrderTerm> order = order_.empty() ? std::vector<OrderTerm>{{"receivedDateTime", true}} : order_;
    std::sort(found.begin(), found.end(), [&](const Message* a, const Message* b) {
      for (const auto& term : order) {
        bool decided = false;
        const bool before = order_before(term, *a, *b, decided);
        if (decided) return before;
      }
      return order.front().descending ? a->number > b->number : a->number < b->number;
    });
  }

  Mailbox& mailbox_;
  Folder* folder_;
  std::optional<Filter> filter_;
  std::vector<OrderTerm> order_;
  std::optional<Search> words_;
  Time now_{};
};

HttpResponse list(World& world, Call& call, Mailbox& mailbox, Folder* folder) {
  const Query query = parse_query(call.query(), kListOptions);
  Listing listing(world, mailbox, folder, query);
  View view = call.view();
  if (query.select) view.properties = select_properties(*query.select);
  if (query.expand) view.expand = parse_expand(*query.expand);
  std::vector<const Message*> found;
  const bool plain = listing.is_plain();
  if (!plain) found = listing.collect();
  const std::size_t total = plain ? listing.plain_size() : found.size();
  const std::size_t skip = std::min(query.skip.value_or(0), total);
  const std::size_t end = std::min(total, skip + query.top.value_or(call.prefer.page_size.value_or(10)));

  std::string out = "{\"@odata.context\":";
  append_json_string(
      out,
      call.context(world, folder != nullptr ? "mailFolders('" + percent_encode(mailbox.id_of(*folder)) + "')/messages"
                                            : "messages"));
  if (query.count) out += ",\"@odata.count\":" + std::to_string(total);
  out += ",\"value\":[";
  for (std::size_t i = skip; i < end; ++i) {
    if (i > skip) out += ',';
    out += '{';
    append_message_members(out, mailbox, plain ? *listing.plain_at(i) : *found[i], view);
    out += '}';
  }
  out += ']';
  if (end < total) {
    std::string next = world.origin + std::string(call.request->path()) + "?";
    for (const auto& [name, value] : parse_form(call.query(), true)) {
      if (!equal_ignoring_case(name, "$skip")) next += name + "=" + percent_encode(value) + "&";
    }
    out += ",\"@odata.nextLink\":";
    append_json_string(out, next + "$skip=" + std::to_string(end));
  }
  return json_response(200, out + "}");
}

HttpResponse list_mailbox(World& world, Call& call) {
  const auto lock = call.mailbox().lock();
  return list(world, call, call.mailbox(), nullptr);
}

HttpResponse list_folder(World& world, Call& call) {
  const auto lock = call.mailbox().lock();
  return list(world, call, call.mailbox(), &folder_of(call.mailbox(), call.parameters[0]));
}

HttpResponse count(World& world, Call& call, Folder* folder) {
  const Query query = parse_query(call.query(), "$filter,$search");
  Listing listing(world, call.mailbox(), folder, query);
  HttpResponse response;
  response.headers.add("Content-Type", "text/plain");
  response.body = std::to_string(listing.is_plain() ? listing.plain_size() : listing.collect().size());
  return response;
}

HttpResponse count_mailbox(World& world, Call& call) {
  const auto lock = call.mailbox().lock();
  return count(world, call, nullptr);
}

HttpResponse count_folder(World& world, Call& call) {
  const auto lock = call.mailbox().lock();
  return count(world, call, &folder_of(call.mailbox(), call.parameters[0]));
}

HttpResponse delta(World& world, Call& call) {
  const Query query = parse_query(
      call.query(), "$select,$filter,$orderby,$top,$skip,$count,$search,$expand,$skiptoken,$deltatoken,changetype");
  Mailbox& mailbox = call.mailbox();
  const auto lock = mailbox.lock();
  const Folder& folder = folder_of(mailbox, call.parameters[0]);
  if (mailbox.options.quota_exceeded && mailbox.options.quota_blocks_reading) check_quota(mailbox);
  DeltaState state;
  if (query.skiptoken || query.deltatoken) {
    if (query.select || query.filter || query.orderby || query.top || query.expand || query.change_type) {
      throw bad_request("Query options belong into the first request of a series; afterwards the token has them.");
    }
    if (query.deltatoken && *query.deltatoken == "latest") {
      throw bad_request("$deltatoken=latest is not supported for messages.");
    }
    state = decode_delta_token(query.deltatoken ? *query.deltatoken : *query.skiptoken, query.deltatoken.has_value(),
                               folder);
  } else {
    state = begin_delta(query, folder, mailbox.sequence());
  }
  const DeltaPage page = next_delta_page(state, mailbox, folder, call.prefer.page_size.value_or(10), call.view(),
                                         world.behaviour.delta_forgets_returned);
  std::string out = "{\"@odata.context\":";
  append_json_string(out, world.origin + "/v1.0/$metadata#Collection(message)");
  out += page.more ? ",\"@odata.nextLink\":" : ",\"@odata.deltaLink\":";
  append_json_string(out, world.origin + "/v1.0/users('" + percent_encode(call.owner->id) + "')/mailFolders('" +
                              percent_encode(mailbox.id_of(folder)) + "')/messages/delta?" +
                              (page.more ? "$skiptoken=" : "$deltatoken=") + encode_delta_token(state));
  out += ",\"value\":[";
  out += page.rows;
  return json_response(200, out + "]}");
}

HttpResponse delta_mailbox(World&, Call&) {
  throw GraphError(400, "ErrorInvalidUrlQuery", "Change tracking is not supported against 'microsoft.graph.message'.");
}

HttpResponse get_message(World& world, Call& call) {
  const Query query = parse_query(call.query(), "$select,$expand");
  View view = call.view();
  if (query.select) view.properties = select_properties(*query.select);
  if (query.expand) view.expand = parse_expand(*query.expand);
  Mailbox& mailbox = call.mailbox();
  const auto lock = mailbox.lock();
  const Message& message = message_of(mailbox, call.parameters[0]);
  std::string shown = "messages";
  if (query.select) shown += "(" + join(*query.select, ",") + ")";
  return json_response(200, message_json(mailbox, message, view, call.context(world, shown + "/$entity")));
}

// The whole message as MIME: chunked text/plain (what-users-ask.md 2.5).
HttpResponse get_mime(World& world, Call& call) {
  Mailbox& mailbox = call.mailbox();
  const auto lock = mailbox.lock();
  const Message& message = message_of(mailbox, call.parameters[0]);
  HttpResponse response;
  response.headers.add("Content-Type", "text/plain");
  response.chunked = true;
  if (message.mime) {
    response.shared_body = message.mime;
  } else {
    Message whole = message;
    if (!whole.from) whole.from = Address{call.owner->display_name, call.owner->primary_address()};
    if (whole.sent_time == Time{}) whole.sent_time = world.clock.second();
    response.body = write_mime(whole);
  }
  return response;
}

HttpResponse patch(World& world, Call& call) {
  const Json body = call.json_body();
  Mailbox& mailbox = call.mailbox();
  std::string answer;
  std::optional<Content> receipt;
  {
    const auto lock = mailbox.lock();
    Message& message = message_of(mailbox, call.parameters[0]);
    if (const std::string* match = call.request->headers.find("If-Match")) {
      if (*match != "*" && *match != "W/\"" + mailbox.change_key(message) + "\"") {
        throw GraphError(412, "ErrorIrresolvableConflict",
                         "The send or update operation could not be performed because the "
                         "change key passed in the request does not match the current change key for the item.");
      }
    }
    check_quota(mailbox);
    Message changed = message;
    const PatchResult result = patch_message(changed, body);
    const bool asked = message.read_receipt_requested;
    if (result.content) {
      mailbox.unindex(message);
      message = std::move(changed);
    }
    mailbox.touch(message, result.content);
    if (result.read) {
      // Section 12: marking read sends a requested receipt; the same PATCH may take the request back.
      const bool kept = world.behaviour.patch_suppresses_receipt ? message.read_receipt_requested : asked;
      if (*result.read && !message.is_read && kept && !message.receipt_sent && !message.receipt_to.empty() &&
          !message.is_draft) {
        message.receipt_sent = true;
        receipt = message;
      }
      mailbox.set_read(message, *result.read);
    }
    if (!call.prefer.minimal)
      answer = message_json(mailbox, message, call.view(), call.context(world, "messages/$entity"));
  }
  if (receipt) world.transport.send_read_receipt(*call.owner, *receipt);
  if (call.prefer.minimal) {
    HttpResponse response;
    response.status = 204;
    return response;
  }
  return json_response(200, std::move(answer));
}

HttpResponse move(World& world, Call& call) {
  const Json body = call.json_body();
  Mailbox& mailbox = call.mailbox();
  const auto lock = mailbox.lock();
  Message& message = message_of(mailbox, call.parameters[0]);
  Folder& to = destination_of(mailbox, body);
  mailbox.search_lag = Milliseconds(world.behaviour.search_lag_ms);
  mailbox.move(message, &to);
  View view = call.view();
  view.type_always = true;
  return json_response(201, message_json(mailbox, message, view, world.origin + "/v1.0/$metadata#message"));
}

HttpResponse copy(World& world, Call& call) {
  const Json body = call.json_body();
  Mailbox& mailbox = call.mailbox();
  const auto lock = mailbox.lock();
  const Message& message = message_of(mailbox, call.parameters[0]);
  check_quota(mailbox);
  mailbox.search_lag = Milliseconds(world.behaviour.search_lag_ms);
  const Message& fresh = mailbox.copy(message, &destination_of(mailbox, body));
  View view = call.view();
  view.type_always = true;
  return json_response(201, message_json(mailbox, fresh, view, world.origin + "/v1.0/$metadata#message"));
}

HttpResponse no_content() {
  HttpResponse response;
  response.status = 204;
  return response;
}

HttpResponse remove_message(World&, Call& call) {
  Mailbox& mailbox = call.mailbox();
  const auto lock = mailbox.lock();
  const auto id = decode_item_id(call.parameters[0]);
  if (id && id->form == IdForm::immutable && id->mailbox == mailbox.id()) {
    // Section 7: an item already deleted, asked for by its immutable id.
    const Message* message = mailbox.find(id->message);
    if (message == nullptr || message->folder->well_known == "recoverableitemsdeletions") {
      throw GraphError(403, "ErrorCannotDeleteObject", "Object cannot be deleted.");
    }
  }
  Message& message = message_of(mailbox, call.parameters[0]);
  const std::string& place = message.folder->well_known;
  if (place == "recoverableitemsdeletions")
    throw GraphError(403, "ErrorCannotDeleteObject", "Object cannot be deleted.");
  // The first time to Deleted Items, from there to Recoverable Items.
  mailbox.move(message, mailbox.well_known(place == "deleteditems" ? "recoverableitemsdeletions" : "deleteditems"));
  return no_content();
}

HttpResponse remove_for_good(World&, Call& call) {
  Mailbox& mailbox = call.mailbox();
  const auto lock = mailbox.lock();
  mailbox.erase(message_of(mailbox, call.parameters[0]));
  return no_content();
}

}  // namespace

const std::vector<Route>& message_routes() {
  static const std::vector<Route> routes = {
      {"GET", "mailFolders/{}/messages/delta", "messages.delta", Need::read, delta},
      {"GET", "mailFolders/{}/messages/$count", "messages.count", Need::read, count_folder},
      {"GET", "mailFolders/{}/messages", "messages.list", Need::read, list_folder},
      {"GET", "messages/delta", "messages.delta", Need::read, delta_mailbox},
      {"GET", "messages/$count", "messages.count", Need::read, count_mailbox},
      {"GET", "messages", "messages.list", Need::read, list_mailbox},
      {"GET", "messages/{}", "messages.get", Need::read, get_message},
      {"GET", "messages/{}/$value", "messages.mime", Need::read, get_mime},
      {"PATCH", "messages/{}", "messages.update", Need::write, patch},
      {"DELETE", "messages/{}", "messages.delete", Need::write, remove_message},
      {"POST", "messages/{}/move", "messages.move", Need::write, move},
      {"POST", "messages/{}/copy", "messages.copy", Need::write, copy},
      {"POST", "messages/{}/permanentDelete", "messages.purge", Need::write, remove_for_good},
  };
  return routes;
}

}  // namespace embedded
