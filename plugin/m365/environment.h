// What all servers of one module share: the world's seams, the state, the gates of the mailboxes, the token sources.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "http/gate.h"
#include "http/poco_transport.h"
#include "http/transport.h"
#include "mail/clock.h"
#include "mail/log.h"
#include "mail/random.h"
#include "store/store.h"

namespace m365 {

class TokenSource;

/// Outlives every server made with it. Functions: any thread.
class Environment {
 public:
  using MakeTransport = std::function<std::shared_ptr<http::Transport>(const http::TransportOptions&)>;
  Environment(mail::Log& log, mail::Clock& clock, mail::Random& random, std::filesystem::path state_dir,
              MakeTransport make_transport);
  ~Environment();

  mail::Log& log() const { return log_; }
  mail::Clock& clock() const { return clock_; }
  mail::Random& random() const { return random_; }
  const std::filesystem::path& state_dir() const { return state_dir_; }

  /// The state file, opened at first use, shared while anyone holds it. Throws mail::FaultError (Cause::state_disk).
  std::shared_ptr<store::Store> store();
  /// One gate per (Graph origin, client id): fetching and sending of one app share it.
  std::shared_ptr<http::Gate> gate(const std::string& graph_origin, const std::string& client_id);
  /// One transport per set of options: connections are shared.
  std::shared_ptr<http::Transport> transport(const http::TransportOptions& options);
  /// The shared object under `key`, made by `make` when nobody holds one. For token sources.
  std::shared_ptr<TokenSource> token_source(const std::string& key,
                                            const std::function<std::shared_ptr<TokenSource>()>& make);

 private:
  mail::Log& log_;
  mail::Clock& clock_;
  mail::Random& random_;
  const std::filesystem::path state_dir_;
  const MakeTransport make_transport_;
  // Below: guarded by mutex_. Weak, so that what no server uses any more is closed.
  std::mutex mutex_;
  std::weak_ptr<store::Store> store_;
  std::map<std::string, std::weak_ptr<http::Gate>> gates_;
  std::map<std::string, std::weak_ptr<http::Transport>> transports_;
  std::map<std::string, std::weak_ptr<TokenSource>> token_sources_;
};

}  // namespace m365
