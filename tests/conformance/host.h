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
  /// Done by every call of the log, when there is one. Not while a server runs, unless it was set before.
  std::function<void()> inside_log;
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
  /// Waits (at most a minute) until one told health satisfies the condition.
  bool wait_for(const std::function<bool(const Told&)>& wanted);
  /// Waits (likewise) until more than so many were told.
  bool wait_for_more_than(std::size_t count);
  std::size_t count() const;
  std::atomic<bool> throws{false};
  std::function<void()> inside;      ///< done by every on_health, when there is one; set it before the server starts
  std::atomic<Gate*> gate{nullptr};  ///< passed by every on_health, when there is one
  /// From now on read_secret is offered, and is this.
  void offer_secret(std::function<int64_t(char* buffer, uint64_t capacity)> read);

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Told> told_;
  std::function<int64_t(char*, uint64_t)> secret_;
};

}  // namespace conformance
