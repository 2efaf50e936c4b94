// mailFolders: list, read, create, rename, move, copy, delete. graph-mail.md section 4.
#include <algorithm>
#include <array>
#include <functional>

#include "m365/graph/call.h"
#include "m365/mime/text.h"
#include "m365/world/world.h"

namespace embedded {
namespace {

constexpr std::string_view kFolderListOptions =
    "$select,$top,$skip,$count,$expand,$filter,$orderby,includehiddenfolders";

FolderView view_of(const Query& query) {
  FolderView view{query.select};
  if (!query.expand) return view;
  if (trim(*query.expand) != "childFolders")
    throw bad_request("Only childFolders can be expanded on mailFolders here.");
  view.children = true;
  view.hidden_children = query.include_hidden_folders;
  return view;
}

// displayName eq 'x', or startswith and contains of it.
std::function<bool(const Folder&)> folder_filter(std::string_view text) {
  text = trim(text);
  using Test = bool (*)(std::string_view, std::string_view);
  struct Form {
    std::string_view start, end;
    Test test;
  };
  const std::array<Form, 3> forms = {{{"displayName eq '", "'", equal_ignoring_case},
                                      {"startswith(displayName,'", "')", starts_with_ignoring_case},
                                      {"contains(displayName,'", "')", contains_ignoring_case}}};
  const std::string close = replace_all(text, ", '", ",'");
  for (const auto& form : forms) {
    if (!starts_with_ignoring_case(close, form.start) || close.size() < form.start.size() + form.end.size()) continue;
    if (close.compare(close.size() - form.end.size(), form.end.size(), form.end) != 0) continue;
    const auto literal = close.substr(form.start.size(), close.size() - form.start.size() - form.end.size());
    return [name = replace_all(literal, "''", "'"), test = form.test](const Folder& folder) {
      return test(folder.name, name);
    };
  }
  throw GraphError(400, "ErrorInvalidUrlQueryFilter", "Only the displayName of folders can be filtered here.");
}

std::vector<Folder*> chosen(const Query& query, Mailbox& mailbox, const Folder& parent) {
  std::vector<Folder*> all = mailbox.children(&parent, query.include_hidden_folders);
  if (!query.filter) return all;
  const auto wanted = folder_filter(*query.filter);
  all.erase(std::remove_if(all.begin(), all.end(), [&](const Folder* folder) { return !wanted(*folder); }), all.end());
  return all;
}

HttpResponse count_children(Call& call, Mailbox& mailbox, const Folder& parent) {
  HttpResponse response;
  response.headers.add("Content-Type", "text/plain");
  response.body =
      std::to_string(chosen(parse_query(call.query(), "$filter,includehiddenfolders"), mailbox, parent).size());
  return response;
}

HttpResponse count_top(World&, Call& call) {
  const auto lock = call.mailbox().lock();
  return count_children(call, call.mailbox(), *call.mailbox().well_known("msgfolderroot"));
}

HttpResponse count_below(World&, Call& call) {
  const auto lock = call.mailbox().lock();
  return count_children(call, call.mailbox(), folder_of(call.mailbox(), call.parameters[0]));
}

HttpResponse list_children(World& world, Call& call, Mailbox& mailbox, const Folder& parent) {
  const Query query = parse_query(call.query(), kFolderListOptions);
  if (query.orderby) throw bad_request("The query option $orderby is not offered on mailFolders here.");
  const FolderView view = view_of(query);
  std::vector<Folder*> all = chosen(query, mailbox, parent);
  std::sort(all.begin(), all.end(), [](const Folder* a, const Folder* b) { return a->name < b->name; });
  const std::size_t skip = std::min(query.skip.value_or(0), all.size());
  const std::size_t end = std::min(all.size(), skip + query.top.value_or(call.prefer.page_size.value_or(10)));
  std::string out = "{\"@odata.context\":";
  append_json_string(out, call.context(world, "mailFolders"));
  if (query.count) out += ",\"@odata.count\":" + std::to_string(all.size());
  out += ",\"value\":[";
  for (std::size_t i = skip; i < end; ++i) {
    if (i > skip) out += ',';
    out += folder_json(mailbox, *all[i], {}, view);
  }
  out += ']';
  if (end < all.size()) {
    std::string next = world.origin + std::string(call.request->path()) + "?";
    for (const auto& [name, value] : parse_form(call.query(), true)) {
      if (!equal_ignoring_case(name, "$skip")) next += name + "=" + percent_encode(value) + "&";
    }
    out += ",\"@odata.nextLink\":";
    append_json_string(out, next + "$skip=" + std::to_string(end));
  }
  return json_response(200, out + "}");
}

HttpResponse list_top(World& world, Call& call) {
  Mailbox& mailbox = call.mailbox();
  const auto lock = mailbox.lock();
  return list_children(world, call, mailbox, *mailbox.well_known("msgfolderroot"));
}

HttpResponse list_below(World& world, Call& call) {
  Mailbox& mailbox = call.mailbox();
  const auto lock = mailbox.lock();
  return list_children(world, call, mailbox, folder_of(mailbox, call.parameters[0]));
}

HttpResponse get_folder(World& world, Call& call) {
  const Query query = parse_query(call.query(), "$select,$expand,includehiddenfolders");
  const FolderView view = view_of(query);
  Mailbox& mailbox = call.mailbox();
  const auto lock = mailbox.lock();
  const Folder& folder = folder_of(mailbox, call.parameters[0]);
  return json_response(200, folder_json(mailbox, folder, call.context(world, "mailFolders/$entity"), view));
}

std::string name_of(const Json& body) {
  const Json* name = body.find("displayName");
  if (name == nullptr || !name->is_string() || trim(name->string()).empty()) {
    throw GraphError(400, "ErrorInvalidArgument", "The displayName of the folder is missing.");
  }
  return name->string();
}

HttpResponse create_in(World& world, Call& call, Mailbox& mailbox, Folder& parent) {
  const Json body = call.json_body();
  check_quota(mailbox);
  Folder* folder = mailbox.create_folder(&parent, name_of(body));
  if (folder == nullptr) throw GraphError(409, "ErrorFolderExists", "A folder with the specified name already exists.");
  folder->hidden = body.boolean("isHidden", false);
  return json_response(201, folder_json(mailbox, *folder, call.context(world, "mailFolders/$entity"), {}));
}

HttpResponse create_top(World& world, Call& call) {
  Mailbox& mailbox = call.mailbox();
  const auto lock = mailbox.lock();
  return create_in(world, call, mailbox, *mailbox.well_known("msgfolderroot"));
}

HttpResponse create_below(World& world, Call& call) {
  Mailbox& mailbox = call.mailbox();
  const auto lock = mailbox.lock();
  return create_in(world, call, mailbox, folder_of(mailbox, call.parameters[0]));
}

HttpResponse rename(World& world, Call& call) {
  const Json body = call.json_body();
  Mailbox& mailbox = call.mailbox();
  const auto lock = mailbox.lock();
  Folder& folder = folder_of(mailbox, call.parameters[0]);
  if (!mailbox.rename_folder(&folder, name_of(body))) {
    throw GraphError(409, "ErrorFolderExists", "A folder with the specified name already exists.");
  }
  return json_response(200, folder_json(mailbox, folder, call.context(world, "mailFolders/$entity"), {}));
}

bool is_in(const Folder* folder, const Folder* tree) {
  while (folder != nullptr && folder != tree) folder = folder->parent;
  return folder == tree;
}

// Section 12: folder move and copy answer 200.
HttpResponse relocate(World& world, Call& call, bool keep) {
  const Json body = call.json_body();
  Mailbox& mailbox = call.mailbox();
  const auto lock = mailbox.lock();
  Folder& folder = folder_of(mailbox, call.parameters[0]);
  Folder& to = destination_of(mailbox, body);
  if (!keep && !folder.well_known.empty())
    throw GraphError(403, "ErrorMoveDistinguishedFolder", "Distinguished folders cannot be moved.");
  if (is_in(&to, &folder)) throw GraphError(400, "ErrorMoveCopyFailed", "A folder cannot be put into itself.");
  if (keep) check_quota(mailbox);
  Folder* done = &folder;
  if (keep) {
    done = mailbox.copy_folder(&folder, &to);
  } else if (!mailbox.move_folder(&folder, &to)) {
    done = nullptr;
  }
  if (done == nullptr) throw GraphError(409, "ErrorFolderExists", "A folder with the specified name already exists.");
  return json_response(200, folder_json(mailbox, *done, call.context(world, "mailFolders/$entity"), {}));
}

HttpResponse move_folder(World& world, Call& call) {
  return relocate(world, call, false);
}

HttpResponse copy_folder(World& world, Call& call) {
  return relocate(world, call, true);
}

HttpResponse remove_folder(World&, Call& call) {
  Mailbox& mailbox = call.mailbox();
  const auto lock = mailbox.lock();
  Folder& folder = folder_of(mailbox, call.parameters[0]);
  if (!folder.well_known.empty()) {
    throw GraphError(403, "ErrorDeleteDistinguishedFolder", "Distinguished folders cannot be deleted.");
  }
  mailbox.delete_folder(&folder);
  HttpResponse response;
  response.status = 204;
  return response;
}

// Changes of the folders themselves: each round names them all, which the documents allow (rows may repeat).
HttpResponse folder_delta(World& world, Call& call) {
  const Query query = parse_query(call.query(), "$select,$deltatoken,$skiptoken");
  Mailbox& mailbox = call.mailbox();
  const auto lock = mailbox.lock();
  std::string out = "{\"@odata.context\":";
  append_json_string(out, world.origin + "/v1.0/$metadata#Collection(mailFolder)");
  out += ",\"value\":[";
  bool first = true;
  const std::uint64_t known = query.deltatoken ? std::strtoull(query.deltatoken->c_str(), nullptr, 10) : 0;
  for (const Folder* folder : mailbox.folders()) {
    const bool in_tree = folder->parent != nullptr;
    if (!in_tree || (known > 0 && folder->changed < known)) continue;
    if (!first) out += ',';
    first = false;
    out += folder_json(mailbox, *folder, {}, {query.select});
  }
  out += "],\"@odata.deltaLink\":";
  append_json_string(
      out, world.origin + std::string(call.request->path()) + "?$deltatoken=" + std::to_string(mailbox.sequence() + 1));
  return json_response(200, out + "}");
}

HttpResponse get_user(World&, Call&) {
  throw access_denied();
}

}  // namespace

const std::vector<Route>& folder_routes() {
  static const std::vector<Route> routes = {
      {"GET", "", "users.get", Need::none, get_user},
      {"GET", "mailFolders", "folders.list", Need::read, list_top},
      {"POST", "mailFolders", "folders.create", Need::write, create_top},
      {"GET", "mailFolders/delta", "folders.delta", Need::read, folder_delta},
      {"GET", "mailFolders/$count", "folders.list", Need::read, count_top},
      {"GET", "mailFolders/{}", "folders.get", Need::read, get_folder},
      {"PATCH", "mailFolders/{}", "folders.update", Need::write, rename},
      {"DELETE", "mailFolders/{}", "folders.delete", Need::write, remove_folder},
      {"POST", "mailFolders/{}/move", "folders.move", Need::write, move_folder},
      {"POST", "mailFolders/{}/copy", "folders.copy", Need::write, copy_folder},
      {"GET", "mailFolders/{}/childFolders/$count", "folders.list", Need::read, count_below},
      {"GET", "mailFolders/{}/childFolders", "folders.list", Need::read, list_below},
      {"POST", "mailFolders/{}/childFolders", "folders.create", Need::write, create_below},
  };
  return routes;
}

}  // namespace embedded
