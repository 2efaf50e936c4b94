// host-sim demo: the whole story in one process tree.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <set>

#include "base/file.h"
#include "base/json.h"
#include "base/table.h"
#include "base/utf8.h"
#include "commands/child.h"
#include "commands/command.h"
#include "commands/demo_world.h"
#include "commands/workplace.h"

namespace commands {
namespace {

using base::Json;
namespace fs = std::filesystem;

constexpr std::int64_t kPatience = 30'000;
constexpr const char* kSupport = "support@contoso.example";
constexpr const char* kAsiakaspalvelu = "asiakaspalvelu@contoso.example";
constexpr const char* kAnna = "anna@fabrikam.example";

// A line of the story that must hold did not.
class Broken : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Story {
 public:
  Story(fs::path dir, std::vector<std::string> common, runtime::Wakeup& wakeup)
      : dir_(std::move(dir)), common_(std::move(common)), wakeup_(wakeup), colour_(base::may_colour(STDOUT_FILENO)) {}

  int tell() {
    began_ = runtime::steady_ms();
    std::cout << "The contact center and its Microsoft 365, in " << dir_.string() << "\n";
    open_the_service();
    customers_write();
    the_host_receives();
    one_contact();
    an_answer();
    a_wrong_secret_and_its_repair();
    a_forbidden_mailbox();
    a_killed_host();
    a_lost_answer();
    the_mailboxes_now();
    const auto seconds = (runtime::steady_ms() - began_) / 1000;
    std::cout << "\n"
              << (failed_ == 0 ? "All of it held" : std::to_string(failed_) + " of it did not hold") << ", in "
              << seconds << " s.\n"
              << std::flush;
    return failed_ == 0 ? kAllWell : kSomethingFailed;
  }

 private:
  // ---- telling ----

  void chapter(const std::string& title) {
    wakeup_.rest(0);
    if (wakeup_.stop_requested()) throw Interrupted();
    std::cout << "\n"
              << (colour_ ? "\x1b[1m" : "") << ++chapter_ << ". " << title << (colour_ ? "\x1b[0m" : "") << "\n";
  }

  void line(const std::string& text) {
    constexpr std::size_t kWidth = 110;
    std::cout << base::wrapped(base::for_one_line(text, 2000), 3, kWidth) << std::flush;
  }

  void shown(const std::string& text) {
    for (std::size_t from = 0; from < text.size();) {
      const std::size_t to = std::min(text.find('\n', from), text.size());
      std::cout << "   | " << text.substr(from, to - from) << "\n";
      from = to + 1;
    }
    std::cout << std::flush;
  }

  void check(bool holds, const std::string& what) {
    if (!holds) ++failed_;
    const char* mark = holds ? (colour_ ? "\x1b[32mok\x1b[0m  " : "ok  ") : (colour_ ? "\x1b[31mNOT\x1b[0m " : "NOT ");
    std::cout << "   " << mark << what << "\n" << std::flush;
  }

  // ---- doing ----

  // A new private file, or a new content for one of ours.
  fs::path write(const std::string& name, const std::string& content) {
    const fs::path path = dir_ / name;
    const fs::path fresh = dir_ / (name + ".new");
    {
      const base::Fd fd = base::create_private(fresh);
      base::write_all(fd.get(), content, fresh);
    }
    fs::rename(fresh, path);
    return path;
  }

  std::unique_ptr<Child> start(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), common_.begin(), common_.end());
    return std::make_unique<Child>(arguments, dir_ / ("child-" + std::to_string(++children_)), wakeup_);
  }

  struct Done {
    int code;
    std::string out, err;
  };
  Done host_sim(const std::vector<std::string>& arguments) {
    const auto child = start(arguments);
    const auto code = child->wait(kPatience);
    if (!code) throw Broken("host-sim " + arguments[0] + " does not end; its words: " + child->err());
    return {*code, child->out(), child->err()};
  }

  std::vector<std::string> run_words(const std::string& events, bool until_idle) {
    std::vector<std::string> words{
        "run", "--config", config_, "--data", data(), "--events", (dir_ / events).string(), "--log-level", "warning"};
    words.insert(words.end(), {"--reject-from", kDemoUnwanted});
    if (until_idle) words.push_back("--until-idle");
    return words;
  }

  std::string data() const { return (dir_ / "contact-center").string(); }

  std::vector<Json> events(const std::string& name, const std::string& kind) {
    std::vector<Json> found;
    std::error_code error;
    if (!fs::exists(dir_ / name, error)) return found;
    const std::string text = base::read_file(dir_ / name);
    for (std::size_t from = 0; from < text.size();) {
      const std::size_t to = text.find('\n', from);
      if (to == std::string::npos) break;
      Json event = Json::parse(std::string_view(text).substr(from, to - from));
      if (event.text("event") == kind) found.push_back(std::move(event));
      from = to + 1;
    }
    return found;
  }

  template <typename Condition>
  void wait_for(const std::string& what, Child& child, Condition condition) {
    const std::int64_t end = runtime::steady_ms() + kPatience;
    while (!condition()) {
      if (child.wait(20)) throw Broken("host-sim ended while " + what + " was waited for: " + child.err());
      if (runtime::steady_ms() > end) throw Broken(what + " never came: " + child.err());
    }
  }

  Json inbox_mail(const std::string& subject) {
    const Done listed = host_sim({"inbox", "--data", data(), "--json"});
    for (std::size_t from = 0; from < listed.out.size();) {
      const std::size_t to = std::min(listed.out.find('\n', from), listed.out.size());
      Json mail = Json::parse(std::string_view(listed.out).substr(from, to - from));
      if (mail.text("subject") == subject) return mail;
      from = to + 1;
    }
    throw Broken("the mail \"" + subject + "\" is not in the inbox");
  }

  std::set<std::string> inbox_ids(std::size_t* rows) {
    const Done listed = host_sim({"inbox", "--data", data(), "--json"});
    std::set<std::string> ids;
    for (std::size_t from = 0; from < listed.out.size(); ++*rows) {
      const std::size_t to = std::min(listed.out.find('\n', from), listed.out.size());
      ids.insert(Json::parse(std::string_view(listed.out).substr(from, to - from)).text("delivery_id"));
      from = to + 1;
    }
    return ids;
  }

  // ---- the chapters ----

  void open_the_service() {
    chapter("A Microsoft 365 of its own");
    world_ = std::make_unique<DemoWorld>(dir_ / "m365");
    secret_file_ = write("secret.txt", world_->secret() + "\n");
    config_ = write("contact-center.json", world_->configuration(false, secret_file_).dump_pretty());
    line("login and Graph at " + world_->origin() + ", over TLS with a certificate authority of its own");
    line(
        "Contoso: the mailboxes support@ (with the address claims@ and the folder Claims) and asiakaspalvelu@, which "
        "the "
        "contact center's app may read, and ceo@, which it may not");
    line("Fabrikam: the customers Anna, Bob, Mikko and Kenji");
    line("queues: Claims (priority 1, de), Support (priority 5, en), Asiakaspalvelu (priority 10, fi)");
  }

  void customers_write() {
    chapter("Customers write");
    for (const DemoMail& mail : demo_mails()) world_->send(mail);
    world_->deliver(kSupport, demo_automatic_reply());
    world_->deliver(kSupport, demo_unwanted());
    line(
        "From Fabrikam, through Graph: a question, a complaint with a picture and two files, a claim in German, "
        "a question in Finnish, one in Japanese; and an automatic reply of Bob's mail server");
    const fs::path text = write("newsletter.txt", "Here is our newsletter.\n");
    const Done sent =
        host_sim({"send", "--config", config_, "--data", data(), "--from", kSupport, "--to", "nobody@fabrikam.example",
                  "--subject", "Your newsletter", "--text", text.string(), "--key", "newsletter-1"});
    check(sent.code == 0, "the host sent a newsletter to an address that does not exist, so a bounce comes back");
    world_->file_into(kSupport, "claims@contoso.example", "Claims");
    line("a rule of the mailbox moved what came for claims@ into the folder Claims");
    before_ = counts();
  }

  void the_host_receives() {
    chapter("The host receives: host-sim run --until-idle");
    const Done done = host_sim(run_words("events.jsonl", true));
    if (done.code != 0) shown(done.err);
    check(done.code == 0, "every mailbox was read to its end, exit code 0");
    const auto mails = events("events.jsonl", "message");
    const auto refused =
        std::count_if(mails.begin(), mails.end(), [](const Json& mail) { return mail.text("verdict") == "rejected"; });
    check(mails.size() == 8 && refused == 1,
          std::to_string(mails.size()) +
              " mails were handed over, once each (6 of the customers, 1 bounce, 1 that a rule of the host rejected)");
    base::Table table({"QUEUE", "PRIO", "LANG", "ATT", "FROM", "FLAGS", "SUBJECT"});
    const Done listed = host_sim({"inbox", "--data", data(), "--json"});
    for (std::size_t from = 0; from < listed.out.size();) {
      const std::size_t to = std::min(listed.out.find('\n', from), listed.out.size());
      add_row(table, Json::parse(std::string_view(listed.out).substr(from, to - from)));
      from = to + 1;
    }
    shown(table.render(0, false));
    bool ours = false;
    for (const Json& mail : mails) {
      const Json* report = mail.find("report");
      ours = ours || (report->is_object() && report->text("key") == "newsletter-1");
    }
    check(ours, "the bounce is known as the one of the message \"newsletter-1\"");
  }

  static void add_row(base::Table& table, const Json& mail) {
    std::string flags;
    for (const Json& flag : mail.find("flags")->items()) flags += (flags.empty() ? "" : " ") + flag.as_string();
    const std::size_t attachments = mail.find("attachments")->items().size();
    const Json* person = mail.find("from");
    const std::string from =
        !person->is_object() ? "" : person->text(person->text("name").empty() ? "address" : "name");
    table.add({mail.text("queue"), std::to_string(mail.find("priority")->as_integer()), mail.text("language"),
               attachments == 0 ? "" : std::to_string(attachments), base::for_one_line(from, 22), flags,
               mail.text("subject")});
  }

  void one_contact() {
    chapter("One contact, as an agent gets it: host-sim inbox show");
    const Json mail = inbox_mail("The machine leaks – pictures");
    shown(host_sim({"inbox", "--data", data(), "show", mail.text("delivery_id")}).out);
    const fs::path out = dir_ / "exported";
    const Done exported = host_sim({"inbox", "--data", data(), "export", mail.text("delivery_id"), "-o", out.string()});
    check(exported.code == 0 && fs::exists(out / "invoice.pdf") && fs::exists(out / "drip.png"),
          "its files were exported under safe names");
  }

  void an_answer() {
    chapter("An answer with 4 MB attached: host-sim send --in-reply-to");
    const Json mail = inbox_mail("Where is my order 4711?");
    std::string big;
    for (int i = 0; big.size() < 4u << 20; ++i) big += "line " + std::to_string(i) + " of the delivery report\n";
    const fs::path attachment = write("delivery-report.txt", big);
    const fs::path text =
        write("answer.txt", "Hello Anna,\n\nyour order arrives tomorrow. The report is attached.\n\nSupport\n");
    const Done sent = host_sim({"send",
                                "--config",
                                config_,
                                "--data",
                                data(),
                                "--from",
                                kSupport,
                                "--to",
                                kAnna,
                                "--subject",
                                "Re: Where is my order 4711?",
                                "--text",
                                text.string(),
                                "--attach",
                                attachment.string(),
                                "--in-reply-to",
                                mail.text("delivery_id"),
                                "--key",
                                "answer-1",
                                "--json"});
    if (sent.code != 0) shown(sent.err);
    check(sent.code == 0, "the outgoing server confirmed it");
    const auto arrived = with_subject(kAnna, "Re: Where is my order 4711?");
    check(arrived.size() == 1, "it is in Anna's inbox once");
    if (arrived.empty()) return;
    line("In-Reply-To there:  " + arrived[0].text("in_reply_to"));
    check(arrived[0].text("in_reply_to") == mail.text("internet_message_id"),
          "that is her own mail's Message-ID: the same thread");
    base::Sha256 sum;
    sum.add(big);
    const auto& attachments = arrived[0].find("attachments")->items();
    check(attachments.size() == 1 && attachments[0].text("sha256") == sum.hex(),
          "the attachment arrived byte for byte (" + std::to_string(big.size()) + " bytes, SHA-256 compared)");
  }

  std::vector<Json> with_subject(const std::string& mailbox, const std::string& subject) {
    std::vector<Json> found;
    for (Json& message : world_->messages(mailbox, "inbox")) {
      if (message.text("subject") == subject) found.push_back(std::move(message));
    }
    return found;
  }

  void a_wrong_secret_and_its_repair() {
    chapter("A wrong secret, and its repair while the host runs");
    write("secret.txt", "not~the~secret\n");
    world_->send(demo_question(kAnna, kSupport, "Is anybody there?"));
    const auto host = start(run_words("secret.jsonl", false));
    Json told;
    wait_for("the sentence about the secret", *host, [&] {
      for (const Json& health : events("secret.jsonl", "health")) {
        if (health.text("cause") == "secret_refused") told = health;
      }
      return told.is_object();
    });
    line("the host says:  " + told.text("text"));
    line("code " + told.text("code") + ", request-id " + told.text("request_id"));
    check(events("secret.jsonl", "message").empty(), "nothing was fetched with it");
    write("secret.txt", world_->secret() + "\n");
    wait_for("the mail after the repair", *host, [&] {
      // Health is told when a round has ended well, which is after its mails.
      std::map<std::string, std::string> states;
      for (const Json& health : events("secret.jsonl", "health"))
        states[health.text("server") + "/" + health.text("address")] = health.text("state");
      const auto bad = [](const auto& state) { return state.second == "failed" || state.second == "degraded"; };
      return !events("secret.jsonl", "message").empty() && std::none_of(states.begin(), states.end(), bad);
    });
    host->signal(SIGTERM);
    check(host->wait(kPatience) == 0,
          "the file was repaired, the host noticed by itself and fetched the mail; stopped with exit code 0");
  }

  void a_forbidden_mailbox() {
    chapter("A mailbox the app may not read, and the others go on");
    config_ = write("contact-center.json", world_->configuration(true, secret_file_).dump_pretty());
    world_->send(demo_question("mikko@fabrikam.example", kAsiakaspalvelu, "Kiitos!"));
    const Done done = host_sim(run_words("forbidden.jsonl", true));
    for (const Json& health : events("forbidden.jsonl", "health")) {
      if (health.text("state") == "failed") line("the host says:  " + health.text("text"));
    }
    check(done.code == 1, "exit code 1: something failed, and stderr names it");
    check(events("forbidden.jsonl", "message").size() == 1, "the other queues' mail was fetched all the same");
    config_ = write("contact-center.json", world_->configuration(false, secret_file_).dump_pretty());
  }

  void a_killed_host() {
    chapter("kill -9 in mid-fetch, and a second start");
    constexpr int kMails = 300;
    constexpr std::size_t kEnough = 60;
    std::size_t rows_before = 0;
    inbox_ids(&rows_before);
    world_->flood(kSupport, kMails);
    {
      const auto host = start(run_words("killed.jsonl", false));
      wait_for("the fetching", *host, [&] { return events("killed.jsonl", "message").size() >= kEnough; });
      host->signal(SIGKILL);
      host->wait(kPatience);
    }
    const std::size_t first = events("killed.jsonl", "message").size();
    line("killed after " + std::to_string(first) + " of " + std::to_string(kMails) + " mails");
    const Done done = host_sim(run_words("again.jsonl", true));
    if (done.code != 0) shown(done.err);
    const std::size_t second = events("again.jsonl", "message").size();
    line("the second start handed over " + std::to_string(second) +
         "; what the host had already it knew by its delivery id");
    std::size_t rows = 0;
    const std::size_t ids = inbox_ids(&rows).size();
    check(done.code == 0 && rows - rows_before == kMails && ids == rows,
          std::to_string(rows - rows_before) + " new mails in the inbox, none missing, none twice");
    const auto held = world_->messages(kSupport, "inbox");
    std::size_t unread = 0;
    for (const Json& message : held) unread += message.find("is_read")->as_bool() ? 0 : 1;
    check(unread == 0, "and all of them are read in the mailbox");
  }

  void a_lost_answer() {
    chapter("A send whose answer is lost: Graph says 504, the mail has left");
    world_->lose_next_send_answer();
    const fs::path text = write("second.txt", "Hello Anna,\n\nit has left our house.\n\nSupport\n");
    const Done sent = host_sim({"send", "--config", config_, "--data", data(), "--from", kSupport, "--to", kAnna,
                                "--subject", "Your parcel", "--text", text.string(), "--key", "answer-2"});
    if (sent.code != 0) shown(sent.err);
    check(sent.code == 0, "the plugin looked for it and found it sent");
    check(with_subject(kAnna, "Your parcel").size() == 1, "it is in Anna's inbox once");
    const Done again = host_sim({"send", "--config", config_, "--data", data(), "--from", kSupport, "--to", kAnna,
                                 "--subject", "Your parcel", "--text", text.string(), "--key", "answer-2"});
    check(again.code == 0 && with_subject(kAnna, "Your parcel").size() == 1,
          "sent again with the same key: still once");
  }

  // A row a folder: mailbox, folder, mails.
  using Counts = std::vector<std::vector<std::string>>;
  Counts counts() {
    Counts all;
    for (const auto& [mailbox, folders] : std::vector<std::pair<std::string, std::vector<std::string>>>{
             {kSupport, {"inbox", "Claims", "Rejected", "sentitems"}},
             {kAsiakaspalvelu, {"inbox", "Rejected", "sentitems"}}}) {
      const auto words = world_->counts(mailbox, folders);
      for (std::size_t i = 0; i < folders.size(); ++i) all.push_back({mailbox, folders[i], words[i]});
    }
    return all;
  }

  void the_mailboxes_now() {
    chapter("The mailboxes, before and after");
    base::Table table({"MAILBOX", "FOLDER", "BEFORE", "NOW"});
    Counts now = counts();
    for (std::size_t i = 0; i < now.size(); ++i) table.add({now[i][0], now[i][1], before_[i][2], now[i][2]});
    shown(table.render(0, false));
    line("Rejected was made when the host rejected the first mail.");
  }

  const fs::path dir_;
  const std::vector<std::string> common_;
  runtime::Wakeup& wakeup_;
  const bool colour_;
  std::unique_ptr<DemoWorld> world_;
  fs::path secret_file_;
  std::string config_;
  Counts before_;
  std::int64_t began_ = 0;
  int chapter_ = 0, children_ = 0, failed_ = 0;
};

int run(const base::Options& options, base::Log&) {
  runtime::Wakeup wakeup;
  wakeup.catch_signals();
  std::vector<std::string> common;
  if (const auto plugins = options.value("--plugins")) common = {"--plugins", fs::absolute(*plugins).string()};
  std::unique_ptr<base::ScratchFolder> scratch;
  fs::path dir;
  if (const auto kept = options.value("--dir")) {
    dir = fs::absolute(*kept);
    base::make_private_directory(dir);
    if (!fs::is_empty(dir)) throw base::UsageError("--dir: " + dir.string() + " is not empty; name a new folder");
  } else {
    scratch = std::make_unique<base::ScratchFolder>("host-sim-demo");
    dir = scratch->path();
  }
  try {
    return Story(dir, common, wakeup).tell();
  } catch (const Interrupted&) {
    say("stopped");
    return kSomethingFailed;
  } catch (const Broken& error) {
    say(std::string("the story broke off: ") + error.what());
    return kSomethingFailed;
  }
}

}  // namespace

Command demo_command() {
  Command command;
  command.spec = {"demo",
                  "[--dir DIR]",
                  "the whole story: an embedded Microsoft 365, mails fetched, answered, and what goes wrong",
                  "Takes under a minute; leaves nothing behind unless --dir keeps its folder.",
                  {{"--dir", "DIR", "a new folder to work in and to keep"}}};
  command.run = &run;
  return command;
}

}  // namespace commands
