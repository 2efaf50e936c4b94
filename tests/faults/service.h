// The service's half: the embedded Microsoft 365 in this process, over TLS, with one exchange broken on request.
// No header of it shows here: both rooms under test are included as "m365/...", so no file may see both.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "letter.h"
#include "ways.h"

namespace faults {

/// Any thread. Throws std::runtime_error when it cannot listen.
class Service {
 public:
  /// `dir` takes the CA's certificate; created if missing.
  explicit Service(const std::filesystem::path& dir);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  Access access() const;

  void make_mailbox(const std::string& address);
  void remove_mailbox(const std::string& address);
  /// A mail that arrived now.
  void put(const std::string& address, const std::string& mime);

  /// From now on exchanges are counted from 1 again, and `what` happens to its one; nothing else is broken.
  void arm(const Break& what);
  std::size_t exchanges() const;
  bool broken() const;  ///< the fault of arm() has happened

  /// In step with the client's clock.
  void advance(std::chrono::milliseconds by);

  std::size_t unread(const std::string& address) const;
  /// What lies in a folder, by well-known name.
  std::vector<Letter> letters(const std::string& address, const std::string& folder) const;
  /// Subjects of the messages in a folder of a mailbox.
  std::vector<std::string> subjects(const std::string& address, const std::string& folder) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace faults
