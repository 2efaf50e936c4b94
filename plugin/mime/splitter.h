// A mail taken apart (RFC 2046) while it flows by: nothing of its bodies is held but the line that may be a boundary.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "mime/entity.h"

namespace mime {

struct Limits {
  std::size_t depth = 30;              ///< deeper multiparts are leaves
  std::size_t entities = 1'000;        ///< of the whole mail; further ones are left out
  std::size_t field = 16 * 1024;       ///< bytes of one header field that count
  std::size_t headers = 1'024 * 1024;  ///< bytes of all header fields together; entities after that are left out
};

/// Told of each entity in the order of the mail. Mails inside (message/rfc822) are leaves.
class EntityListener {
 public:
  virtual ~EntityListener() = default;
  /// Its headers are complete. Of a leaf, body() and end() follow before the next begin().
  virtual void begin(Entity entity) = 0;
  virtual void body(std::string_view as_transferred) = 0;  ///< the next piece, of any size
  virtual void end() = 0;
};

/// A boundary that is missing ends nothing, a missing last one ends with what stands around; preamble and epilogue
/// belong to no entity; the line break before a boundary belongs to the boundary.
class Splitter {
 public:
  explicit Splitter(EntityListener& listener, Limits limits = {}) : listener_(listener), limits_(limits) {}
  void feed(std::string_view mail);            ///< the next piece, cut anywhere
  void finish();                               ///< the mail is over
  bool left_out() const { return left_out_; }  ///< something was, for a limit

 private:
  // No boundary and no field name is longer (RFC 5322, section 2.1.1: a line has 998 characters at most).
  static constexpr std::size_t longest_marker = 1'000;

  struct Level {
    std::string boundary;
    bool digest = false;
  };
  enum class Mode {
    header,
    leaf,
    between,  // preamble, epilogue, what is left out
  };

  void line(std::string_view line);        // whole, with its break
  void long_line(std::string_view start);  // the first longest_marker bytes; more follow through pass()
  void pass(std::string_view rest);
  bool boundary(std::string_view text);
  bool header_line(std::string_view line, std::string_view text);  // false: the line is no part of the header
  void field(std::string_view bytes);
  void begin_entity();
  void end_header();
  void end_entity();
  void content(std::string_view bytes);

  EntityListener& listener_;
  const Limits limits_;
  std::vector<Level> levels_;  // multiparts around the present line
  Mode mode_ = Mode::header;
  std::string held_;      // a line that is not complete yet
  bool passing_ = false;  // inside a long line
  // Of the entity whose header is read:
  std::string fields_;  // those that count
  const char* default_type_ = "text/plain";
  std::size_t field_room_ = 0;  // of the present field; 0: it does not count
  bool first_line_ = true;
  // Of the leaf that is read:
  std::string pending_;  // a line break that may belong to a boundary
  // Of the mail:
  std::size_t entities_ = 1, header_bytes_ = 0;
  bool left_out_ = false;
};

}  // namespace mime
