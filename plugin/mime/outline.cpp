#include "mime/outline.h"

#include <algorithm>
#include <utility>

namespace mime {

void OutlineReader::feed(std::string_view mail) {
  bytes_read_ += mail.size();
  splitter_.feed(mail);
}

const Entity* OutlineReader::find(std::string_view media_type) const {
  const auto found = std::find_if(entities_.begin(), entities_.end(),
                                  [media_type](const Entity& entity) { return entity.is(media_type); });
  return found == entities_.end() ? nullptr : &*found;
}

void OutlineReader::begin(Entity entity) {
  entities_.push_back(std::move(entity));
  if (entities_.back().multipart) return;
  keep_ = choose_(entities_.back());
  decoder_ = make_decoder(entities_.back().transfer_encoding);
}

void OutlineReader::body(std::string_view as_transferred) {
  decoder_->feed(as_transferred, decoded_);
  take_decoded();
}

void OutlineReader::end() {
  decoder_->finish(decoded_);
  take_decoded();
  decoder_.reset();
  entities_.back().complete = true;
}

void OutlineReader::take_decoded() {
  Entity& entity = entities_.back();
  entity.size += decoded_.size();
  if (keep_.only_whole && entity.size > keep_.bytes) {
    entity.start = std::string();
    keep_.bytes = 0;
  }
  entity.start.append(decoded_, 0, keep_.bytes - std::min(keep_.bytes, entity.start.size()));
  decoded_.clear();
}

std::vector<Entity> read_outline(std::string_view mail, const OutlineReader::Choose& choose) {
  OutlineReader reader(choose);
  reader.feed(mail);
  reader.finish();
  return reader.entities();
}

}  // namespace mime
