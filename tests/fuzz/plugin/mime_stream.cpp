// A mail that flows by: whatever pieces it comes in, the same entities, sizes and contents; little of it is held.
#include <string>
#include <vector>

#include "mime/outline.h"
#include "mime/part_reader.h"
#include "require.h"

namespace {

using mime::Entity;

constexpr mime::Limits limits{.depth = 5, .entities = 20, .field = 300, .headers = 2'000};
constexpr std::size_t kept = 50;

// The first byte of the input tells the sizes of the pieces.
class Pieces {
 public:
  Pieces(std::string_view text, unsigned char seed) : rest_(text), seed_(seed) {}
  bool next(std::string_view& piece) {
    if (rest_.empty()) return false;
    seed_ = seed_ * 1'103'515'245u + 12'345u;
    const std::size_t size = (seed_ >> 16) % 7 == 0 ? 2'000 : 1 + (seed_ >> 16) % 40;
    piece = rest_.substr(0, size);
    rest_.remove_prefix(piece.size());
    return true;
  }

 private:
  std::string_view rest_;
  std::uint32_t seed_;
};

void require_same(const std::vector<Entity>& whole, const std::vector<Entity>& pieces) {
  require(whole.size() == pieces.size(), "as many entities in any pieces");
  for (std::size_t i = 0; i < whole.size(); ++i) {
    require(whole[i].content_type.value == pieces[i].content_type.value &&
                whole[i].file_name() == pieces[i].file_name() && whole[i].content_id == pieces[i].content_id,
            "the same headers");
    require(whole[i].size == pieces[i].size && whole[i].multipart == pieces[i].multipart, "the same sizes");
    require(whole[i].complete != whole[i].multipart && pieces[i].complete == whole[i].complete, "leaves are complete");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text = as_text(data + 1, size - 1);
  mime::OutlineReader whole([](const Entity&) { return mime::Keep{SIZE_MAX, false}; }, limits);
  whole.feed(text);
  whole.finish();
  require(whole.entities().size() <= limits.entities, "bounded in entities");

  mime::OutlineReader outline([](const Entity& entity) { return mime::Keep{kept, entity.is("text/html")}; }, limits);
  Pieces pieces(text, data[0]);
  for (std::string_view piece; pieces.next(piece);) outline.feed(piece);
  outline.finish();
  require(outline.bytes_read() == text.size() && outline.left_out() == whole.left_out(), "read to its end");
  require_same(whole.entities(), outline.entities());

  std::size_t headers = 0;
  for (std::size_t index = 0; index < whole.entities().size(); ++index) {
    const Entity& entity = whole.entities()[index];
    const Entity& small = outline.entities()[index];
    require(small.start.size() <= kept && entity.start.starts_with(small.start), "no more is kept than was asked for");
    require(small.whole() == (!entity.multipart && entity.size <= kept), "the whole, where it fits");
    headers += small.transfer_encoding.size();
    if (entity.multipart) continue;
    mime::PartReader reader(index, limits);
    std::string content;
    Pieces again(text, static_cast<unsigned char>(data[0] + index));
    for (std::string_view piece; again.next(piece);) {
      const std::size_t before = content.size();
      reader.feed(piece, content);
      require(content.size() - before <= piece.size() + 2'200, "little is held back");
    }
    reader.finish(content);
    require(reader.complete() && content == entity.start, "a part is found again");
  }
  require(headers <= limits.headers, "bounded in headers");
  return 0;
}
