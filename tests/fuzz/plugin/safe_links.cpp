// Bodies with links that Safe Links rewrote, and such links alone.
#include "m365/message/safe_links.h"

#include "require.h"

namespace {

bool may_be_shown(const std::string& url) {
  for (const char* scheme : {"http:", "https:", "mailto:"}) {
    const std::string_view begin = std::string_view(url).substr(0, std::string_view(scheme).size());
    bool same = begin.size() == std::string_view(scheme).size();
    for (std::size_t i = 0; same && i < begin.size(); ++i) same = (begin[i] | 0x20) == (scheme[i] | 0x20);
    if (same) return url.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos;
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_text(data, size);
  const std::string original = m365::safe_link_original(text);
  require(original.empty() || may_be_shown(original), "an original is a http, https or mailto URL in one line");
  for (const bool html : {false, true}) {
    const m365::SafeLinks found = m365::find_safe_links(text, html);
    require(found.links.size() <= 1'000, "at most 1,000 links");
    require(found.rewritten || found.links.empty(), "a pair is a rewritten link");
    for (const auto& [shown, was] : found.links) require(may_be_shown(was), "an original may be shown");
  }
  return 0;
}
