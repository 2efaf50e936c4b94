// The mails, as Graph's JSON shows them: prepared once, then only numbers and times are written into their places.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

using WallTime = std::chrono::sys_time<std::chrono::microseconds>;

struct MailShape {
  std::size_t html = 8192;       ///< bytes of the body, as the reader sees them
  std::size_t headers = 0;       ///< at least so many bytes of transport headers; a dozen short ones always
  std::uint64_t attachment = 0;  ///< bytes of its only attachment; 0: none
};

struct MailFacts {
  std::uint32_t mailbox = 0, number = 0;
  WallTime received{};
  bool is_read = false;
};

class MailText {
 public:
  explicit MailText(const MailShape& shape);

  /// As a delta page or a GET shows it.
  void append_whole(std::string& out, const MailFacts& facts) const;
  /// What a list with a short $select shows.
  void append_thin(std::string& out, const MailFacts& facts) const;
  /// What delta shows of a mail whose flag changed (graph-mail.md, section 6).
  void append_change(std::string& out, const MailFacts& facts) const;

 private:
  enum class Slot { none, id, folder, number, box, received, stamp, is_read };
  struct Piece {
    std::string text;  ///< then the slot
    Slot slot = Slot::none;
  };
  using Text = std::vector<Piece>;
  static Text prepare(std::string_view text);
  static void append(std::string& out, const Text& text, const MailFacts& facts);

  Text whole_, thin_, change_;
};

/// "2026-01-31T08:00:00Z"
void append_time(std::string& out, WallTime time);
/// Nothing when it is not of that form.
bool parse_time(std::string_view text, WallTime& time);
WallTime wall_now();

}  // namespace bench
