#include "m365/settings/cloud.h"

#include <array>

#include "m365/settings/server_settings_values.h"

namespace m365 {
namespace {

constexpr Cloud global{"the global cloud", "https://graph.microsoft.com", true};
constexpr Cloud us_government{"the US government cloud", "https://graph.microsoft.us", true};
constexpr Cloud china{"the China cloud", "https://microsoftgraph.chinacloudapi.cn", false};

struct Host {
  std::string_view host;
  const Cloud* cloud;
};

// Aliases that mean the same cloud included. The newer sovereign clouds (login.sovcloud-identity.*) are left out: their
// Graph hosts are not published, so their administrators enter graph_endpoint.
constexpr std::array login_hosts = {
    Host{"login.microsoftonline.com", &global},
    Host{"login.windows.net", &global},
    Host{"login.microsoft.com", &global},
    Host{"sts.windows.net", &global},
    Host{"login.microsoftonline.us", &us_government},
    Host{"login.usgovcloudapi.net", &us_government},
    Host{"login.partner.microsoftonline.cn", &china},
    Host{"login.chinacloudapi.cn", &china},
};

// GCC High and DoD share their login host, so the DoD's Graph root is reached by graph_endpoint.
constexpr std::array graph_hosts = {
    Host{"graph.microsoft.com", &global},
    Host{"graph.microsoft.us", &us_government},
    Host{"dod-graph.microsoft.us", &us_government},
    Host{"microsoftgraph.chinacloudapi.cn", &china},
};

template <typename Hosts>
const Cloud* find(const Hosts& hosts, std::string_view host) {
  for (const Host& known : hosts) {
    if (same_text(known.host, host)) return known.cloud;
  }
  return nullptr;
}

}  // namespace

const Cloud* cloud_of_login_host(std::string_view host) {
  return find(login_hosts, host);
}
const Cloud* cloud_of_graph_host(std::string_view host) {
  return find(graph_hosts, host);
}

}  // namespace m365
