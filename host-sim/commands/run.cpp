// host-sim run: the contact center at work.
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <iostream>
#include <set>
#include <span>
#include <sstream>
#include <string>

#include "base/json.h"
#include "base/utf8.h"
#include "commands/batch_feed.h"
#include "commands/command.h"
#include "commands/workplace.h"
#include "runtime/contact_center.h"

namespace commands {
namespace {

using base::Json;

std::string person_of(const Json* person) {
  if (person == nullptr || !person->is_object()) return "(nobody)";
  const std::string name = person->text("name");
  return name.empty() ? person->text("address") : name + " <" + person->text("address") + ">";
}

// Without --events a person watches: one line for what they would look for, or none.
std::string line_of(const Json& event) {
  const std::string kind = event.text("event");
  std::string line;
  if (kind == "message") {
    const Json* priority = event.find("priority");
    line = "received  " + event.text("queue") + "  priority " +
           (priority->is_integer() ? std::to_string(priority->as_integer()) : "-") + "  " + event.text("language") +
           "  " + person_of(event.find("from")) + "  " + event.text("subject");
    const std::size_t attachments = event.find("attachments")->items().size();
    if (attachments > 0) line += "  [" + std::to_string(attachments) + " attached]";
  } else if (kind == "sent") {
    line = event.text("verdict") + "  " + event.text("key") + "  " + event.text("internet_message_id");
  } else {
    return line;
  }
  return base::for_one_line(line, 200) + "\n";
}

void show(std::span<const Json> events) {
  std::string lines;
  for (const Json& event : events) lines += line_of(event);
  if (!lines.empty()) std::cout << lines << std::flush;
}

// "A,B" in lower case.
std::set<std::string> addresses_of(std::string list) {
  std::transform(list.begin(), list.end(), list.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  std::set<std::string> addresses;
  std::istringstream words(list);
  for (std::string word; std::getline(words, word, ',');) {
    if (!word.empty()) addresses.insert(word);
  }
  return addresses;
}

int run(const base::Options& options, base::Log& log) {
  runtime::Wakeup wakeup;
  wakeup.catch_signals();
  const runtime::DataFolder folder(*options.value("--data"));
  const auto plugins = load_plugins(options, folder.plugins(), log);
  const auto configuration = load_configuration(*options.value("--config"), *plugins, log);
  runtime::HostStore store(folder.database(), runtime::HostStore::Open::kCreate);
  std::optional<std::filesystem::path> events_file;
  if (const auto events = options.value("--events")) events_file = *events;
  runtime::EventWriter events(events_file);
  if (!events_file) events.observe(&show);

  runtime::RunOptions how;
  how.until_idle = options.has("--until-idle");
  constexpr std::int64_t kLongest = 10'000'000;
  if (const auto seconds = options.number("--patience", 0, kLongest)) how.patience_ms = *seconds * 1000;
  if (const auto seconds = options.number("--for", 0, kLongest)) how.duration_ms = *seconds * 1000;
  if (const auto senders = options.value("--reject-from")) how.reject_from = addresses_of(*senders);
  const mailplugin_server_type* type = nullptr;
  if (!configuration.incoming.empty()) type = configuration.incoming.front().server_type;
  if (type == nullptr && configuration.outgoing) type = configuration.outgoing->server_type;
  if (const loader::Plugin* plugin = plugins->owner_of(type)) {
    how.plugin = plugin->manifest->id;
    how.plugin_version = plugin->manifest->version;
  }
  runtime::ContactCenter center(configuration, {folder, store, events, log, wakeup},
                                runtime::ContactCenter::Serve::kAll);
  std::optional<BatchFeed> batch;
  if (const auto file = options.value("--batch")) {
    batch.emplace(*file, configuration, store, log);
    how.feed = [&] { batch->read(center); };
  }
  runtime::RunResult result = center.run(how);
  if (batch) result.failures.insert(result.failures.end(), batch->failures().begin(), batch->failures().end());
  for (const std::string& failure : result.failures) say(failure);
  int code = result.failures.empty() ? kAllWell : kSomethingFailed;
  if (result.nothing_reached) code = kNothingReached;
  if (!result.stopped) {
    say("a plugin did not stop; the process ends without it");
    std::cout.flush();
    ::_exit(code == kAllWell ? kSomethingFailed : code);
  }
  return code;
}

}  // namespace

Command run_command() {
  Command command;
  command.spec = {"run",
                  "--config FILE --data DIR [--until-idle] [--events FILE]",
                  "opens every queue and takes messages until SIGTERM or SIGINT",
                  "",
                  {{"--config", "FILE", "the configuration", true},
                   {"--data", "DIR", "where inbox, outbox and the plugin's state are kept", true},
                   {"--until-idle", "", "end when every mailbox was read to its end and nothing is left to send"},
                   {"--patience", "SECONDS",
                    "with --until-idle: how long other trouble than an administrator's is retried; default 15"},
                   {"--events", "FILE", "append one JSON object a line; - is standard output"},
                   {"--batch", "FILE",
                    "send what is appended to FILE while this runs, a message a line as in send --batch, each with a "
                    "key"},
                   {"--reject-from", "A[,B]", "a rule of this host: mails from these senders are REJECTED"},
                   {"--for", "SECONDS", "end after this time"}}};
  command.log_level = base::Level::kInfo;
  command.run = &run;
  return command;
}

}  // namespace commands
