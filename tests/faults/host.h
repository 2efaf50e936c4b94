// The client's half: the plugin's two servers as a contact center drives them, on a clock that jumps.
// No header of the plugin shows here; see service.h for why.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "letter.h"
#include "ways.h"

namespace faults {

struct HostOptions {
  Access access;
  std::filesystem::path state_dir;  ///< created if missing
  std::uint64_t seed = 1;
  /// Told of every jump of the clock.
  std::function<void(std::chrono::milliseconds)> on_jump;
  bool verbose = false;  ///< every log line to stderr at once
};

/// What the host was told of a reply.
struct Fate {
  std::string verdict;  ///< "accepted", "rejected", "uncertain"; empty: nothing final yet
  std::string reason;
  unsigned given_back = 0;  ///< how often the host had to submit it again
};

/// One thread, but for what is called back inside. Throws std::runtime_error when the plugin refuses the settings.
class Host {
 public:
  explicit Host(HostOptions options);
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  /// Of the exchanges from now on; only ways with Break::at_client() do anything.
  void arm(const Break& what);
  std::size_t exchanges() const;
  bool broken() const;

  void open(const std::string& address);
  void start();
  void submit(const Reply& reply);
  /// Lets time run and jump until `done` (true), or until so much simulated or real time has passed (false).
  bool run_until(const std::function<bool()>& done, std::chrono::milliseconds simulated, std::chrono::seconds real);
  /// Both servers, within `deadline` together. False: it passed.
  bool stop(std::chrono::milliseconds deadline);

  std::size_t taken() const;             ///< how many mails were accepted so far
  std::vector<Letter> accepted() const;  ///< in order
  std::map<std::string, Fate> fates() const;
  std::size_t undecided() const;                ///< replies without a final fate
  std::chrono::milliseconds jumped() const;     ///< simulated time that was jumped over
  std::vector<std::string> last_lines() const;  ///< of the log

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace faults
