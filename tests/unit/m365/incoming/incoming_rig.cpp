#include "m365/incoming/incoming_rig.h"

#include <cppunit/TestAssert.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>

namespace fake {
namespace {

class NoNetwork final : public http::Transport {
 public:
  std::unique_ptr<http::Exchange> open(const http::Request&, const http::TimeLimits&, std::stop_token) override {
    throw http::TransportError(http::TransportError::Kind::refused, false, "no network in this test");
  }
};

class NoProblems final : public mail::Problems {
 public:
  void add(std::string_view key, std::string_view sentence) override {
    CPPUNIT_FAIL(std::string(key) + ": " + std::string(sentence));
  }
};

}  // namespace

mail::SteadyTime TestClock::now() const {
  const std::lock_guard lock(mutex_);
  return mail::SteadyTime{} + std::chrono::hours(1) + passed_;
}

mail::WallTime TestClock::wall() const {
  const std::lock_guard lock(mutex_);
  return mail::WallTime(std::chrono::milliseconds(1'767'225'600'000)) + passed_;  // 2026-01-01T00:00:00Z
}

bool TestClock::pause(std::chrono::milliseconds time, std::stop_token stop) {
  if (stop.stop_requested()) return false;
  advance(time);
  return true;
}

void TestClock::wait_until(std::unique_lock<std::mutex>& lock, std::condition_variable_any& wake,
                           mail::SteadyTime until, std::stop_token stop) {
  if (now() >= until || stop.stop_requested()) return;
  {
    const std::lock_guard own(mutex_);
    Looks& looks = looks_[std::this_thread::get_id()];
    ++looks.times;
    looks.until = until;
    changed_.notify_all();
  }
  wake.wait_for(lock, std::chrono::microseconds(200));
}

void TestClock::advance(std::chrono::milliseconds time) {
  const std::lock_guard lock(mutex_);
  passed_ += time;
}

mail::SteadyTime TestClock::await_quiet(std::size_t count) const {
  std::unique_lock lock(mutex_);
  const auto await_looks = [&](unsigned times) {
    looks_.clear();
    changed_.wait(lock, [&] {
      return static_cast<std::size_t>(std::ranges::count_if(
                 looks_, [times](const auto& entry) { return entry.second.times >= times; })) >= count;
    });
  };
  await_looks(2);
  await_looks(1);  // nothing runs any more: what they wait for now is all there is
  mail::SteadyTime next = mail::SteadyTime::max();
  for (const auto& entry : looks_) next = std::min(next, entry.second.until);
  return next;
}

mail::Verdict Inbox::on_message(mail::DeliveryId delivery, const mail::Mail& mail,
                                std::chrono::milliseconds& retry_after) {
  Received now{delivery, mail.stable_id, mail.service_id, mail.subject, mail.flags};
  {
    const std::lock_guard lock(mutex_);
    if (++inside_ > 1) overlapped_ = true;
    received_.push_back(now);
    proposals_.push_back(retry_after);
  }
  const mail::Verdict verdict = decide ? decide(now, retry_after) : mail::Verdict::accepted;
  const std::lock_guard lock(mutex_);
  --inside_;
  return verdict;
}

void Inbox::on_idle() {
  const std::lock_guard lock(mutex_);
  ++idles_;
}

std::vector<Received> Inbox::received() const {
  const std::lock_guard lock(mutex_);
  return received_;
}

unsigned Inbox::idles() const {
  const std::lock_guard lock(mutex_);
  return idles_;
}

std::vector<std::chrono::milliseconds> Inbox::proposals() const {
  const std::lock_guard lock(mutex_);
  return proposals_;
}

bool Inbox::overlapped() const {
  const std::lock_guard lock(mutex_);
  return overlapped_;
}

void Watcher::on_health(mail::MailboxId mailbox, const mail::Health& now) {
  const std::lock_guard lock(mutex_);
  told_[mailbox].push_back(now);
}

std::optional<mail::Secret> Watcher::read_secret(mail::MailboxId, std::string_view key) {
  const std::lock_guard lock(mutex_);
  return key == "secret" ? secret_ : std::nullopt;
}

mail::Health Watcher::health(mail::MailboxId mailbox) const {
  const std::lock_guard lock(mutex_);
  const auto place = told_.find(mailbox);
  return place == told_.end() ? mail::Health{} : place->second.back();
}

std::vector<mail::Health> Watcher::history(mail::MailboxId mailbox) const {
  const std::lock_guard lock(mutex_);
  const auto place = told_.find(mailbox);
  return place == told_.end() ? std::vector<mail::Health>() : place->second;
}

void Watcher::set_secret(const std::string& secret) {
  const std::lock_guard lock(mutex_);
  secret_ = secret;
}

Rig::Rig() : world(std::make_shared<World>(clock)), tokens(std::make_shared<Tokens>()) {
  static std::atomic<unsigned> number{0};
  // In memory where that is to be had: what is tested here is not the disk's speed.
  const std::filesystem::path memory = "/dev/shm";
  dir = (std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path()) /
        ("incoming-" + std::to_string(getpid()) + "-" + std::to_string(++number));
  std::filesystem::create_directories(dir);
  settings.tenant.login_origin = "https://login.microsoftonline.com";
  settings.tenant.tenant = "contoso.onmicrosoft.com";
  settings.tenant.graph_origin = "https://graph.microsoft.com";
  settings.tenant.client_id = "e7e4dbfc-046f-4074-9b3b-2ae8f144f59b";
  settings.tenant.secret = "old";
  settings.tenant.workers = 2;
  make();
}

Rig::~Rig() {
  server.reset();
  environment.reset();
  std::error_code ignored;
  std::filesystem::remove_all(dir, ignored);
}

void Rig::make() {
  server.reset();
  environment = std::make_unique<m365::Environment>(
      log, clock, random, dir, [](const http::TransportOptions&) { return std::make_shared<NoNetwork>(); });
  m365::IncomingParts parts;
  parts.open_store = [this] { return std::make_shared<FlakyStore>(environment->store(), disk_fails, decisions); };
  parts.make_graph = [this](const std::string&, const mail::Secret&) {
    return std::make_unique<Graph>(*environment, settings.tenant, tokens, world);
  };
  parts.folders = std::make_shared<m365::FolderRegistry>();
  server = std::make_unique<m365::IncomingMailServer>(*environment, settings, watcher, std::move(parts));
}

void Rig::restart() {
  make();
}

mail::Settings Rig::address(mail::Settings more) const {
  mail::Settings all{{"address", support_user}};
  for (auto& entry : more) all[entry.first] = entry.second;
  return all;
}

mail::MailboxId Rig::open(Inbox& inbox, mail::Settings more) {
  NoProblems problems;
  return server->open_mailbox(address(std::move(more)), inbox, problems).value();
}

std::chrono::milliseconds Rig::next_step(std::chrono::milliseconds least) {
  const mail::SteadyTime next = clock.await_quiet(settings.tenant.workers - busy);
  if (next == mail::SteadyTime::max()) return least;
  // Not far at once: while calls are inside the host, further threads stand in for the workers, so that two that wait
  // do not prove that nothing runs.
  const auto due = std::chrono::ceil<std::chrono::milliseconds>(next - clock.now());
  return std::max(least, std::min<std::chrono::milliseconds>(due, std::chrono::seconds(2)));
}

void Rig::until(const std::string& what, const std::function<bool()>& condition, std::chrono::milliseconds step,
                std::chrono::milliseconds longest) {
  const mail::SteadyTime end = clock.now() + longest;
  while (clock.now() <= end) {
    if (condition()) return;
    const std::chrono::milliseconds by = next_step(step);
    if (condition()) return;
    clock.advance(by);
  }
  std::string lines;
  for (const auto& line : log.lines()) lines += "\n" + line.text;
  CPPUNIT_FAIL("never came: " + what + "; the log:" + lines);
}

void Rig::pass(std::chrono::milliseconds time, std::chrono::milliseconds step) {
  const mail::SteadyTime end = clock.now() + time;
  while (clock.now() < end) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - clock.now());
    clock.advance(std::min(next_step(step), left));
  }
  next_step(step);
}

void Rig::until_idle(const Inbox& inbox, unsigned times) {
  until("idle", [&] { return inbox.idles() >= times; });
}

void Rig::until_idle_while_busy(const Inbox& inbox, unsigned times) {
  busy = 1;
  until_idle(inbox, times);
  busy = 0;
}

}  // namespace fake
