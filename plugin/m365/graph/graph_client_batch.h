// The two bodies of a $batch (graph-mail.md, section 14): composing the question, taking the answer apart.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "m365/graph/graph_client.h"

namespace m365 {

/// One request inside: `url` is relative to the version.
struct BatchPart {
  std::string_view method, url, prefer, content_type, body;
};

/// {"requests":[...]}; ids are "1", "2", ... in the order of `parts`.
std::string compose_batch(const std::vector<BatchPart>& parts);

/// `count` answers in the order of the questions; one that is missing has status 0. nullopt when the text is no batch
/// answer. `text` may be given more capacity (the parser reads beyond its end).
std::optional<std::vector<BatchAnswer>> parse_batch(std::string& text, std::size_t count);

}  // namespace m365
