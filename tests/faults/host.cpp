#include "host.h"

#include <cstdio>
#include <deque>
#include <list>
#include <mutex>
#include <random>
#include <stdexcept>
#include <thread>
#include <utility>

#include "breaking_transport.h"
#include "fast_clock.h"
#include "http/poco_transport.h"
#include "m365/environment.h"
#include "m365/factories.h"

namespace faults {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t workers = 2;  // of each server: few, so that a round can be repeated
constexpr std::size_t kept_lines = 60;
constexpr milliseconds look{1};  // how often the host looks whether everybody waits

class Log final : public mail::Log {
 public:
  explicit Log(bool verbose) : verbose_(verbose) {}
  void write(mail::Level level, std::string_view source, std::string_view line) override {
    std::string text = std::string(source) + ": " + std::string(line);
    const std::lock_guard lock(mutex_);
    if (verbose_) std::fprintf(stderr, "    %u %s\n", static_cast<unsigned>(level), text.c_str());
    if (level < mail::Level::info) return;
    lines_.push_back(std::move(text));
    if (lines_.size() > kept_lines) lines_.pop_front();
  }
  std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    return {lines_.begin(), lines_.end()};
  }

 private:
  const bool verbose_;
  mutable std::mutex mutex_;
  std::deque<std::string> lines_;  // guarded by mutex_
};

class SeededRandom final : public mail::Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t below(std::uint64_t bound) override {
    const std::lock_guard lock(mutex_);
    return std::uniform_int_distribution<std::uint64_t>(0, bound - 1)(engine_);
  }

 private:
  std::mutex mutex_;
  std::mt19937_64 engine_;  // guarded by mutex_
};

class Refusals final : public mail::Problems {
 public:
  void add(std::string_view key, std::string_view sentence) override {
    throw std::runtime_error("setting " + std::string(key) + ": " + std::string(sentence));
  }
};

class Administrator final : public mail::ServerListener {
 public:
  explicit Administrator(std::string secret) : secret_(std::move(secret)) {}
  void on_health(mail::MailboxId, const mail::Health&) override {}
  std::optional<mail::Secret> read_secret(mail::MailboxId, std::string_view) override { return secret_; }

 private:
  const std::string secret_;
};

class StringSource final : public mail::ByteSource {
 public:
  explicit StringSource(const std::string& bytes) : left_(bytes) {}
  std::size_t read(char* buffer, std::size_t capacity) override {
    const std::size_t got = left_.copy(buffer, capacity);
    left_.remove_prefix(got);
    return got;
  }

 private:
  std::string_view left_;
};

std::string read_all(const mail::Part& part) {
  const auto source = part.open();
  std::string bytes;
  char buffer[8192];
  while (const std::size_t got = source->read(buffer, sizeof buffer)) bytes.append(buffer, got);
  return bytes;
}

mail::Mail mail_of(const Reply& reply) {
  mail::Mail mail;
  mail.stable_id = reply.key;
  mail.from.address = reply.from;
  mail.to = {{"", reply.to}};
  mail.subject = reply.subject;
  mail.in_reply_to = reply.in_reply_to;
  mail.references = {reply.in_reply_to};
  static const std::string text = "We have looked into it.\n";
  mail::Part body;
  body.kind = mail::PartKind::text;
  body.media_type = "text/plain; charset=utf-8";
  body.size_hint = static_cast<std::int64_t>(text.size());
  body.open = [] { return std::make_unique<StringSource>(text); };
  mail.parts.push_back(std::move(body));
  for (const File& file : reply.files) {
    mail::Part part;
    part.kind = mail::PartKind::attachment;
    part.file_name = file.name;
    part.media_type = "application/octet-stream";
    part.size_hint = static_cast<std::int64_t>(file.bytes.size());
    part.open = [&file] { return std::make_unique<StringSource>(file.bytes); };
    mail.parts.push_back(std::move(part));
  }
  return mail;
}

const char* word(mail::Verdict verdict) {
  switch (verdict) {
    case mail::Verdict::accepted:
      return "accepted";
    case mail::Verdict::rejected:
      return "rejected";
    case mail::Verdict::uncertain:
      return "uncertain";
    default:
      return "";
  }
}

}  // namespace

struct Host::Impl {
  /// One mailbox's mails, read as a host reads them: every attachment, then the verdict.
  class Inbox final : public mail::MailboxListener {
   public:
    Inbox(Impl& host, std::string address) : host_(host), address_(std::move(address)) {}
    mail::Verdict on_message(mail::DeliveryId, const mail::Mail& mail, milliseconds&) override {
      Letter letter{address_, mail.subject, mail.internet_message_id, {}};
      letter.redelivered = (mail.flags & mail::redelivered) != 0;
      try {
        for (const mail::Part& part : mail.parts) {
          if (part.kind == mail::PartKind::attachment) letter.files.push_back({part.file_name, read_all(part)});
        }
      } catch (const mail::FaultError&) {
        return mail::Verdict::retry_later;
      }
      const std::lock_guard lock(host_.mutex);
      host_.accepted.push_back(std::move(letter));
      return mail::Verdict::accepted;
    }
    void on_idle() override {}

   private:
    Impl& host_;
    const std::string address_;
  };

  /// One reply until its fate is final.
  class Leaving final : public mail::SubmissionListener {
   public:
    Leaving(Impl& host, const Reply& the_reply) : reply(the_reply), mail(mail_of(reply)), host_(host) {}
    void on_sent(const mail::Outcome& outcome) override {
      const std::lock_guard lock(host_.mutex);
      if (outcome.verdict == mail::Verdict::retry_later) {
        ++fate.given_back;
        fate.reason = outcome.reason;
        due = host_.clock.now() + outcome.retry_after;
        waits = true;
      } else {
        fate.verdict = word(outcome.verdict);
        fate.reason = outcome.reason;
      }
    }

    const Reply reply;
    const mail::Mail mail;
    // Guarded by the host's mutex:
    Fate fate;
    mail::SteadyTime due{};
    bool waits = false;  ///< was given back

   private:
    Impl& host_;
  };

  explicit Impl(HostOptions the_options)
      : options(std::move(the_options)),
        clock(options.on_jump),
        log(options.verbose),
        random(options.seed),
        administrator(options.access.secret),
        environment(log, clock, random, options.state_dir, [this](const http::TransportOptions& wanted) {
          return make_breaking_transport(http::make_poco_transport(wanted, clock), clock, breaker);
        }) {
    const Access& to = options.access;
    Refusals refusals;
    incoming = m365::create_incoming(environment,
                                     {{"address", to.origin + "/" + to.tenant},
                                      {"authentication_type", "OAuth Service"},
                                      {"client_id", to.client_id},
                                      {"secret", to.secret},
                                      {"graph_endpoint", to.origin},
                                      {"ca_file", to.ca_file},
                                      {"workers", std::to_string(workers)}},
                                     administrator, refusals);
    outgoing = m365::create_outgoing(environment,
                                     {{"server", to.tenant},
                                      {"authentication_type", "OAuth Service"},
                                      {"server_user", to.client_id},
                                      {"password", to.secret},
                                      {"login_address", to.origin},
                                      {"graph_endpoint", to.origin},
                                      {"ca_file", to.ca_file},
                                      {"workers", std::to_string(workers)}},
                                     administrator, refusals);
    clock.expect_threads(2 * workers);
  }

  /// The earliest time at which the host itself has something to do; submits what is due.
  mail::SteadyTime submit_again() {
    mail::SteadyTime next = mail::SteadyTime::max();
    std::vector<Leaving*> now_due;
    {
      const std::lock_guard lock(mutex);
      for (Leaving& reply : replies) {
        if (!reply.waits) continue;
        if (reply.due > clock.now()) {
          next = std::min(next, reply.due);
        } else {
          reply.waits = false;
          now_due.push_back(&reply);
        }
      }
    }
    for (Leaving* reply : now_due) hand_over(*reply);
    return next;
  }

  void hand_over(Leaving& reply) {
    std::string why;
    if (outgoing->submit(reply.mail, reply, why) != mail::Taken::ok)
      throw std::runtime_error("submission " + reply.reply.key + " was refused: " + why);
  }

  const HostOptions options;
  FastClock clock;
  Log log;
  SeededRandom random;
  Breaker breaker;
  Administrator administrator;
  m365::Environment environment;

  mutable std::mutex mutex;
  // Guarded by mutex:
  std::vector<Letter> accepted;
  std::list<Leaving> replies;  // listeners: they stay where they are

  std::list<Inbox> inboxes;
  // Last: they call back into all above.
  std::unique_ptr<mail::IncomingServer> incoming;
  std::unique_ptr<mail::OutgoingServer> outgoing;
};

Host::Host(HostOptions options) {
  std::filesystem::create_directories(options.state_dir);
  impl_ = std::make_unique<Impl>(std::move(options));
}

Host::~Host() = default;

void Host::arm(const Break& what) {
  impl_->breaker.arm(what);
}
std::size_t Host::exchanges() const {
  return impl_->breaker.exchanges();
}
bool Host::broken() const {
  return impl_->breaker.broken();
}

void Host::open(const std::string& address) {
  Refusals refusals;
  impl_->inboxes.emplace_back(*impl_, address);
  impl_->incoming->open_mailbox({{"address", address}}, impl_->inboxes.back(), refusals);
}

void Host::start() {
  impl_->incoming->start();
  impl_->outgoing->start();
}

void Host::submit(const Reply& reply) {
  Impl::Leaving* leaving = nullptr;
  {
    const std::lock_guard lock(impl_->mutex);
    leaving = &impl_->replies.emplace_back(*impl_, reply);
  }
  impl_->hand_over(*leaving);
}

bool Host::run_until(const std::function<bool()>& done, milliseconds simulated, std::chrono::seconds real) {
  const mail::SteadyTime simulated_end = impl_->clock.now() + simulated;
  const auto real_end = std::chrono::steady_clock::now() + real;
  while (!done()) {
    if (impl_->clock.now() >= simulated_end || std::chrono::steady_clock::now() >= real_end) return false;
    impl_->clock.jump_if_quiet(std::min(impl_->submit_again(), simulated_end));
    std::this_thread::sleep_for(look);
  }
  return true;
}

bool Host::stop(milliseconds deadline) {
  const auto until = std::chrono::steady_clock::now() + deadline;
  const bool incoming = impl_->incoming->stop(deadline);
  const auto left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
  const bool outgoing = impl_->outgoing->stop(std::max(left, milliseconds(1)));
  return incoming && outgoing;
}

std::size_t Host::taken() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->accepted.size();
}

std::vector<Letter> Host::accepted() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->accepted;
}

std::map<std::string, Fate> Host::fates() const {
  const std::lock_guard lock(impl_->mutex);
  std::map<std::string, Fate> all;
  for (const Impl::Leaving& reply : impl_->replies) all.emplace(reply.reply.key, reply.fate);
  return all;
}

std::size_t Host::undecided() const {
  const std::lock_guard lock(impl_->mutex);
  std::size_t count = 0;
  for (const Impl::Leaving& reply : impl_->replies) count += reply.fate.verdict.empty() ? 1 : 0;
  return count;
}

milliseconds Host::jumped() const {
  return impl_->clock.jumped();
}

std::vector<std::string> Host::last_lines() const {
  return impl_->log.lines();
}

}  // namespace faults
