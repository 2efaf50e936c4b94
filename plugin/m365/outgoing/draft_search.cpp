#include "m365/outgoing/draft_search.h"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <algorithm>

#include "m365/outgoing/draft_message.h"
#include "m365/outgoing/submission_text.h"

namespace m365 {
namespace {

using Poco::JSON::Array;
using Poco::JSON::Object;

const char* const sighting_select =
    "$select=id,isDraft,parentFolderId,internetMessageId,conversationId,receivedDateTime";

// No submission has it: a search for it finds nothing, unless the filter is not heeded.
constexpr const char* nobodys_key = "0b1c4f1e-7a52-4f0e-8b93-2f3c5d6e7a80";

// Clocks of two machines differ, and ours may be set while we run.
constexpr std::chrono::hours clock_margin{1};

std::string text(const Object::Ptr& object, const std::string& name) {
  const Poco::Dynamic::Var value = object->get(name);
  return value.isString() ? value.toString() : std::string();
}

// Everything can be null or missing, and a flag has been seen as a text (section 3).
std::optional<bool> flag(const Object::Ptr& object, const std::string& name) {
  const Poco::Dynamic::Var value = object->get(name);
  if (value.isBoolean()) return value.convert<bool>();
  const std::string word = text(object, name);
  if (equal_without_case(word, "true")) return true;
  if (equal_without_case(word, "false")) return false;
  return std::nullopt;
}

Sighting sighting(const Object::Ptr& row) {
  return {text(row, "id"), text(row, "parentFolderId"), text(row, "internetMessageId"), text(row, "conversationId"),
          flag(row, "isDraft")};
}

enum class Key { ours, other, not_shown };

// A search by value ignores case (section 13), and keys that differ in case only are two submissions: the expanded
// property decides. Graph may write its id in another form, so the value alone is compared.
Key key_of(const Object::Ptr& row, const std::string& key) {
  const Array::Ptr properties = row->getArray("singleValueExtendedProperties");
  if (properties.isNull() || properties->size() == 0) return Key::not_shown;
  for (std::size_t i = 0; i < properties->size(); ++i) {
    const Object::Ptr property = properties->getObject(static_cast<unsigned>(i));
    if (!property.isNull() && text(property, "value") == key) return Key::ours;
  }
  return Key::other;
}

Object::Ptr parse_object(const std::string& json, const std::string& mailbox) {
  try {
    if (auto object = Poco::JSON::Parser().parse(json).extract<Object::Ptr>()) return object;
  } catch (const std::exception&) {
    // told below
  }
  throw failure(mail::Cause::service_fault, mail::Remedy::wait,
                "Microsoft 365 answered a look into the mailbox " + mailbox + " with something that is not JSON.");
}

}  // namespace

Sighting read_sighting(const std::string& json, const std::string& mailbox) {
  return sighting(parse_object(json, mailbox));
}

DraftSearch::DraftSearch(const SubmissionContext& context, std::string mailbox, std::string key, mail::WallTime since)
    : context_(context),
      mailbox_(std::move(mailbox)),
      user_(user_path(mailbox_)),
      key_(std::move(key)),
      since_(since - clock_margin) {}

std::string DraftSearch::get(const std::string& path, const char* operation, std::stop_token stop) const {
  return context_.graph.send(sending_request("GET", user_ + path, mailbox_, operation), stop).body;
}

std::optional<Sighting> DraftSearch::by_id(const std::string& id, std::stop_token stop) const {
  if (id.empty()) return std::nullopt;
  try {
    return read_sighting(get("/messages/" + http::percent_encode(id) + "?" + sighting_select, "look for a draft", stop),
                         mailbox_);
  } catch (const GraphError& error) {
    // Until it is in Sent Items, or for ever where the id changes on sending (section 7).
    if (error.not_found()) return std::nullopt;
    throw;
  }
}

// The answer to a search of a folder for the property with this value; empty when it may not be searched, or not so.
std::string DraftSearch::search(const char* folder, const std::string& value, std::stop_token stop) const {
  const std::string property = odata_literal(submission_property);
  const std::string with_key =
      "singleValueExtendedProperties/Any(ep: ep/id eq " + property + " and ep/value eq " + odata_literal(value) + ")";
  const std::string base = std::string("/mailFolders/") + folder + "/messages?" + sighting_select +
                           "&$expand=singleValueExtendedProperties(" +
                           http::percent_encode("$filter=id eq " + property) + ")&$top=10&$filter=";
  // Newest first since the submission: the bound keeps the search small in a full Sent Items. Each property of $orderby
  // has to stand first in $filter (section 5).
  const std::string bounded = base +
                              http::percent_encode("receivedDateTime ge " + format_time(since_) + " and " + with_key) +
                              "&$orderby=" + http::percent_encode("receivedDateTime desc");
  try {
    try {
      return get(bounded, "look for a submission", stop);
    } catch (const GraphError& error) {
      if (error.status() != 400) throw;
      return get(base + http::percent_encode(with_key), "look for a submission", stop);  // InefficientFilter
    }
  } catch (const GraphError& error) {
    const bool not_offered = error.status() == 501;
    if (!not_offered &&
        (error.status() >= 500 || error.status() == 429 || error.status() == 408 || error.status() == 401))
      throw;
    context_.log.write(mail::Level::warning, context_.source,
                       std::string(folder) + " of " + mailbox_ + " could not be searched: " + error.what() +
                           " (request-id " + error.fault().request_id + ")");
    return {};
  }
}

std::vector<Sighting> DraftSearch::by_key(const char* folder, std::stop_token stop) const {
  const std::string json = search(folder, key_, stop);
  if (json.empty()) return {};
  std::vector<Sighting> ours, unproved;
  const Array::Ptr rows = parse_object(json, mailbox_)->getArray("value");
  for (std::size_t i = 0; !rows.isNull() && i < rows->size(); ++i) {
    const Object::Ptr row = rows->getObject(static_cast<unsigned>(i));
    if (row.isNull()) continue;
    const std::optional<mail::WallTime> received = parse_time(text(row, "receivedDateTime"));
    if (received && *received < since_) continue;
    const Key key = key_of(row, key_);
    if (key == Key::ours) ours.push_back(sighting(row));
    if (key == Key::not_shown) unproved.push_back(sighting(row));
  }
  if (!ours.empty() || unproved.empty()) return ours;
  // Found, but without the property that was to come along: either that is not shown here, or the filter was not heeded
  // (as section 5 knows it of attachments), and then these are any mails, which say nothing of this submission.
  const std::string control = search(folder, key_ + " " + nobodys_key, stop);
  if (control.empty()) return {};
  const Array::Ptr found = parse_object(control, mailbox_)->getArray("value");
  return found.isNull() || found->size() == 0 ? unproved : std::vector<Sighting>();
}

Look DraftSearch::look(const std::string& draft_id, std::stop_token stop) const {
  Look out;
  const std::optional<Sighting> own = by_id(draft_id, stop);
  if (own && own->is_draft == false) {
    out.left = own;
    return out;
  }
  for (const char* folder : {"sentitems", "outbox"}) {
    const std::vector<Sighting> found = by_key(folder, stop);
    if (!found.empty()) {
      out.left = found.front();
      return out;
    }
  }
  out.drafts = by_key("drafts", stop);
  if (own) {
    out.own_draft_stands =
        std::any_of(out.drafts.begin(), out.drafts.end(), [&](const Sighting& draft) { return draft.id == own->id; }) ||
        decode_folder(get("/mailFolders/drafts?$select=id", "look at Drafts", stop)).id == own->folder_id;
  }
  return out;
}

std::optional<Sighting> DraftSearch::sent(const std::string& draft_id, std::stop_token stop) const {
  const std::optional<Sighting> own = by_id(draft_id, stop);
  if (own && own->is_draft == false) return own;
  const std::vector<Sighting> found = by_key("sentitems", stop);
  return found.empty() ? std::nullopt : std::optional(found.front());
}

std::string DraftSearch::answered_mail(const std::string& internet_message_id, std::stop_token stop) const {
  const std::string filter = "internetMessageId eq " + odata_literal(internet_message_id);
  const std::string json = get("/messages?$select=id,isDraft&$top=5&$filter=" + http::percent_encode(filter),
                               "look for the answered mail", stop);
  const Array::Ptr rows = parse_object(json, mailbox_)->getArray("value");
  for (std::size_t i = 0; !rows.isNull() && i < rows->size(); ++i) {
    const Object::Ptr row = rows->getObject(static_cast<unsigned>(i));
    // createReply on a draft fails (section 10.4).
    if (!row.isNull() && !sighting(row).is_draft.value_or(false)) return sighting(row).id;
  }
  return {};
}

std::vector<AttachmentRow> DraftSearch::attachments(const std::string& draft_id, std::stop_token stop) const {
  std::vector<AttachmentRow> out;
  std::string path =
      user_ + "/messages/" + http::percent_encode(draft_id) + "/attachments?$select=id,name,contentType,size,isInline";
  while (!path.empty()) {
    AttachmentPage page = decode_attachment_page(
        context_.graph.send(sending_request("GET", path, mailbox_, "list a draft's attachments"), stop).body);
    out.insert(out.end(), page.rows.begin(), page.rows.end());
    path = std::move(page.next_link);
  }
  return out;
}

bool DraftSearch::remove_draft(const std::string& draft_id, std::stop_token stop) const {
  try {
    context_.graph.send(
        sending_request("DELETE", user_ + "/messages/" + http::percent_encode(draft_id), mailbox_, "remove a draft"),
        stop);
    return true;
  } catch (const mail::FaultError& error) {
    const auto* refusal = dynamic_cast<const GraphError*>(&error);
    if (refusal != nullptr && refusal->not_found()) return true;
    context_.log.write(mail::Level::warning, context_.source,
                       "a draft in " + mailbox_ + " could not be removed: " + error.what());
    return false;
  }
}

bool DraftSearch::remove_late_drafts(std::stop_token stop) const {
  bool all = true;
  for (const Sighting& draft : by_key("drafts", stop)) {
    if (draft.is_draft) all = remove_draft(draft.id, stop) && all;
  }
  return all;
}

void DraftSearch::remove_attachment(const std::string& draft_id, const std::string& attachment_id,
                                    std::stop_token stop) const {
  try {
    context_.graph.send(sending_request("DELETE",
                                        user_ + "/messages/" + http::percent_encode(draft_id) + "/attachments/" +
                                            http::percent_encode(attachment_id),
                                        mailbox_, "remove a surplus attachment"),
                        stop);
  } catch (const GraphError& error) {
    if (!error.not_found()) throw;
  }
}

}  // namespace m365
