#include "m365/graph/throttle.h"

#include <algorithm>

#include "m365/graph/graph_error.h"

namespace embedded {

void Throttle::age(std::deque<std::pair<Time, std::size_t>>& slices, std::size_t& total, Time since) {
  while (!slices.empty() && slices.front().first <= since) {
    total -= slices.front().second;
    slices.pop_front();
  }
}

// A window is kept in a hundred slices: exact enough, and small.
void Throttle::add(std::deque<std::pair<Time, std::size_t>>& slices, std::size_t& total, std::size_t amount,
                   std::chrono::seconds window) const {
  const Time now = clock_.now();
  if (slices.empty() || now - slices.back().first > std::chrono::duration_cast<Milliseconds>(window) / 100) {
    slices.emplace_back(now, 0);
  }
  slices.back().second += amount;
  total += amount;
}

Throttle::Place Throttle::enter(const std::string& app, const std::string& mailbox, std::size_t body_bytes) {
  const std::lock_guard lock(mutex_);
  const std::string key = app + "|" + mailbox;
  Account& account = accounts_[key];
  const Time now = clock_.now();
  age(account.requests, account.request_total, now - limits_.window);
  age(account.bytes, account.byte_total, now - limits_.upload_window);
  add(account.requests, account.request_total, 1, limits_.window);
  if (body_bytes > 0) add(account.bytes, account.byte_total, body_bytes, limits_.upload_window);
  if (auto refused = refusals_.find(mailbox); refused != refusals_.end() && refused->second.left > 0) {
    --refused->second.left;
    throw GraphError(429, "TooManyRequests", "Please retry again later.", std::to_string(refused->second.retry_after));
  }
  if (limits_.on) {
    const auto wait = [&](const auto& slices, std::chrono::seconds window) {
      const auto left =
          std::chrono::duration_cast<std::chrono::seconds>(slices.front().first + window - now).count() + 1;
      return std::to_string(std::max<std::int64_t>(left, 1));
    };
    if (account.request_total > limits_.requests) {
      throw GraphError(429, "TooManyRequests", "Please retry again later.", wait(account.requests, limits_.window));
    }
    if (account.byte_total > limits_.upload_bytes && body_bytes > 0) {
      throw GraphError(429, "ApplicationThrottled", "Application is over its UploadBytes limit.",
                       wait(account.bytes, limits_.upload_window));
    }
    if (account.running >= limits_.concurrent) {
      throw GraphError(429, "ApplicationThrottled", "Application is over its MailboxConcurrency limit.", "1");
    }
  }
  ++account.running;
  auto& peak = peaks_[mailbox];
  peak = std::max(peak, ++running_[mailbox]);
  return Place(this, key);
}

void Throttle::Place::release() {
  if (owner_ == nullptr) return;
  const std::lock_guard lock(owner_->mutex_);
  --owner_->accounts_[key_].running;
  --owner_->running_[key_.substr(key_.find('|') + 1)];
  owner_ = nullptr;
}

void Throttle::set_limits(const ThrottleLimits& limits) {
  const std::lock_guard lock(mutex_);
  limits_ = limits;
}

ThrottleLimits Throttle::limits() const {
  const std::lock_guard lock(mutex_);
  return limits_;
}

void Throttle::refuse_next(const std::string& mailbox, std::size_t count, int retry_after) {
  const std::lock_guard lock(mutex_);
  refusals_[mailbox] = {count, retry_after};
}

std::map<std::string, std::size_t> Throttle::peaks() const {
  const std::lock_guard lock(mutex_);
  return peaks_;
}

void Throttle::reset() {
  const std::lock_guard lock(mutex_);
  peaks_.clear();
  for (auto& entry : accounts_) {
    entry.second.requests.clear();
    entry.second.bytes.clear();
    entry.second.request_total = entry.second.byte_total = 0;
  }
}

void Census::count(const std::string& operation, const std::string& mailbox) {
  const std::lock_guard lock(mutex_);
  ++operations_[operation];
  ++total_;
  if (!mailbox.empty()) ++mailboxes_[mailbox];
}

void Census::count_batch(std::size_t inner) {
  const std::lock_guard lock(mutex_);
  ++batches_;
  inner_ += inner;
}

Json Census::report() const {
  const std::lock_guard lock(mutex_);
  Json operations{Json::Object{}};
  for (const auto& entry : operations_) operations.object().emplace_back(entry.first, Json(entry.second));
  Json mailboxes{Json::Object{}};
  for (const auto& entry : mailboxes_) mailboxes.object().emplace_back(entry.first, Json(entry.second));
  return Json::Object{{"total", total_},
                      {"operations", operations},
                      {"mailboxes", mailboxes},
                      {"batches", batches_},
                      {"batched", inner_}};
}

void Census::reset() {
  const std::lock_guard lock(mutex_);
  operations_.clear();
  mailboxes_.clear();
  total_ = batches_ = inner_ = 0;
}

}  // namespace embedded
