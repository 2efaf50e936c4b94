#include "m365/incoming/folder_finder.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "http/message.h"
#include "m365/settings/server_settings_values.h"

namespace m365 {
namespace {

constexpr std::string_view folder_select =
    "$select=id,displayName,parentFolderId,totalItemCount,unreadItemCount,childFolderCount";
constexpr std::array well_known_names{
    "archive",   "clutter",       "conflicts",     "conversationhistory", "deleteditems", "drafts",
    "inbox",     "junkemail",     "localfailures", "msgfolderroot",       "outbox",       "recoverableitemsdeletions",
    "scheduled", "searchfolders", "sentitems",     "serverfailures",      "syncissues"};

std::string mail_folders(const std::string& user) {
  return user_path(user) + "/mailFolders";
}

}  // namespace

std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      std::array<char, 8> escaped{};
      std::snprintf(escaped.data(), escaped.size(), "\\u%04x", static_cast<unsigned>(static_cast<unsigned char>(c)));
      out += escaped.data();
    } else {
      out += c;
    }
  }
  return out + '"';
}

mail::Fault folder_missing(const std::string& address, const std::string& setting, const std::string& part) {
  mail::Fault fault;
  fault.cause = mail::Cause::folder_missing;
  fault.remedy = mail::Remedy::administrator;
  fault.text = address + ": the folder \"" + setting + "\" is not there" +
               (part.empty() || part == setting ? std::string() : " (no \"" + part + "\")") +
               ". Make it in Outlook, or correct the folder setting of this address; it is looked for again by itself.";
  return fault;
}

mail::Fault shared_folder(const std::string& address, const std::string& other, const std::string& folder_name) {
  mail::Fault fault;
  fault.cause = mail::Cause::folder_shared;
  fault.remedy = mail::Remedy::administrator;
  fault.text = address + ": this address and " + other + " name the same folder (\"" + folder_name +
               "\") of the same mailbox, which would hand every mail over to both. It is fetched for " + other +
               " only; give one of them another folder, or remove it.";
  return fault;
}

bool tells_folder_missing(const GraphError& error) {
  const mail::Cause cause = error.fault().cause;
  return error.status() == 404 && error.action() != Action::restart_sync && cause != mail::Cause::mailbox_unknown &&
         cause != mail::Cause::mailbox_forbidden;
}

FolderFinder::FolderFinder(GraphClient& graph, std::string user, std::string address, std::stop_token stop)
    : graph_(graph), user_(std::move(user)), address_(std::move(address)), stop_(std::move(stop)) {}

bool FolderFinder::well_known(std::string_view name) {
  return std::ranges::find(well_known_names, lower(name)) != well_known_names.end();
}

GraphRequest FolderFinder::request(std::string path) const {
  GraphRequest request;
  request.path = std::move(path);
  request.operation = "find the folder";
  request.mailbox = user_;
  return request;
}

GraphRequest FolderFinder::folder_request(std::string_view id_or_name) const {
  GraphRequest asked =
      request(mail_folders(user_) + "/" + http::percent_encode(id_or_name) + "?" + std::string(folder_select));
  asked.operation = "read the folder";
  return asked;
}

FolderRow FolderFinder::by_id(std::string_view id_or_name) const {
  return decode_folder(graph_.send(folder_request(id_or_name), stop_).body);
}

FolderRow FolderFinder::find(const std::string& setting) const {
  return walk(setting, false);
}

FolderRow FolderFinder::find_or_make(const std::string& setting) const {
  return walk(setting, true);
}

FolderRow FolderFinder::walk(const std::string& setting, bool make) const {
  const std::vector<std::string> parts = folder_path(setting).value_or(std::vector<std::string>{setting});
  FolderRow folder;
  std::size_t next = 0;
  try {
    // Read by its name first: an unknown mailbox or a refused one shows here, before any search.
    folder = by_id(well_known(parts[0]) ? lower(parts[0]) : "msgfolderroot");
  } catch (const GraphError& error) {
    if (tells_folder_missing(error)) throw mail::FaultError(folder_missing(address_, setting, parts[0]));
    throw;
  }
  if (well_known(parts[0])) next = 1;
  for (; next < parts.size(); ++next) {
    const std::string parent = folder.id;
    if (make) {
      folder = child_or_make(parent, parts[next]);
    } else if (!find_child(parent, parts[next], folder)) {
      throw mail::FaultError(folder_missing(address_, setting, parts[next]));
    }
  }
  return folder;
}

bool FolderFinder::find_child(const std::string& parent_id, const std::string& name, FolderRow& found) const {
  const std::string children = mail_folders(user_) + "/" + http::percent_encode(parent_id) + "/childFolders?";
  const std::string select = std::string(folder_select) + "&$top=100";
  try {
    const std::string filter = "&$filter=" + http::percent_encode("displayName eq " + odata_literal(name));
    if (search(children + select + filter, name, found)) return true;
  } catch (const GraphError& error) {
    if (error.status() != 400 && error.status() != 501) throw;  // not every folder tree can be filtered
  }
  // The filter may compare with case; our comparison does not. Hidden folders are listed only on request (section 4),
  // and their names are taken, too.
  try {
    return search(children + "includeHiddenFolders=true&" + select, name, found);
  } catch (const GraphError& error) {
    if (error.status() != 400) throw;
  }
  return search(children + select, name, found);
}

bool FolderFinder::search(std::string path, const std::string& name, FolderRow& found) const {
  for (int page = 0; page < 200 && !path.empty(); ++page) {
    FolderPage rows = decode_folder_page(graph_.send(request(std::move(path)), stop_).body);
    for (FolderRow& row : rows.rows) {
      if (!same_text(row.name, name)) continue;
      found = std::move(row);
      return true;
    }
    path = std::move(rows.next_link);
  }
  return false;
}

FolderRow FolderFinder::child_or_make(const std::string& parent_id, const std::string& name) const {
  FolderRow folder;
  if (find_child(parent_id, name, folder)) return folder;
  GraphRequest create = request(mail_folders(user_) + "/" + http::percent_encode(parent_id) + "/childFolders");
  create.method = "POST";
  create.operation = "make the folder";
  create.body = "{\"displayName\":" + json_text(name) + "}";
  try {
    return decode_folder(graph_.send(create, stop_).body);
  } catch (const GraphError& error) {
    // Made meanwhile, or by a request whose answer was lost (409 ErrorFolderExists).
    if (error.status() != 409) throw;
  }
  if (find_child(parent_id, name, folder)) return folder;
  throw mail::FaultError(folder_missing(address_, name, name));
}

}  // namespace m365
