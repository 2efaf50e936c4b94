#include "base/table.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "base/utf8.h"

namespace base {
namespace {

constexpr std::size_t kWidestCell = 1000;
constexpr std::size_t kNarrowestLast = 16;

}  // namespace

std::string Table::render(std::size_t width, bool bold) const {
  std::vector<std::size_t> widths;
  for (const std::string& cell : header_) widths.push_back(columns(cell));
  std::vector<std::vector<std::string>> clean;
  for (const auto& row : rows_) {
    auto& cells = clean.emplace_back();
    for (std::size_t i = 0; i < row.size(); ++i) {
      cells.push_back(for_one_line(row[i], kWidestCell));
      widths[i] = std::max(widths[i], columns(cells[i]));
    }
  }
  // What does not fit is taken from the last column: the one of free text.
  if (width > 0 && !widths.empty()) {
    std::size_t others = 0;
    for (std::size_t i = 0; i + 1 < widths.size(); ++i) others += widths[i] + 2;
    const std::size_t left = width > others + kNarrowestLast ? width - others - 1 : kNarrowestLast;
    widths.back() = std::min(widths.back(), left);
  }
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string out;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const bool last = i + 1 == cells.size();
      const std::string cell = last ? for_one_line(cells[i], std::max<std::size_t>(widths[i], 1)) : cells[i];
      out += cell;
      if (!last) out.append(widths[i] - columns(cell) + 2, ' ');
    }
    while (!out.empty() && out.back() == ' ') out.pop_back();
    return out;
  };
  std::string out = bold ? "\x1b[1m" + line(header_) + "\x1b[0m\n" : line(header_) + "\n";
  for (const auto& row : clean) out += line(row) + "\n";
  return out;
}

std::size_t terminal_width(int fd) {
  winsize size{};
  return ::isatty(fd) == 1 && ::ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

}  // namespace base
