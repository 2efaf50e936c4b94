// Attachments and folders; the small answers.
#include <utility>

#include "m365/message/message_row.h"
#include "m365/message/message_row_json.h"

namespace m365 {
namespace {

[[noreturn]] void throw_no_page() {
  throw simdjson::simdjson_error(simdjson::INCORRECT_TYPE);
}

template <typename Row, typename Read>
void read_page(std::string_view text, std::vector<Row>& rows, std::string& next_link, Read read) {
  json::read_document(text, mail::Remedy::wait, [&](json::od::document& document) {
    bool found = false;
    json::each_member(
        document.get_value().value(),
        [&](std::string_view key, json::od::value value) {
          if (key == "value") {
            found = true;
            rows.clear();
            json::each_element(
                value, [&](json::od::value element) { rows.push_back(read(element)); }, throw_no_page);
          } else if (key == "@odata.nextLink") {
            json::read_text(value, next_link);
          }
        },
        throw_no_page);
    if (!found) throw_no_page();
  });
}

// With and without "#": the documents have both.
AttachmentRow::Kind kind_of(std::string_view odata_type) {
  if (odata_type.ends_with("itemAttachment")) return AttachmentRow::Kind::item;
  if (odata_type.ends_with("referenceAttachment")) return AttachmentRow::Kind::reference;
  return AttachmentRow::Kind::file;
}

AttachmentRow read_attachment(json::od::value value) {
  AttachmentRow row;
  json::each_member(
      value,
      [&row](std::string_view key, json::od::value member) {
        if (key == "@odata.type") {
          std::string type;
          json::read_text(member, type);
          row.kind = kind_of(type);
        } else if (key == "id") {
          json::read_text(member, row.id);
        } else if (key == "name") {
          json::read_text(member, row.name);
        } else if (key == "contentType") {
          json::read_text(member, row.content_type);
        } else if (key == "contentId") {
          json::read_text(member, row.content_id);
        } else if (key == "sourceUrl") {
          json::read_text(member, row.source_url);
        } else if (key == "size") {
          json::read_integer(member, row.size);
        } else if (key == "isInline") {
          std::optional<bool> flag;
          json::read_flag(member, flag);
          row.is_inline = flag.value_or(false);
        }
      },
      [] {});
  return row;
}

FolderRow read_folder(json::od::value value, void (*wrong)()) {
  FolderRow row;
  json::each_member(
      value,
      [&row](std::string_view key, json::od::value member) {
        if (key == "id") json::read_text(member, row.id);
        if (key == "displayName") json::read_text(member, row.name);
        if (key == "parentFolderId") json::read_text(member, row.parent_id);
        if (key == "totalItemCount") json::read_integer(member, row.total);
        if (key == "unreadItemCount") json::read_integer(member, row.unread);
        if (key == "childFolderCount") json::read_integer(member, row.child_folders);
      },
      wrong);
  return row;
}

}  // namespace

AttachmentPage decode_attachment_page(std::string_view text) {
  AttachmentPage page;
  read_page(text, page.rows, page.next_link, read_attachment);
  return page;
}

FolderRow decode_folder(std::string_view text) {
  FolderRow row;
  json::read_document(text, mail::Remedy::wait, [&row](json::od::document& document) {
    row = read_folder(document.get_value().value(), throw_no_page);
  });
  return row;
}

FolderPage decode_folder_page(std::string_view text) {
  FolderPage page;
  read_page(text, page.rows, page.next_link, [](json::od::value value) { return read_folder(value, [] {}); });
  return page;
}

std::string decode_extended_property(std::string_view text) {
  std::string found;
  json::read_document(text, mail::Remedy::wait, [&found](json::od::document& document) {
    json::each_member(
        document.get_value().value(),
        [&found](std::string_view key, json::od::value list) {
          if (key != "singleValueExtendedProperties") return;
          // Its id is not compared: the service writes it in another form than asked (what-users-ask.md, section 2).
          const auto property = [&found](std::string_view member, json::od::value value) {
            if (member == "value") json::read_text(value, found);
          };
          json::each_element(
              list, [&property](json::od::value element) { json::each_member(element, property, [] {}); }, [] {});
        },
        throw_no_page);
  });
  return found;
}

}  // namespace m365
