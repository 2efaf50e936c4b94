// The awkward host: a table, a folder, and everything the plugin ever said.
#pragma once

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "mailplugin/mailplugin.h"

namespace conformance {

/// The plugin under test, loaded once for the whole run.
mailplugin_entry_fn entry();
const std::string& settings_path();

class Host {
 public:
  Host();
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  mailplugin_host table{};
  std::vector<std::string> lines(uint32_t at_least = MAILPLUGIN_LOG_DEBUG) const;

  const mailplugin_module* enter();  ///< asserts success
  const mailplugin_server_type* type_with(const mailplugin_module* module, const char* interface_id);

 private:
  std::filesystem::path folder_;
  std::string folder_text_;
  mutable std::mutex mutex_;
  std::vector<std::pair<uint32_t, std::string>> lines_;
};

/// A callback that does not come back: it waits inside until the test opens the gate. Everything waits at most a
/// minute, so that a broken plugin fails a test instead of hanging it.
class Gate {
 public:
  void pass();            ///< by the callback
  bool someone_inside();  ///< waits until a callback is inside; false when none came
  void open();
  std::atomic<int> passed{0};

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool inside_ = false, open_ = false;
};

/// Server events; `on_health` may be replaced to misbehave.
class Events {
 public:
  struct Told {
    uint64_t mailbox = 0;
    uint32_t state = 0, cause = 0;
    std::string message;
  };
  Events();
  mailplugin_server_events table{};
  /// Waits (at most ten seconds) until one told health satisfies the condition.
  bool wait_for(const std::function<bool(const Told&)>& wanted);
  std::size_t count() const;
  std::atomic<bool> throws{false};
  std::atomic<Gate*> gate{nullptr};  ///< passed by every on_health, when there is one

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Told> told_;
};

}  // namespace conformance
