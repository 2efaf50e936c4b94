// Exchange's ids: opaque, case-sensitive, with '=', and different for one item in its two forms (graph-mail.md section
// 7).
#ifndef HOST_SIM_M365_IDS_H_
#define HOST_SIM_M365_IDS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace embedded {

enum class IdForm { ordinary, immutable };

struct ItemId {
  IdForm form = IdForm::ordinary;
  std::string mailbox;  // GUID
  std::uint64_t message = 0;
  std::uint32_t place = 0;       // of the ordinary form
  std::uint64_t attachment = 0;  // 0: the message itself
};

// A check sum is part of every id, so that a cut one or one whose case was changed is told from an unknown one.
std::string encode_item_id(const ItemId& id);
std::string encode_folder_id(std::string_view mailbox, std::uint64_t folder);

// nullopt: not an id at all (ErrorInvalidIdMalformed).
std::optional<ItemId> decode_item_id(std::string_view text);
struct FolderId {
  std::string mailbox;
  std::uint64_t folder = 0;
};
std::optional<FolderId> decode_folder_id(std::string_view text);

}  // namespace embedded

#endif  // HOST_SIM_M365_IDS_H_
