#include "children/counting_host.h"

#include <dlfcn.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <deque>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>

#include "children/counting_options.h"
#include "children/counts.h"
#include "children/percentiles.h"
#include "children/reply.h"
#include "mailplugin/mailplugin.h"

namespace bench {
namespace {

using std::chrono::steady_clock;
using std::chrono::system_clock;

struct Mailbox {
  Counts* counts = nullptr;
  bool reads = false, idle = false;
  mailplugin_mailbox_events events{};
};

/// The load server writes the time of arrival, in microseconds, at the end of the subject.
double age_ms(const mailplugin_text& subject) {
  const std::string_view text(subject.data, static_cast<std::size_t>(subject.size));
  const std::size_t at = text.rfind(' ');
  if (at == std::string_view::npos) return 0;
  const double arrived = std::strtod(std::string(text.substr(at + 1)).c_str(), nullptr);
  const auto now = std::chrono::duration<double, std::micro>(system_clock::now().time_since_epoch()).count();
  return (now - arrived) / 1000;
}

std::uint64_t read_parts(const mailplugin_message& mail) {
  std::uint64_t sum = 0;
  std::vector<char> buffer(64 * 1024);
  for (std::uint32_t i = 0; i < mail.part_count; ++i) {
    const mailplugin_part* part = mail.parts[i];
    if (part->kind != MAILPLUGIN_PART_ATTACHMENT && part->kind != MAILPLUGIN_PART_INLINE) continue;
    const mailplugin_stream* stream = part->open(part);
    if (stream == nullptr) continue;
    for (;;) {
      const std::int64_t got = stream->read(stream, buffer.data(), buffer.size());
      if (got <= 0) break;
      sum += static_cast<std::uint64_t>(got);
    }
    stream->close(stream);
  }
  return sum;
}

mailplugin_verdict on_message(const mailplugin_mailbox_events* events, std::uint64_t, const mailplugin_message* mail,
                              std::uint32_t*) {
  auto& mailbox = *static_cast<Mailbox*>(events->ctx);
  const std::uint64_t bytes = mailbox.reads ? read_parts(*mail) : 0;
  const double age = age_ms(mail->subject);
  Counts& counts = *mailbox.counts;
  const std::lock_guard lock(counts.mutex);
  ++counts.mails;
  counts.bytes += bytes;
  if ((mail->flags & MAILPLUGIN_REDELIVERED) != 0) ++counts.again;
  counts.arrival_ms.push_back(age);
  return MAILPLUGIN_ACCEPTED;
}

void on_idle(const mailplugin_mailbox_events* events) {
  auto& mailbox = *static_cast<Mailbox*>(events->ctx);
  const std::lock_guard lock(mailbox.counts->mutex);
  if (!std::exchange(mailbox.idle, true)) ++mailbox.counts->idle;
  mailbox.counts->changed.notify_all();
}

void on_log(const mailplugin_host* host, std::uint32_t level, const char* source, const char* line) {
  if (level < MAILPLUGIN_LOG_WARNING) return;
  std::fprintf(stderr, "%s: %s\n", source, line);
  auto& counts = *static_cast<Counts*>(host->ctx);
  const std::lock_guard lock(counts.mutex);
  ++counts.faults;
}

void on_health(const mailplugin_server_events*, std::uint64_t, const mailplugin_health*) {}

void on_problem(const mailplugin_problems*, const char* key, const char* message) {
  std::fprintf(stderr, "%s: %s\n", key == nullptr ? "" : key, message);
}

template <typename Interface>
const Interface* interface_of(const mailplugin_server* server, const char* id) {
  return static_cast<const Interface*>(server->get_interface(server, id));
}

class CountingHost {
 public:
  explicit CountingHost(const CountingOptions& options) : options_(options) {
    host_.struct_size = sizeof host_;
    host_.abi_minor = MAILPLUGIN_ABI_MINOR;
    host_.ctx = &counts_;
    host_.name = "counting host";
    host_.version = "1";
    host_.state_dir = options_.state.c_str();
    host_.log = &on_log;
    host_.get_extension = [](const mailplugin_host*, const char*) -> const void* { return nullptr; };
    events_.struct_size = sizeof events_;
    events_.on_health = &on_health;
    problems_.struct_size = sizeof problems_;
    problems_.add = &on_problem;
    void* const library = ::dlopen(options_.plugin.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) throw std::runtime_error(::dlerror());
    const auto entry = reinterpret_cast<mailplugin_entry_fn>(::dlsym(library, MAILPLUGIN_ENTRY_SYMBOL));
    if (entry == nullptr || entry(&host_, &module_) != MAILPLUGIN_OK)
      throw std::runtime_error(options_.plugin + " gives no module");
  }

  ~CountingHost() {
    for (const mailplugin_server* server : {incoming_, outgoing_}) {
      if (server != nullptr) server->destroy(server);
    }
    module_->shutdown();
  }
  CountingHost(const CountingHost&) = delete;
  CountingHost& operator=(const CountingHost&) = delete;

  void open_mailboxes() {
    Settings settings;
    settings.add("address", options_.origin + "/contoso.example");
    settings.add("authentication_type", "OAuth Service");
    settings.add("client_id", "e7e4dbfc-046f-4074-9b3b-2ae8f144f59b");
    settings.add("secret", "of-the-load-server");
    settings.add("graph_endpoint", options_.origin);
    settings.add("ca_file", options_.ca);
    settings.add("poll_seconds", options_.poll);
    settings.add("workers", options_.workers);
    incoming_ = create(MAILPLUGIN_INCOMING, settings);
    const auto* incoming = interface_of<mailplugin_incoming>(incoming_, MAILPLUGIN_INCOMING);
    for (unsigned i = 0; i < options_.mailboxes; ++i) {
      Mailbox& mailbox = mailboxes_.emplace_back();
      mailbox.counts = &counts_;
      mailbox.reads = options_.reads;
      mailbox.events.struct_size = sizeof mailbox.events;
      mailbox.events.ctx = &mailbox;
      mailbox.events.on_message = &on_message;
      mailbox.events.on_idle = &on_idle;
      Settings each;
      each.add("address", "m" + five_digits(i) + "@bench.example");
      each.add("after_fetch", options_.after_fetch);
      each.add("first_fetch_limit", "0");
      each.add("max_email_size_kb", "1000000");
      const mailplugin_settings given = each.get();
      std::uint64_t id = 0;
      if (incoming->open_mailbox(incoming_, &given, &mailbox.events, &problems_, &id) != MAILPLUGIN_OK)
        throw std::runtime_error("a mailbox cannot be opened");
    }
    start(incoming_);
  }

  void open_outgoing() {
    Settings settings;
    settings.add("server", "contoso.example");
    settings.add("authentication_type", "OAuth Service");
    settings.add("server_user", "e7e4dbfc-046f-4074-9b3b-2ae8f144f59b");
    settings.add("password", "of-the-load-server");
    settings.add("login_address", options_.origin);
    settings.add("graph_endpoint", options_.origin);
    settings.add("ca_file", options_.ca);
    settings.add("workers", "16");  // the default of 8 is busy to the last with 20 replies a second at 50 ms
    outgoing_ = create(MAILPLUGIN_OUTGOING, settings);
    start(outgoing_);
  }

  /// At an even pace, so that the times are those of sending and not of a queue of our own making.
  void submit_replies(const std::atomic<bool>& stop) {
    const auto* outgoing = interface_of<mailplugin_outgoing>(outgoing_, MAILPLUGIN_OUTGOING);
    const auto begun = steady_clock::now();
    for (unsigned i = 0; i < options_.replies && !stop; ++i) {
      std::this_thread::sleep_until(begun + std::chrono::duration_cast<steady_clock::duration>(
                                                std::chrono::duration<double>(i / options_.replies_a_second)));
      Reply& reply = replies_.emplace_back();
      fill_reply(reply, counts_, i, options_.reply_mailboxes);
      reply.submitted = steady_clock::now();
      if (outgoing->submit(outgoing_, &reply.message, &reply.submission) != MAILPLUGIN_OK)
        throw std::runtime_error("a reply was not taken");
    }
  }

  /// Waits until `done`, which is asked under the counts' mutex, or until somebody asks to end.
  template <typename Done>
  void wait(const std::atomic<bool>& stop, Done done) {
    std::unique_lock lock(counts_.mutex);
    while (!stop && !done()) counts_.changed.wait_for(lock, std::chrono::milliseconds(50));
  }

  /// False: ended before what was expected came.
  bool run(const std::atomic<bool>& stop) {
    const auto end = steady_clock::now() + std::chrono::duration<double>(options_.seconds);
    const auto idle = [this] { return counts_.idle == mailboxes_.size(); };
    if (options_.mailboxes > 0) open_mailboxes();
    if (options_.replies_when_idle) wait(stop, idle);
    if (options_.replies > 0) {
      open_outgoing();
      submit_replies(stop);
    }
    wait(stop, [&] {
      if (options_.seconds > 0) return steady_clock::now() >= end;
      if (counts_.sent != options_.replies) return false;
      return options_.replies_are_all || (idle() && counts_.mails >= options_.expect);
    });
    for (const mailplugin_server* server : {incoming_, outgoing_}) {
      if (server != nullptr && server->stop(server, 30'000) != MAILPLUGIN_OK)
        throw std::runtime_error("the plugin does not stop");
    }
    const std::lock_guard lock(counts_.mutex);
    const Percentiles arrival = percentiles(counts_.arrival_ms), reply = percentiles(counts_.reply_ms);
    std::printf(
        "{\"mails\":%llu,\"again\":%llu,\"bytes\":%llu,\"faults\":%llu,\"sent\":%llu,\"failed\":%llu,"
        "\"arrival_median\":%.1f,\"arrival_p99\":%.1f,\"reply_median\":%.1f,\"reply_p99\":%.1f}\n",
        static_cast<unsigned long long>(counts_.mails), static_cast<unsigned long long>(counts_.again),
        static_cast<unsigned long long>(counts_.bytes), static_cast<unsigned long long>(counts_.faults),
        static_cast<unsigned long long>(counts_.sent), static_cast<unsigned long long>(counts_.failed), arrival.median,
        arrival.p99, reply.median, reply.p99);
    return counts_.mails >= options_.expect && counts_.sent == options_.replies && counts_.failed == 0;
  }

 private:
  const mailplugin_server* create(const char* id, const Settings& settings) {
    for (std::uint32_t i = 0; i < module_->server_type_count; ++i) {
      const mailplugin_server_type* type = module_->server_types[i];
      for (const char* const* offered = type->interfaces; *offered != nullptr; ++offered) {
        if (std::strcmp(*offered, id) != 0) continue;
        const mailplugin_settings given = settings.get();
        const mailplugin_server* server = nullptr;
        if (type->create(type, &given, &events_, &problems_, &server) == MAILPLUGIN_OK) return server;
        throw std::runtime_error(std::string(id) + ": the settings are refused");
      }
    }
    throw std::runtime_error(std::string(id) + ": no such server type");
  }

  static void start(const mailplugin_server* server) {
    if (server->start(server) != MAILPLUGIN_OK) throw std::runtime_error("a server does not start");
  }

  const CountingOptions options_;
  Counts counts_;
  mailplugin_host host_{};
  mailplugin_server_events events_{};
  mailplugin_problems problems_{};
  std::deque<Mailbox> mailboxes_;
  std::deque<Reply> replies_;
  const mailplugin_module* module_ = nullptr;
  const mailplugin_server *incoming_ = nullptr, *outgoing_ = nullptr;
};

std::atomic<bool> asked_to_end{false};

}  // namespace

int run_counting_host(const std::vector<std::string>& arguments) {
  struct sigaction action {};
  action.sa_handler = [](int) { asked_to_end = true; };
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGINT, &action, nullptr);
  CountingHost host(counting_options(arguments));
  const bool all = host.run(asked_to_end);
  return all ? 0 : 1;
}

}  // namespace bench
