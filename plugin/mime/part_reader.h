// The content of one entity, out of a mail that flows by.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "mime/decoder.h"
#include "mime/splitter.h"

namespace mime {

class PartReader final : private EntityListener {
 public:
  /// `index`: in OutlineReader::entities() of the same mail, read with the same limits.
  explicit PartReader(std::size_t index, Limits limits = {}) : index_(index), splitter_(*this, limits) {}

  /// The next piece of the mail, cut anywhere. Appends to `out` what it holds of the entity's content, transfer
  /// encoding undone.
  void feed(std::string_view mail, std::string& out);
  void finish(std::string& out);  ///< the mail is over

  /// Its headers, from the moment they are complete; without content.
  const std::optional<Entity>& entity() const { return entity_; }
  bool complete() const { return complete_; }  ///< its content was read to its end

 private:
  void begin(Entity entity) override;
  void body(std::string_view as_transferred) override;
  void end() override;

  const std::size_t index_;
  Splitter splitter_;
  std::size_t seen_ = 0;  // entities
  std::optional<Entity> entity_;
  std::unique_ptr<Decoder> decoder_;  // while the entity is read
  std::string* out_ = nullptr;        // while a piece is read
  bool complete_ = false;
};

}  // namespace mime
