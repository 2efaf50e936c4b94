// Mail folders by well-known name or by path (graph-mail.md, section 4), found or made.
#pragma once

#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "m365/graph/graph_client.h"
#include "m365/message/message_row.h"

namespace m365 {

/// One mailbox's folders. Cheap to make; holds no state. Every function throws GraphError or mail::FaultError.
class FolderFinder {
 public:
  FolderFinder(GraphClient& graph, std::string user, std::string address, std::stop_token stop);

  /// The request that reads one folder by its id or well-known name; decode_folder() reads the answer.
  GraphRequest folder_request(std::string_view id_or_name) const;
  FolderRow by_id(std::string_view id_or_name) const;

  /// `setting` is a well-known name, or a path whose first part may be one ("\/" is a slash in a name). Names compare
  /// without case. Throws Cause::folder_missing, naming the part that is not there.
  FolderRow find(const std::string& setting) const;
  /// The same, but what is missing is made (not well-known names).
  FolderRow find_or_make(const std::string& setting) const;
  /// A folder with this name under `parent_id`, made when missing.
  FolderRow child_or_make(const std::string& parent_id, const std::string& name) const;

  /// inbox, deleteditems, ...; without case.
  static bool well_known(std::string_view name);

 private:
  FolderRow walk(const std::string& setting, bool make) const;
  bool find_child(const std::string& parent_id, const std::string& name, FolderRow& found) const;
  bool search(std::string path, const std::string& name, FolderRow& found) const;
  GraphRequest request(std::string path) const;

  GraphClient& graph_;
  const std::string user_, address_;
  const std::stop_token stop_;
};

/// The fault of a folder that is not there; said of `setting`, as an administrator typed it.
mail::Fault folder_missing(const std::string& address, const std::string& setting, const std::string& part);
/// The fault of two addresses whose folder is one.
mail::Fault shared_folder(const std::string& address, const std::string& other, const std::string& folder_name);
/// True for a 404 that tells of the folder or the item, not of the mailbox.
bool tells_folder_missing(const GraphError& error);
/// `text` as a JSON string, with quotes.
std::string json_text(std::string_view text);

}  // namespace m365
