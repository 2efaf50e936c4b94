// Extended properties: ids in their normal form, and those that a message has by itself. graph-mail.md section 13.
#ifndef HOST_SIM_M365_PROPERTIES_H_
#define HOST_SIM_M365_PROPERTIES_H_

#include <optional>
#include <string>
#include <string_view>

#include "m365/world/message.h"

namespace embedded {

// "String {GUID} Name X", "Integer {guid} Id 0x8012", "String 0x001A" -> as the service answers them: the type
// capitalised, the GUID in lower case, hex digits without leading zeros ("LONG 0x0E08" -> "Long 0xe08"). The name keeps
// its case. nullopt: not an id of that form.
std::optional<std::string> normal_property_id(std::string_view id);
// The same for the multi-value kind: "StringArray {GUID} Name X".
std::optional<std::string> normal_multi_property_id(std::string_view id);

// What the message has under that (normal) id: given by a client, or made from the message itself (class, Message-ID,
// In-Reply-To, References, transport headers, size, flags, delivery time, subject).
std::optional<std::string> property_value(const Message& message, const std::string& id);

}  // namespace embedded

#endif  // HOST_SIM_M365_PROPERTIES_H_
