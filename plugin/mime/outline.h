// What a mail consists of, read while it flows by: the entities, the size of each, and of their content what is asked
// for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mime/decoder.h"
#include "mime/splitter.h"

namespace mime {

struct Keep {
  std::size_t bytes = 0;    ///< of the content, from its start
  bool only_whole = false;  ///< nothing where there is more of it
};

class OutlineReader final : private EntityListener {
 public:
  /// Asked for each leaf when its headers are known. It bounds what is held, beside 1 MB of headers (Limits) and the
  /// line that is read.
  using Choose = std::function<Keep(const Entity&)>;
  explicit OutlineReader(Choose choose, Limits limits = {}) : choose_(std::move(choose)), splitter_(*this, limits) {}

  void feed(std::string_view mail);  ///< the next piece, cut anywhere
  void finish() { splitter_.finish(); }

  /// In the order of the mail, the mail itself first.
  const std::vector<Entity>& entities() const { return entities_; }
  const Entity* find(std::string_view media_type) const;  ///< the first of this type, nullptr when there is none
  bool left_out() const { return splitter_.left_out(); }
  std::uint64_t bytes_read() const { return bytes_read_; }

 private:
  void begin(Entity entity) override;
  void body(std::string_view as_transferred) override;
  void end() override;
  void take_decoded();

  const Choose choose_;
  Splitter splitter_;
  std::vector<Entity> entities_;
  std::uint64_t bytes_read_ = 0;
  // Of the leaf that is read:
  std::unique_ptr<Decoder> decoder_;
  std::string decoded_;
  Keep keep_;
};

/// A whole mail that is in memory already.
std::vector<Entity> read_outline(std::string_view mail, const OutlineReader::Choose& choose);

}  // namespace mime
