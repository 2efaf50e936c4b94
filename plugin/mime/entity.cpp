#include "mime/entity.h"

#include "mime/charset.h"

namespace mime {
namespace {

std::string content_id_of(const Headers& headers) {
  const std::string* id = headers.find("Content-ID");
  if (!id) return {};
  std::string_view text = trim(*id);
  if (text.size() >= 2 && text.front() == '<' && text.back() == '>') text = text.substr(1, text.size() - 2);
  return repair_utf8(text);
}

}  // namespace

std::string Entity::file_name() const {
  const std::string name = disposition.parameter("filename");
  return name.empty() ? content_type.parameter("name") : name;
}

std::string Entity::text() const {
  return to_utf8(start, content_type.parameter("charset"));
}

Entity read_entity(std::string_view header_fields, const char* default_type) {
  Headers headers;
  parse_headers(header_fields, headers);
  Entity entity;
  if (const std::string* type = headers.find("Content-Type")) entity.content_type = parse_parameterised(*type);
  const std::string& value = entity.content_type.value;
  const std::size_t slash = value.find('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == value.size()) {
    entity.content_type.value = value == "text" ? "text/plain" : default_type;
  }
  if (const std::string* disposition = headers.find("Content-Disposition")) {
    entity.disposition = parse_parameterised(*disposition);
  }
  if (const std::string* encoding = headers.find("Content-Transfer-Encoding")) entity.transfer_encoding = *encoding;
  entity.content_id = content_id_of(headers);
  return entity;
}

}  // namespace mime
