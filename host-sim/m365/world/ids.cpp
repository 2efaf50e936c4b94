#include "m365/world/ids.h"

#include "m365/mime/text.h"

namespace embedded {
namespace {

using namespace std::string_view_literals;

// What real ids begin with: "AAMkA...", "AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A", "AQMkA...".
constexpr std::string_view kOrdinary = "\x00\x03\x24\x00"sv;
constexpr std::string_view kImmutable =
    "\x00\x09\x00\x2E\x00\x00\x00\x00\x00\x1D\x84\x03\x11\xAA\x66\x11\xCD\x9B\xC8\x00\xAA\x00\x2F\x84\x5A\x0D\x00"sv;
constexpr std::string_view kFolder = "\x01\x03\x24\x00"sv;
constexpr std::size_t kGuid = 36;
constexpr std::size_t kCheck = 4;

void append_number(std::string& out, std::uint64_t value, int bytes) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) out += static_cast<char>((value >> shift) & 0xFF);
}

std::uint64_t read_number(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

// FNV-1a: nothing depends on its strength.
std::string check_of(std::string_view bytes) {
  std::uint32_t hash = 2166136261U;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  std::string out;
  append_number(out, hash, kCheck);
  return out;
}

std::string finish(std::string bytes) {
  bytes += check_of(bytes);
  // Real ids end in '=': the length is filled up until they do.
  if (bytes.size() % 3 == 0) bytes += '\0';
  return base64url_encode(bytes, true);
}

// The bytes before the check sum, when it is right.
std::optional<std::string> open(std::string_view text, std::size_t size) {
  if (text.size() % 4 != 0) return std::nullopt;
  auto bytes = base64url_decode(text);
  if (!bytes || bytes->size() < size + kCheck) return std::nullopt;
  const std::string body = bytes->substr(0, size);
  if (bytes->substr(size, kCheck) != check_of(body)) return std::nullopt;
  if (finish(body) != text) return std::nullopt;
  return body;
}

}  // namespace

std::string encode_item_id(const ItemId& id) {
  std::string bytes(id.form == IdForm::immutable ? kImmutable : kOrdinary);
  bytes += id.mailbox;
  append_number(bytes, id.message, 8);
  append_number(bytes, id.form == IdForm::immutable ? 0 : id.place, 4);
  if (id.attachment != 0) append_number(bytes, id.attachment, 8);
  return finish(std::move(bytes));
}

std::string encode_folder_id(std::string_view mailbox, std::uint64_t folder) {
  std::string bytes(kFolder);
  bytes += mailbox;
  append_number(bytes, folder, 8);
  return finish(std::move(bytes));
}

std::optional<ItemId> decode_item_id(std::string_view text) {
  for (const auto form : {IdForm::ordinary, IdForm::immutable}) {
    const auto prefix = form == IdForm::ordinary ? kOrdinary : kImmutable;
    for (const std::size_t attachment : {0U, 8U}) {
      const auto bytes = open(text, prefix.size() + kGuid + 12 + attachment);
      if (!bytes || bytes->compare(0, prefix.size(), prefix) != 0) continue;
      const std::string_view rest = std::string_view(*bytes).substr(prefix.size());
      ItemId id;
      id.form = form;
      id.mailbox = rest.substr(0, kGuid);
      id.message = read_number(rest.substr(kGuid, 8));
      id.place = static_cast<std::uint32_t>(read_number(rest.substr(kGuid + 8, 4)));
      if (attachment != 0) id.attachment = read_number(rest.substr(kGuid + 12, 8));
      return id;
    }
  }
  return std::nullopt;
}

std::optional<FolderId> decode_folder_id(std::string_view text) {
  const auto bytes = open(text, kFolder.size() + kGuid + 8);
  if (!bytes || bytes->compare(0, kFolder.size(), kFolder) != 0) return std::nullopt;
  const std::string_view rest = std::string_view(*bytes).substr(kFolder.size());
  return FolderId{std::string(rest.substr(0, kGuid)), read_number(rest.substr(kGuid, 8))};
}

}  // namespace embedded
