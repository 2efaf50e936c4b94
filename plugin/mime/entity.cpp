#include "mime/entity.h"

#include <algorithm>

#include "mime/charset.h"
#include "mime/transfer.h"

namespace mime {
namespace {

struct Budget {
  std::size_t depth, parts;
};

// A line of dashes and the boundary, "--" behind it for the last one; blanks at the end do not count (RFC 2046, 5.1.1).
enum class Line { other, opens, closes };
Line classify(std::string_view line, std::string_view boundary) {
  if (line.size() < boundary.size() + 2 || line[0] != '-' || line[1] != '-') return Line::other;
  if (line.substr(2, boundary.size()) != boundary) return Line::other;
  const std::string_view rest = trim(line.substr(2 + boundary.size()));
  if (rest.empty()) return Line::opens;
  return rest == "--" ? Line::closes : Line::other;
}

// The pieces between the boundary lines; each without the line break that belongs to the next boundary. A missing last
// boundary ends the last piece with the text; preamble and epilogue are no pieces.
std::vector<std::string_view> split(std::string_view text, std::string_view boundary, std::size_t most) {
  std::vector<std::string_view> pieces;
  std::size_t at = 0, begin = std::string_view::npos;
  const auto finish = [&](std::size_t line_at) {
    if (begin == std::string_view::npos) return;
    std::size_t end = line_at;
    if (end > begin && text[end - 1] == '\n') --end;
    if (end > begin && text[end - 1] == '\r') --end;
    pieces.push_back(text.substr(begin, end - begin));
    begin = std::string_view::npos;
  };
  while (at < text.size() && pieces.size() < most) {
    const std::size_t line_end = std::min(text.find('\n', at), text.size());
    const std::size_t next = std::min(line_end + 1, text.size());
    const Line line = classify(text.substr(at, line_end - at), boundary);
    if (line != Line::other) {
      finish(at);
      if (line == Line::closes) return pieces;
      begin = next;
    }
    at = next;
  }
  if (begin != std::string_view::npos && pieces.size() < most) pieces.push_back(text.substr(begin));
  return pieces;
}

void parse_into(Entity& entity, std::string_view text, const char* default_type, std::size_t depth, Budget& budget) {
  entity.raw = text.substr(parse_headers(text, entity.headers));
  if (const std::string* type = entity.headers.find("Content-Type")) entity.content_type = parse_parameterised(*type);
  const std::string& value = entity.content_type.value;
  const std::size_t slash = value.find('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == value.size()) {
    entity.content_type.value = value == "text" ? "text/plain" : default_type;
  }
  if (const std::string* disposition = entity.headers.find("Content-Disposition")) {
    entity.disposition = parse_parameterised(*disposition);
  }
  if (depth >= budget.depth) return;
  if (entity.is_multipart()) {
    const std::string boundary = entity.content_type.parameter("boundary");
    if (boundary.empty()) return;
    const char* const inner_type = entity.is("multipart/digest") ? "message/rfc822" : "text/plain";
    for (const std::string_view piece : split(entity.raw, boundary, budget.parts)) {
      if (budget.parts == 0) return;
      --budget.parts;
      parse_into(entity.children.emplace_back(), piece, inner_type, depth + 1, budget);
    }
  } else if (entity.is("message/rfc822") || entity.is("message/global")) {
    // Only what stands there as it is: an encoded one is decoded by who needs it (RFC 2046, section 5.2.1 forbids it).
    const std::string* encoding = entity.headers.find("Content-Transfer-Encoding");
    const std::string name = encoding ? lower(trim(*encoding)) : std::string();
    if (name == "base64" || name == "quoted-printable" || budget.parts == 0) return;
    --budget.parts;
    parse_into(entity.children.emplace_back(), entity.raw, "text/plain", depth + 1, budget);
  }
}

void collect(const Entity& entity, bool into_messages, std::vector<const Entity*>& out) {
  out.push_back(&entity);
  if (!into_messages && !entity.is_multipart()) return;
  for (const Entity& child : entity.children) collect(child, into_messages, out);
}

}  // namespace

std::string Entity::file_name() const {
  const std::string name = disposition.parameter("filename");
  return name.empty() ? content_type.parameter("name") : name;
}

std::string Entity::content_id() const {
  const std::string* id = headers.find("Content-ID");
  if (!id) return {};
  std::string_view text = trim(*id);
  if (text.size() >= 2 && text.front() == '<' && text.back() == '>') text = text.substr(1, text.size() - 2);
  return repair_utf8(text);
}

std::string Entity::bytes() const {
  const std::string* encoding = headers.find("Content-Transfer-Encoding");
  return decode_transfer(raw, encoding ? std::string_view(*encoding) : std::string_view());
}

std::string Entity::text() const {
  return to_utf8(bytes(), content_type.parameter("charset"));
}

Entity parse(std::string_view text, Limits limits) {
  Entity root;
  Budget budget{limits.depth, limits.parts};
  parse_into(root, text, "text/plain", 0, budget);
  return root;
}

std::vector<const Entity*> walk(const Entity& root, bool into_messages) {
  std::vector<const Entity*> entities;
  collect(root, into_messages, entities);
  return entities;
}

const Entity* find_type(const Entity& root, std::string_view media_type) {
  for (const Entity* entity : walk(root)) {
    if (entity->is(media_type)) return entity;
  }
  return nullptr;
}

}  // namespace mime
