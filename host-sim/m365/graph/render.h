// The store's objects as Graph's JSON.
#ifndef HOST_SIM_M365_RENDER_H_
#define HOST_SIM_M365_RENDER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "m365/graph/query.h"
#include "m365/world/mailbox.h"

namespace embedded {

// Properties of a message as bits; which ones an answer shows.
using MessageProperties = std::uint64_t;

// Without internetMessageHeaders and uniqueBody, which come only when named.
MessageProperties default_properties();
// Throws GraphError 400 for a name that message does not have.
MessageProperties select_properties(const std::vector<std::string>& names);

struct View {
  IdForm ids = IdForm::ordinary;
  MessageProperties properties = default_properties();
  std::optional<bool> text_body;  // Prefer: outlook.body-content-type; unset: what the mail has
  bool unsafe_html = false;
  bool type_always = false;  // "@odata.type" also on a plain message, as delta has it
  Expand expand;
};

// Appends the members "...", without the braces.
void append_message_members(std::string& out, const Mailbox& mailbox, const Message& message, const View& view);
// With braces; `context` becomes @odata.context when not empty.
std::string message_json(const Mailbox& mailbox, const Message& message, const View& view, std::string_view context);
// graph-mail.md section 6: id, isRead, parentFolderId of a message of which only the flag changed.
void append_flag_row(std::string& out, const Mailbox& mailbox, const Message& message, IdForm ids);

struct FolderView {
  std::optional<std::vector<std::string>> select = std::nullopt;
  bool children = false;         // $expand=childFolders
  bool hidden_children = false;  // the hidden ones among them, too
};
std::string folder_json(Mailbox& mailbox, const Folder& folder, std::string_view context, const FolderView& view);

struct AttachmentView {
  IdForm ids = IdForm::ordinary;
  std::optional<std::vector<std::string>> select;
  bool item = false;  // $expand=microsoft.graph.itemattachment/item
  View message;       // how that item is shown
};
// Throws GraphError 400 for a $select of what the base type does not have.
void check_attachment_select(const std::vector<std::string>& names);
std::string attachment_json(const Mailbox& mailbox, const Message& message, const Attachment& attachment,
                            const AttachmentView& view, std::string_view context);
// Bytes with the overhead that Exchange counts in.
std::size_t attachment_size(const Attachment& attachment);

std::string conversation_id_text(const Mailbox& mailbox, const Message& message);

}  // namespace embedded

#endif  // HOST_SIM_M365_RENDER_H_
