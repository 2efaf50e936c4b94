#include "m365/incoming/incoming_core.h"

#include <utility>

#include "m365/incoming/delivery_verdict.h"
#include "m365/incoming/stream.h"

namespace m365 {

std::string FolderRegistry::claim(const store::StreamKey& folder, const void* owner, const std::string& address) {
  const std::lock_guard lock(mutex_);
  const auto key = std::make_pair(folder.tenant, folder.folder_id);
  const auto present = holders_.find(key);
  if (present != holders_.end() && present->second.owner != owner) return present->second.address;
  if (const auto before = held_.find(owner); before != held_.end()) holders_.erase(before->second);
  holders_[key] = {owner, address};
  held_[owner] = key;
  return {};
}

void FolderRegistry::release(const void* owner) {
  const std::lock_guard lock(mutex_);
  const auto place = held_.find(owner);
  if (place == held_.end()) return;
  holders_.erase(place->second);
  held_.erase(place);
}

IncomingCore::IncomingCore(Environment& environment, IncomingSettings the_settings, mail::ServerListener& to,
                           IncomingParts the_parts)
    : log(environment.log()),
      clock(environment.clock()),
      random(environment.random()),
      listener(to),
      settings(std::move(the_settings)),
      parts(std::move(the_parts)),
      schedule(environment.clock(), mail::Schedule::most_slow(settings.tenant.workers)),
      health([this](const mail::Health& now) { in_host(nullptr, [this, &now] { listener.on_health(0, now); }); }) {}

std::shared_ptr<store::Store> IncomingCore::store() {
  const std::lock_guard lock(store_mutex_);
  if (store_) return store_;
  if (store_fault_ && now() < store_tried_ + std::chrono::seconds(10)) throw mail::FaultError(*store_fault_);
  try {
    store_ = parts.open_store();
    store_fault_.reset();
    return store_;
  } catch (const mail::FaultError& error) {
    store_fault_ = error.fault();
    store_tried_ = now();
    throw;
  }
}

void IncomingCore::close_store() {
  const std::lock_guard lock(store_mutex_);
  store_.reset();
  store_fault_.reset();
}

GraphClient& IncomingCore::graph(Account& account) {
  const std::lock_guard lock(account.mutex);
  if (!account.graph) account.graph = parts.make_graph(account.user, account.password);
  return *account.graph;
}

std::chrono::milliseconds IncomingCore::jittered(std::chrono::milliseconds time) const {
  const auto quarter = static_cast<std::uint64_t>(time.count() / 4);
  return time - std::chrono::milliseconds(quarter / 2) +
         std::chrono::milliseconds(quarter == 0 ? 0 : random.below(quarter));
}

bool IncomingCore::in_host(Stream* stream, const std::function<void()>& call) {
  std::unique_lock lock(door_mutex_);
  if (workers_ == nullptr || (stream != nullptr && stream->closed)) return false;
  mail::Workers& workers = *workers_;
  if (stream != nullptr) ++stream->calls;
  lock.unlock();
  struct Leave {
    IncomingCore& core;
    Stream* stream;
    ~Leave() {
      if (stream == nullptr) return;
      const std::lock_guard relock(core.door_mutex_);
      --stream->calls;
      core.door_.notify_all();
    }
  } leave{*this, stream};
  const mail::Workers::InHost inside(workers);
  call();
  return true;
}

void IncomingCore::open_door(mail::Workers& workers) {
  const std::lock_guard lock(door_mutex_);
  workers_ = &workers;
}

void IncomingCore::close_door() {
  const std::lock_guard lock(door_mutex_);
  workers_ = nullptr;
  door_.notify_all();
}

bool IncomingCore::door_is_open(const Stream& stream) {
  const std::lock_guard lock(door_mutex_);
  return workers_ != nullptr && !stream.closed;
}

void IncomingCore::close_stream(Stream& stream) {
  std::unique_lock lock(door_mutex_);
  stream.closed = true;
  door_.wait(lock, [&stream] { return stream.calls == 0; });
}

mail::DeliveryId IncomingCore::add(std::shared_ptr<Delivery> delivery) {
  const std::lock_guard lock(deliveries_mutex_);
  deliveries_.emplace(++last_delivery_, std::move(delivery));
  return last_delivery_;
}

std::shared_ptr<Delivery> IncomingCore::find(mail::DeliveryId id) {
  const std::lock_guard lock(deliveries_mutex_);
  const auto place = deliveries_.find(id);
  return place == deliveries_.end() ? nullptr : place->second;
}

std::shared_ptr<Delivery> IncomingCore::take(mail::DeliveryId id) {
  const std::lock_guard lock(deliveries_mutex_);
  const auto place = deliveries_.find(id);
  if (place == deliveries_.end()) return nullptr;
  std::shared_ptr<Delivery> delivery = std::move(place->second);
  deliveries_.erase(place);
  return delivery;
}

void IncomingCore::abandon(const Stream* stream) {
  const std::lock_guard lock(deliveries_mutex_);
  for (auto place = deliveries_.begin(); place != deliveries_.end();) {
    if (stream == nullptr || place->second->stream.get() == stream) {
      abandoned_.push_back(std::move(place->second));
      place = deliveries_.erase(place);
    } else {
      ++place;
    }
  }
}

}  // namespace m365
