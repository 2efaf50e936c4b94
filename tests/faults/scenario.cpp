#include "scenario.h"

#include <algorithm>
#include <functional>
#include <map>
#include <random>
#include <thread>
#include <utility>

#include "host.h"

namespace faults {
namespace {

using namespace std::chrono_literals;

// Uneven, so that one mailbox needs a second page (50 mails) and small ones wait beside a large one.
constexpr std::size_t mails_of[] = {52, 5, 3};
constexpr std::size_t replies = 10;
constexpr std::size_t small_file = 2'000;
// Above 3 MB an attachment needs an upload session; the second one needs two pieces of it.
constexpr std::size_t big_file = 3'200'000, bigger_file = 4'200'000;
constexpr std::chrono::hours patience{12};  // simulated
constexpr std::chrono::seconds real_patience{90};
constexpr std::chrono::seconds stop_deadline{2};
constexpr std::chrono::seconds delivery_time{3};
constexpr std::chrono::minutes later_looks{30};  // simulated

std::string random_text(std::size_t size, std::uint64_t seed) {
  static constexpr char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::mt19937_64 engine(seed);
  std::string text(size, ' ');
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < size; ++i, bits >>= 6) {
    if (i % 10 == 0) bits = engine();
    text[i] = letters[bits % 64];
  }
  return text;
}

/// The two large files are the same in every round: making them costs more than sending them.
const std::string& large(std::size_t size) {
  static const std::string text = random_text(bigger_file, 7);
  static const std::string shorter = text.substr(0, big_file);
  return size == big_file ? shorter : text;
}

std::string mime_of(const Letter& letter, const std::string& from) {
  std::string mime = "From: Customer <" + from + ">\r\nTo: " + letter.mailbox + "\r\nSubject: " + letter.subject +
                     "\r\nMessage-ID: " + letter.message_id +
                     "\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"=part\"\r\n\r\n--=part\r\n"
                     "Content-Type: text/plain; charset=utf-8\r\n\r\nWhere is my order?\r\n";
  for (const File& file : letter.files) {
    mime += "--=part\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=\"" +
            file.name + "\"\r\nContent-Transfer-Encoding: 7bit\r\n\r\n" + file.bytes + "\r\n";
  }
  return mime + "--=part--\r\n";
}

class Round {
 public:
  Round(Service& service, const Break& what, std::uint64_t seed, const std::filesystem::path& dir, bool verbose)
      : service_(service),
        what_(what),
        host_(
            {service.access(), dir, seed, [&service](std::chrono::milliseconds by) { service.advance(by); }, verbose}) {
    static std::uint64_t number = 0;
    tag_ = std::to_string(++number);
    customer_ = "customer-" + tag_ + "@contoso.example";
    service_.make_mailbox(customer_);
    for (std::size_t i = 0; i < std::size(mails_of); ++i) {
      queues_.push_back("queue" + std::to_string(i + 1) + "-" + tag_ + "@contoso.example");
      service_.make_mailbox(queues_.back());
    }
  }

  ~Round() {
    service_.remove_mailbox(customer_);
    for (const std::string& queue : queues_) service_.remove_mailbox(queue);
  }
  Round(const Round&) = delete;
  Round& operator=(const Round&) = delete;

  Result run() {
    put_mails();
    prepare_replies();
    service_.arm(what_);
    host_.arm(what_);
    for (const std::string& queue : queues_) host_.open(queue);
    host_.start();
    const bool fetched =
        run_until([this] { return host_.taken() >= mails_.size() && unread() == 0; }, patience, real_patience);
    if (!fetched) differs("fetching did not end");
    // Two more rounds of polling: what was marked comes back as rows, and nothing is handed over again.
    host_.run_until([] { return false; }, 25s, real_patience);
    for (const Reply& reply : replies_) host_.submit(reply);
    const bool sent = run_until([this] { return host_.undecided() == 0; }, patience, real_patience);
    if (!sent) differs("sending did not end");
    // Work that is done late must not spoil what was already good. A draft that it leaves behind, or that the search
    // did not show yet, is found by a later look of the plugin's.
    if (what_.way.work == Work::later)
      host_.run_until([] { return false; }, longest_later + search_lag + 10s, real_patience);
    if (what_.way.work == Work::later || what_.way.search_lags)
      host_.run_until([this] { return drafts().empty(); }, later_looks, real_patience);
    await_delivery();
    stop();
    compare_mails();
    compare_replies();
    result_.broken = broken();
    result_.exchanges = std::max(service_.exchanges(), host_.exchanges());
    result_.jumped = host_.jumped();
    if (!result_.differences.empty()) result_.log = host_.last_lines();
    return std::move(result_);
  }

 private:
  bool broken() const { return service_.broken() || host_.broken(); }

  void stop() {
    if (host_.stop(stop_deadline)) return;
    differs("stop took longer than 2 s");
    while (!host_.stop(1h)) {
    }
  }

  /// As of the host; in between, where it is asked for, a stop and a start once the fault has happened.
  bool run_until(const std::function<bool()>& done, std::chrono::milliseconds simulated, std::chrono::seconds real) {
    if (what_.stop && !stopped_) {
      if (!host_.run_until([&] { return broken() || done(); }, simulated, real)) return false;
      if (broken()) {
        stopped_ = true;
        stop();
        host_.start();
      }
    }
    return host_.run_until(done, simulated, real);
  }

  void differs(std::string what) { result_.differences.push_back(std::move(what)); }

  void put_mails() {
    for (std::size_t queue = 0; queue < queues_.size(); ++queue) {
      for (std::size_t i = 0; i < mails_of[queue]; ++i) {
        const std::string name = std::to_string(queue + 1) + "." + std::to_string(i + 1);
        Letter letter{queues_[queue], "Order " + name, "<" + tag_ + "." + name + "@fabrikam.example>", {}};
        letter.files.push_back({"order-" + name + ".txt", random_text(small_file, mails_.size())});
        service_.put(letter.mailbox, mime_of(letter, customer_));
        mails_.push_back(std::move(letter));
      }
    }
  }

  /// Spread over the mailboxes: every sixth mail is answered.
  void prepare_replies() {
    for (std::size_t i = 0; i < replies; ++i) {
      const Letter& answered = mails_[i * mails_.size() / replies + 5];
      const std::string name = std::to_string(i + 1);
      Reply reply{"reply-" + tag_ + "-" + name,
                  answered.mailbox,
                  customer_,
                  "Re: " + answered.subject + " #" + name,
                  answered.message_id,
                  {}};
      const std::string file = "answer-" + name + ".txt";
      if (i == 3) reply.files.push_back({file, large(big_file)});
      if (i == 9) reply.files.push_back({file, large(bigger_file)});
      if (i % 3 == 1) reply.files.push_back({file, random_text(small_file, i)});
      replies_.push_back(std::move(reply));
    }
  }

  /// The service files a mail in Sent Items a moment before it is delivered, and late work is nobody's to wait for.
  void await_delivery() const {
    const auto until = std::chrono::steady_clock::now() + delivery_time;
    while (service_.subjects(customer_, "inbox").size() < replies && std::chrono::steady_clock::now() < until)
      std::this_thread::sleep_for(1ms);
  }

  std::size_t unread() const {
    std::size_t sum = 0;
    for (const std::string& queue : queues_) sum += service_.unread(queue);
    return sum;
  }

  void compare_mails() {
    std::map<std::string, std::size_t> times;
    const std::vector<Letter> accepted = host_.accepted();
    for (const Letter& letter : accepted) {
      if (++times[letter.message_id] > 1 && !letter.redelivered)
        differs("mail '" + letter.subject + "' was handed over twice without REDELIVERED");
      const auto put = std::find_if(mails_.begin(), mails_.end(),
                                    [&](const Letter& mail) { return mail.message_id == letter.message_id; });
      if (put == mails_.end()) {
        differs("mail '" + letter.subject + "' was handed over and never put in");
      } else if (put->mailbox != letter.mailbox || put->subject != letter.subject || !same(put->files, letter.files)) {
        differs("mail '" + letter.subject + "' was handed over with other content");
      }
    }
    for (const Letter& mail : mails_) {
      if (times[mail.message_id] == 0) differs("mail '" + mail.subject + "' was never handed over");
    }
    for (const std::string& queue : queues_) {
      if (const std::size_t left = service_.unread(queue); left > 0)
        differs(std::to_string(left) + " mails of " + queue + " are not marked as read");
    }
  }

  void compare_replies() {
    const std::vector<Letter> arrived = service_.letters(customer_, "inbox");
    const std::map<std::string, Fate> fates = host_.fates();
    for (const Reply& reply : replies_) {
      const auto found = fates.find(reply.key);
      const Fate fate = found == fates.end() ? Fate{} : found->second;
      std::size_t times = 0;
      for (const Letter& letter : arrived) {
        if (letter.subject != reply.subject) continue;
        ++times;
        if (!same(reply.files, letter.files)) differs("reply '" + reply.subject + "' arrived with other attachments");
      }
      const std::string told = fate.verdict.empty() ? "no verdict" : fate.verdict + " " + fate.reason;
      if (times != 1)
        differs("reply '" + reply.subject + "' arrived " + std::to_string(times) + " times (" + told + ")");
      if (fate.verdict != "accepted") differs("reply '" + reply.subject + "': " + told);
    }
    if (arrived.size() > replies_.size()) differs("the customer has more mails than there are replies");
    for (const std::string& draft : drafts()) differs("a draft is left: " + draft);
    for (const std::string& queue : queues_) {
      for (const std::string& subject : service_.subjects(queue, "outbox"))
        differs("'" + subject + "' is left in the Outbox of " + queue);
    }
  }

  std::vector<std::string> drafts() const {
    std::vector<std::string> left;
    for (const std::string& queue : queues_) {
      for (const std::string& subject : service_.subjects(queue, "drafts"))
        left.push_back(queue + " '" + subject + "'");
    }
    return left;
  }

  static bool same(const std::vector<File>& put, std::vector<File> got) {
    if (put.size() != got.size()) return false;
    return std::is_permutation(put.begin(), put.end(), got.begin());
  }

  Service& service_;
  const Break what_;
  Host host_;
  bool stopped_ = false;
  std::string tag_, customer_;
  std::vector<std::string> queues_;
  std::vector<Letter> mails_;
  std::vector<Reply> replies_;
  Result result_;
};

}  // namespace

Result run_round(Service& service, const Break& what, std::uint64_t seed, const std::filesystem::path& dir,
                 bool verbose) {
  std::error_code ignored;
  std::filesystem::remove_all(dir, ignored);
  Result result = Round(service, what, seed, dir, verbose).run();
  std::filesystem::remove_all(dir, ignored);
  return result;
}

}  // namespace faults
