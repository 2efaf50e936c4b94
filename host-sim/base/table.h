// Tables for people: aligned by what a terminal shows, cut to its width; in a pipe nothing is cut.
#ifndef HOST_SIM_BASE_TABLE_H_
#define HOST_SIM_BASE_TABLE_H_

#include <string>
#include <vector>

namespace base {

class Table {
 public:
  explicit Table(std::vector<std::string> header) : header_(std::move(header)) {}
  // As many cells as the header has.
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  // `width` 0: as wide as it gets. `bold` marks the header for a terminal.
  std::string render(std::size_t width, bool bold) const;

 private:
  std::vector<std::string> header_;
  std::vector<std::vector<std::string>> rows_;
};

// Columns of the terminal behind the descriptor, 0 when it is none.
std::size_t terminal_width(int fd);

}  // namespace base

#endif  // HOST_SIM_BASE_TABLE_H_
