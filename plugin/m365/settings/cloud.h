// Microsoft's clouds: which Graph root belongs to which login host (graph-mail.md, section 1; entra-oauth.md, section
// 1).
#pragma once

#include <string_view>

namespace m365 {

struct Cloud {
  std::string_view name;          ///< for sentences
  std::string_view graph_origin;  ///< without "/v1.0"
  bool delta_offered;             ///< messages/delta exists there
};

/// By host name, in any case, without scheme and port; nullptr when the host is of no cloud that is known.
const Cloud* cloud_of_login_host(std::string_view host);
const Cloud* cloud_of_graph_host(std::string_view host);

}  // namespace m365
