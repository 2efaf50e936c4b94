// Throttling as the Outlook service counts it (graph-mail.md section 15), and the record of what was asked.
#ifndef HOST_SIM_M365_THROTTLE_H_
#define HOST_SIM_M365_THROTTLE_H_

#include <cstddef>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "m365/json.h"
#include "m365/server/clock.h"

namespace embedded {

struct ThrottleLimits {
  bool on = true;
  std::size_t requests = 10'000;  // per app and mailbox in `window`
  std::chrono::seconds window{600};
  std::size_t concurrent = 4;              // per app and mailbox
  std::size_t upload_bytes = 150'000'000;  // request bodies of PATCH, POST, PUT in `upload_window`
  std::chrono::seconds upload_window{300};
};

class Throttle {
 public:
  explicit Throttle(const Clock& clock) : clock_(clock) {}

  // Holds one of the concurrent places until it is destroyed.
  class Place {
   public:
    Place() = default;
    Place(Throttle* owner, std::string key) : owner_(owner), key_(std::move(key)) {}
    ~Place() { release(); }
    Place(Place&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)), key_(std::move(other.key_)) {}
    Place& operator=(Place&& other) noexcept {
      release();
      owner_ = std::exchange(other.owner_, nullptr);
      key_ = std::move(other.key_);
      return *this;
    }

   private:
    void release();
    Throttle* owner_ = nullptr;
    std::string key_;
  };

  // Counts the request, refused or not (section 15: requests during the wait count too). Throws GraphError 429.
  Place enter(const std::string& app, const std::string& mailbox, std::size_t body_bytes);

  void set_limits(const ThrottleLimits& limits);
  ThrottleLimits limits() const;
  // The next `count` requests of this mailbox are refused.
  void refuse_next(const std::string& mailbox, std::size_t count, int retry_after);
  // Most requests seen at one time, by mailbox.
  std::map<std::string, std::size_t> peaks() const;
  // Forgets peaks and what was counted.
  void reset();

 private:
  struct Account {
    std::deque<std::pair<Time, std::size_t>> requests, bytes;  // in slices of the window
    std::size_t request_total = 0, byte_total = 0;
    std::size_t running = 0;
  };
  struct Refusals {
    std::size_t left = 0;
    int retry_after = 1;
  };
  static void age(std::deque<std::pair<Time, std::size_t>>& slices, std::size_t& total, Time since);
  void add(std::deque<std::pair<Time, std::size_t>>& slices, std::size_t& total, std::size_t amount,
           std::chrono::seconds window) const;

  const Clock& clock_;
  mutable std::mutex mutex_;
  // Guarded by mutex_:
  ThrottleLimits limits_;
  std::map<std::string, Account> accounts_;             // by app|mailbox
  std::map<std::string, std::size_t> running_, peaks_;  // by mailbox, whatever the app
  std::map<std::string, Refusals> refusals_;            // by mailbox
};

// Counts of operations: what a client asked for.
class Census {
 public:
  void count(const std::string& operation, const std::string& mailbox);
  void count_batch(std::size_t inner);
  Json report() const;
  void reset();

 private:
  mutable std::mutex mutex_;
  // Guarded by mutex_:
  std::map<std::string, std::size_t> operations_, mailboxes_;
  std::size_t total_ = 0, batches_ = 0, inner_ = 0;
};

}  // namespace embedded

#endif  // HOST_SIM_M365_THROTTLE_H_
