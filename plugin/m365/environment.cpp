#include "m365/environment.h"

#include <utility>

#include "m365/digest.h"
#include "m365/sign_in/token_source.h"

namespace m365 {
namespace {

// Callers hold the environment's mutex. Making happens under it too: two servers that start together must share.
template <typename T, typename Make>
std::shared_ptr<T> shared_under(std::map<std::string, std::weak_ptr<T>>& held, const std::string& key, Make make) {
  std::weak_ptr<T>& slot = held[key];
  if (auto present = slot.lock()) return present;
  std::shared_ptr<T> made = make();
  slot = made;
  return made;
}

}  // namespace

Environment::Environment(mail::Log& log, mail::Clock& clock, mail::Random& random, std::filesystem::path state_dir,
                         MakeTransport make_transport)
    : log_(log),
      clock_(clock),
      random_(random),
      state_dir_(std::move(state_dir)),
      make_transport_(std::move(make_transport)) {}

Environment::~Environment() = default;

std::shared_ptr<store::Store> Environment::store() {
  const std::lock_guard lock(mutex_);
  if (auto present = store_.lock()) return present;
  auto opened = store::Store::open(state_dir_, log_, [&clock = clock_] { return clock.wall(); });
  store_ = opened;
  return opened;
}

std::shared_ptr<http::Gate> Environment::gate(const std::string& graph_origin, const std::string& client_id) {
  const std::lock_guard lock(mutex_);
  return shared_under(gates_, graph_origin + "|" + client_id, [this] { return std::make_shared<http::Gate>(clock_); });
}

std::shared_ptr<http::Transport> Environment::transport(const http::TransportOptions& options) {
  const std::lock_guard lock(mutex_);
  // The key outlives the transport, and a proxy may have a password in it.
  return shared_under(transports_, options.ca_file + "|" + digest(options.proxy),
                      [&] { return make_transport_(options); });
}

std::shared_ptr<TokenSource> Environment::token_source(const std::string& key,
                                                       const std::function<std::shared_ptr<TokenSource>()>& make) {
  const std::lock_guard lock(mutex_);
  return shared_under(token_sources_, key, make);
}

}  // namespace m365
