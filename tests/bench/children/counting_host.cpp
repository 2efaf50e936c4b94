#include "children/counting_host.h"

#include <dlfcn.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>

#include "children/percentiles.h"
#include "mailplugin/mailplugin.h"

namespace bench {
namespace {

using std::chrono::steady_clock;
using std::chrono::system_clock;

struct Options {
  std::string plugin, state, origin, ca, after_fetch = "mark_read", poll = "10", workers = "8";
  unsigned mailboxes = 1;
  std::uint64_t expect = 0;
  double seconds = 0;  ///< 0: until what is expected came
  bool reads = false;  ///< the attachments too
  unsigned replies = 0, reply_mailboxes = 1;
  double replies_a_second = 20;
};

Options options_of(const std::vector<std::string>& arguments) {
  Options o;
  const std::map<std::string, std::string*> texts{
      {"--plugin", &o.plugin}, {"--state", &o.state},     {"--origin", &o.origin},          {"--ca", &o.ca},
      {"--poll", &o.poll},     {"--workers", &o.workers}, {"--after-fetch", &o.after_fetch}};
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& name = arguments[i];
    if (name == "--read") {
      o.reads = true;
      continue;
    }
    const std::string& value = arguments.at(++i);
    if (const auto text = texts.find(name); text != texts.end()) {
      *text->second = value;
    } else if (name == "--mailboxes") {
      o.mailboxes = static_cast<unsigned>(std::stoul(value));
    } else if (name == "--expect") {
      o.expect = std::stoull(value);
    } else if (name == "--for") {
      o.seconds = std::stod(value);
    } else if (name == "--replies") {
      o.replies = static_cast<unsigned>(std::stoul(value));
    } else if (name == "--reply-mailboxes") {
      o.reply_mailboxes = static_cast<unsigned>(std::stoul(value));
    } else if (name == "--replies-a-second") {
      o.replies_a_second = std::stod(value);
    } else {
      throw std::runtime_error("counting host: " + name + " is none of its options");
    }
  }
  return o;
}

mailplugin_text view(std::string_view text) {
  return {text.data(), text.size()};
}

std::string number(unsigned value) {
  std::string digits = std::to_string(value);
  return std::string(5 - std::min<std::size_t>(5, digits.size()), '0') + digits;
}

/// What everybody counts into.
struct Counts {
  std::mutex mutex;
  std::condition_variable changed;
  // Guarded by mutex:
  std::uint64_t mails = 0, again = 0, bytes = 0, idle = 0, faults = 0, sent = 0, failed = 0;
  std::vector<double> arrival_ms, reply_ms;
};

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

/// A reply that leaves; its parts, its times.
struct Reply {
  Counts* counts = nullptr;
  std::string key, from, to, subject, answered, text = "We have looked into it.\r\nIt arrives tomorrow.\r\n";
  std::size_t at = 0;
  steady_clock::time_point submitted;
  mailplugin_address recipient{};
  mailplugin_stream stream{};
  mailplugin_part part{};
  const mailplugin_part* parts[1] = {};
  mailplugin_message message{};
  mailplugin_submission submission{};
};

std::int64_t read_reply(const mailplugin_stream* stream, void* buffer, std::uint64_t capacity) {
  auto& reply = *static_cast<Reply*>(stream->ctx);
  const std::size_t size = reply.text.copy(static_cast<char*>(buffer), static_cast<std::size_t>(capacity), reply.at);
  reply.at += size;
  return static_cast<std::int64_t>(size);
}

void close_reply(const mailplugin_stream*) {}

const mailplugin_stream* open_reply(const mailplugin_part* part) {
  auto& reply = *static_cast<Reply*>(part->ctx);
  reply.at = 0;
  return &reply.stream;
}

void on_sent(const mailplugin_submission* submission, const mailplugin_outcome* outcome) {
  const auto& reply = *static_cast<Reply*>(submission->ctx);
  const double ms = std::chrono::duration<double, std::milli>(steady_clock::now() - reply.submitted).count();
  const std::lock_guard lock(reply.counts->mutex);
  ++reply.counts->sent;
  reply.counts->reply_ms.push_back(ms);
  if (outcome->verdict != MAILPLUGIN_ACCEPTED) {
    ++reply.counts->failed;
    std::fprintf(stderr, "%s: %s\n", reply.key.c_str(), outcome->reason == nullptr ? "" : outcome->reason);
  }
  reply.counts->changed.notify_all();
}

void fill(Reply& reply, Counts& counts, unsigned index, unsigned mailboxes) {
  const std::string box = number(index % mailboxes), mail = "000" + number(index / mailboxes);
  reply.counts = &counts;
  reply.key = "reply-" + std::to_string(index);
  reply.from = "m" + box + "@bench.example";
  reply.to = "customer" + mail + "@fabrikam.example";
  reply.subject = "Re: Order " + mail;
  reply.answered = "<bench." + box + "." + mail + "@fabrikam.example>";
  reply.recipient = {view(""), view(reply.to)};
  reply.stream.struct_size = sizeof reply.stream;
  reply.stream.ctx = &reply;
  reply.stream.read = &read_reply;
  reply.stream.close = &close_reply;
  reply.part.struct_size = sizeof reply.part;
  reply.part.kind = MAILPLUGIN_PART_TEXT;
  reply.part.ctx = &reply;
  reply.part.media_type = view("text/plain; charset=utf-8");
  reply.part.size_hint = static_cast<std::int64_t>(reply.text.size());
  reply.part.open = &open_reply;
  reply.parts[0] = &reply.part;
  reply.message.struct_size = sizeof reply.message;
  reply.message.stable_id = view(reply.key);
  reply.message.in_reply_to = view(reply.answered);
  reply.message.subject = view(reply.subject);
  reply.message.from = {view(""), view(reply.from)};
  reply.message.to = &reply.recipient;
  reply.message.to_count = 1;
  reply.message.size_bytes = -1;
  reply.message.parts = reply.parts;
  reply.message.part_count = 1;
  reply.submission.struct_size = sizeof reply.submission;
  reply.submission.ctx = &reply;
  reply.submission.on_sent = &on_sent;
}

/// Settings whose texts live as long as this.
class Settings {
 public:
  void add(const char* key, std::string value) {
    texts_.push_back(std::move(value));
    items_.push_back({key, view(texts_.back())});
  }
  mailplugin_settings get() const {
    return {sizeof(mailplugin_settings), static_cast<std::uint32_t>(items_.size()), items_.data()};
  }

 private:
  std::deque<std::string> texts_;
  std::vector<mailplugin_setting> items_;
};

template <typename Interface>
const Interface* interface_of(const mailplugin_server* server, const char* id) {
  return static_cast<const Interface*>(server->get_interface(server, id));
}

class CountingHost {
 public:
  explicit CountingHost(const Options& options) : options_(options) {
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
      each.add("address", "m" + number(i) + "@bench.example");
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
      fill(reply, counts_, i, options_.reply_mailboxes);
      reply.submitted = steady_clock::now();
      if (outgoing->submit(outgoing_, &reply.message, &reply.submission) != MAILPLUGIN_OK)
        throw std::runtime_error("a reply was not taken");
    }
  }

  bool complete() const {
    return counts_.idle == mailboxes_.size() && counts_.mails >= options_.expect && counts_.sent == options_.replies;
  }

  /// False: ended before what was expected came.
  bool run(const std::atomic<bool>& stop) {
    const auto begun = steady_clock::now();
    if (options_.mailboxes > 0) open_mailboxes();
    if (options_.replies > 0) {
      open_outgoing();
      submit_replies(stop);
    }
    {
      std::unique_lock lock(counts_.mutex);
      const auto over = [&] {
        if (stop) return true;
        if (options_.seconds > 0) return steady_clock::now() - begun >= std::chrono::duration<double>(options_.seconds);
        return complete();
      };
      while (!over()) counts_.changed.wait_for(lock, std::chrono::milliseconds(50));
    }
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

  const Options options_;
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
  CountingHost host(options_of(arguments));
  const bool all = host.run(asked_to_end);
  return all ? 0 : 1;
}

}  // namespace bench
