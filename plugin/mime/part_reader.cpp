#include "mime/part_reader.h"

#include <utility>

namespace mime {

void PartReader::feed(std::string_view mail, std::string& out) {
  out_ = &out;
  splitter_.feed(mail);
  out_ = nullptr;
}

void PartReader::finish(std::string& out) {
  out_ = &out;
  splitter_.finish();
  out_ = nullptr;
}

void PartReader::begin(Entity entity) {
  if (seen_++ != index_) return;
  if (!entity.multipart) decoder_ = make_decoder(entity.transfer_encoding);
  entity_ = std::move(entity);
}

void PartReader::body(std::string_view as_transferred) {
  if (decoder_) decoder_->feed(as_transferred, *out_);
}

void PartReader::end() {
  if (!decoder_) return;
  decoder_->finish(*out_);
  decoder_.reset();
  complete_ = true;
}

}  // namespace mime
