#include "mime/splitter.h"

#include <algorithm>
#include <utility>

namespace mime {
namespace {

constexpr std::size_t longest_boundary = 900;  // RFC 2046 has 70; leaves room for the dashes in a marker

std::string_view without_break(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// A line of dashes and the boundary, "--" behind it for the last one; blanks at the end do not count (RFC 2046, 5.1.1).
enum class Line { other, opens, closes };
Line classify(std::string_view line, std::string_view boundary) {
  if (line.size() < boundary.size() + 2 || line.substr(2, boundary.size()) != boundary) return Line::other;
  const std::string_view rest = trim(line.substr(2 + boundary.size()));
  if (rest.empty()) return Line::opens;
  return rest == "--" ? Line::closes : Line::other;
}

// What an entity is told by.
bool counts(std::string_view name) {
  return same_name(name, "Content-Type") || same_name(name, "Content-Disposition") ||
         same_name(name, "Content-Transfer-Encoding") || same_name(name, "Content-ID");
}

}  // namespace

void Splitter::feed(std::string_view mail) {
  while (!mail.empty()) {
    const std::size_t end = mail.find('\n');
    const bool ends = end != std::string_view::npos;
    std::string_view piece = mail.substr(0, ends ? end + 1 : end);
    mail.remove_prefix(piece.size());
    if (!passing_) {
      if (held_.size() + piece.size() <= longest_marker) {
        if (ends && held_.empty()) {
          line(piece);
          continue;
        }
        held_ += piece;
        if (!ends) return;
        line(held_);
        held_.clear();
        continue;
      }
      const std::size_t missing = longest_marker - held_.size();
      held_ += piece.substr(0, missing);
      piece.remove_prefix(missing);
      long_line(held_);
      held_.clear();
    }
    pass(piece);
    passing_ = !ends;
  }
}

void Splitter::finish() {
  if (!held_.empty()) line(held_);
  held_.clear();
  if (mode_ == Mode::header) end_header();
  if (mode_ == Mode::leaf && !pending_.empty()) listener_.body(std::exchange(pending_, {}));
  end_entity();
  levels_.clear();
}

void Splitter::line(std::string_view line) {
  const std::string_view text = without_break(line);
  const bool dashes = text.starts_with("--");
  if (dashes && boundary(text)) return;
  if (mode_ == Mode::header) {
    if (header_line(line, text)) return;
    if (dashes && boundary(text)) return;  // of the multipart whose header this line has ended
  }
  if (mode_ == Mode::leaf) content(line);
}

void Splitter::long_line(std::string_view start) {
  if (mode_ == Mode::header && header_line(start, start)) return;
  if (mode_ == Mode::leaf) content(start);
}

void Splitter::pass(std::string_view rest) {
  if (mode_ == Mode::header) {
    field(rest);
  } else if (mode_ == Mode::leaf) {
    content(rest);
  }
}

// Outer boundaries win: a part ends where its multipart goes on, whatever it has open inside.
bool Splitter::boundary(std::string_view text) {
  for (std::size_t level = 0; level < levels_.size(); ++level) {
    const Line kind = classify(text, levels_[level].boundary);
    if (kind == Line::other) continue;
    if (mode_ == Mode::header) end_header();
    end_entity();
    levels_.resize(level + 1);
    if (kind == Line::closes) {
      levels_.pop_back();
    } else {
      begin_entity();
    }
    return true;
  }
  return false;
}

void Splitter::begin_entity() {
  if (entities_ == limits_.entities || header_bytes_ >= limits_.headers) {
    left_out_ = true;
    return;
  }
  ++entities_;
  mode_ = Mode::header;
  default_type_ = levels_.back().digest ? "message/rfc822" : "text/plain";
  fields_.clear();
  field_room_ = 0;
  first_line_ = true;
}

bool Splitter::header_line(std::string_view line, std::string_view text) {
  const bool first = std::exchange(first_line_, false);
  if (text.empty()) {
    end_header();
    return true;
  }
  if (text.front() == ' ' || text.front() == '\t') {
    field(line);
    return true;
  }
  if (const std::string_view name = field_name(text); !name.empty()) {
    const std::size_t used = header_bytes_ + fields_.size();
    field_room_ = counts(name) ? std::min(limits_.field, limits_.headers - std::min(limits_.headers, used)) : 0;
    if (!fields_.empty() && fields_.back() != '\n') fields_ += '\n';
    field(line);
    return true;
  }
  field_room_ = 0;
  if (first && (text.starts_with("From ") || text.starts_with(">From "))) return true;  // mbox
  end_header();  // the body begins without an empty line
  return false;
}

void Splitter::field(std::string_view bytes) {
  const std::size_t count = std::min(bytes.size(), field_room_);
  fields_ += bytes.substr(0, count);
  field_room_ -= count;
}

void Splitter::end_header() {
  header_bytes_ += fields_.size();
  Entity entity = read_entity(fields_, default_type_);
  fields_.clear();
  if (entity.content_type.value.starts_with("multipart/") && levels_.size() < limits_.depth) {
    std::string boundary = entity.content_type.parameter("boundary");
    if (!boundary.empty() && boundary.size() <= longest_boundary) {
      entity.multipart = true;
      levels_.push_back({std::move(boundary), entity.is("multipart/digest")});
    }
  }
  mode_ = entity.multipart ? Mode::between : Mode::leaf;
  listener_.begin(std::move(entity));
}

void Splitter::end_entity() {
  if (mode_ == Mode::leaf) listener_.end();
  pending_.clear();
  mode_ = Mode::between;
}

void Splitter::content(std::string_view bytes) {
  if (pending_ == "\r" && bytes.starts_with('\n')) {
    pending_ = "\r\n";
    bytes.remove_prefix(1);
  }
  if (bytes.empty()) return;
  if (!pending_.empty()) listener_.body(pending_);
  const std::size_t size = bytes.ends_with("\r\n")                          ? bytes.size() - 2
                           : bytes.ends_with('\n') || bytes.ends_with('\r') ? bytes.size() - 1
                                                                            : bytes.size();
  pending_ = bytes.substr(size);
  if (size > 0) listener_.body(bytes.substr(0, size));
}

}  // namespace mime
