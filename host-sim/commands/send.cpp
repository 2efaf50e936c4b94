// host-sim send: one message or a batch to the outgoing server, waiting for the fate of each.
#include <unistd.h>

#include <iostream>
#include <map>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "commands/command.h"
#include "commands/compose.h"
#include "commands/workplace.h"
#include "runtime/contact_center.h"

namespace commands {
namespace {

using base::Json;
using runtime::MessageError;

constexpr std::uint64_t kLargestBatch = 256u << 20;

std::vector<Draft> drafts_of_batch(const std::string& file) {
  std::vector<Draft> drafts;
  const std::string text = base::read_file(file, kLargestBatch);
  std::size_t number = 0;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t to = std::min(text.find('\n', from), text.size());
    const std::string_view line(text.data() + from, to - from);
    from = to + 1;
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const std::string where = file + ":" + std::to_string(number) + ": ";
    try {
      drafts.push_back(draft_of(Json::parse(line)));
    } catch (const base::JsonError& error) {
      throw MessageError(where + "column " + std::to_string(error.column()) + ": not JSON: " + error.what());
    } catch (const MessageError& error) {
      throw MessageError(where + error.what());
    }
  }
  if (drafts.empty()) throw MessageError(file + ": has no line with a message");
  return drafts;
}

// All are checked before the first one leaves.
std::vector<Composed> compose_all(const base::Options& options, const configurator::Configuration& configuration,
                                  runtime::HostStore& store) {
  std::vector<Composed> all;
  const auto batch = options.value("--batch");
  if (!batch) {
    all.push_back(compose(draft_of(options), configuration, store));
    return all;
  }
  for (const std::string name : {"--from", "--to", "--cc", "--bcc", "--reply-to", "--subject", "--text", "--html",
                                 "--attach", "--in-reply-to", "--key", "--automatic"}) {
    if (options.has(name)) throw base::UsageError("--batch and " + name + " cannot be given together");
  }
  std::size_t number = 0;
  std::map<std::string, std::size_t> keys;
  for (const Draft& draft : drafts_of_batch(*batch)) {
    ++number;
    const std::string where = *batch + ": message " + std::to_string(number) + ": ";
    try {
      all.push_back(compose(draft, configuration, store));
    } catch (const MessageError& error) {
      throw MessageError(where + error.what());
    }
    const auto [it, fresh] = keys.emplace(all.back().key, number);
    if (!fresh) throw MessageError(where + "key: is that of message " + std::to_string(it->second) + " already");
  }
  return all;
}

void check_enabled(const configurator::Configuration& configuration) {
  const std::string path = "system_services.email_settings.external_outgoing_mail_server";
  if (!configuration.outgoing) {
    throw configurator::ConfigurationError({configuration.file.string() + ": " + path +
                                            ": is missing; without an outgoing mail server nothing can be sent"});
  }
  if (!configuration.outgoing->enabled) {
    throw configurator::ConfigurationError(
        {configuration.file.string() + ": " + path +
         ".enable: is false, so nothing is sent; set it to true to use the external outgoing mail server"});
  }
}

int run(const base::Options& options, base::Log& log) {
  runtime::Wakeup wakeup;
  wakeup.catch_signals();
  const runtime::DataFolder folder(*options.value("--data"));
  const auto plugins = load_plugins(options, folder.plugins(), log);
  const auto configuration = load_configuration(*options.value("--config"), *plugins, log);
  check_enabled(configuration);
  runtime::HostStore store(folder.database(), runtime::HostStore::Open::kCreate);
  runtime::EventWriter events(std::nullopt);
  std::vector<Composed> messages = compose_all(options, configuration, store);
  runtime::ContactCenter center(configuration, {folder, store, events, log, wakeup},
                                runtime::ContactCenter::Serve::kOutgoingOnly);
  std::vector<std::string> keys;
  std::map<std::string, runtime::OutgoingMail> mails;
  for (Composed& message : messages) {
    center.outbox().keep(message.key, message.mail);
    keys.push_back(message.key);
    mails.emplace(message.key, std::move(message.mail));
  }
  constexpr std::int64_t kLongest = 10'000'000;
  const std::int64_t patience = options.number("--patience", 0, kLongest).value_or(15) * 1000;
  std::size_t failed = 0;
  const runtime::RunResult result = center.send(keys, patience, [&](const std::string& key, const runtime::Fate& fate) {
    if (options.has("--json")) {
      std::cout << runtime::sent_event(key, mails.at(key), fate, base::now_unix_ms()).dump() << std::endl;
    } else {
      std::cout << fate.verdict << "  " << key << "  "
                << (fate.verdict == "accepted" ? fate.internet_message_id : fate.reason) << std::endl;
    }
    if (fate.verdict == "accepted") return;
    ++failed;
    std::string sentence =
        key + ": " + fate.verdict + ": " + (fate.reason.empty() ? "no reason was given" : fate.reason);
    if (fate.verdict == "retry_later") sentence += "; it is kept, host-sim run sends it, or send with --key " + key;
    say(sentence);
  });
  int code = failed == 0 ? kAllWell : kSomethingFailed;
  if (failed > 0 && failed == keys.size() && result.nothing_reached) code = kNothingReached;
  if (!result.stopped) {
    std::cout.flush();
    ::_exit(code == kAllWell ? kSomethingFailed : code);
  }
  return code;
}

}  // namespace

Command send_command() {
  Command command;
  command.spec = {"send",
                  "--config FILE --data DIR (--from A --to B --subject S --text F | --batch FILE)",
                  "hands messages to the outgoing server and waits for the fate of each",
                  "A batch is a file with one JSON object a line; its keys are the options' names with underscores: "
                  "from, to, cc, bcc,\n"
                  "reply_to, subject, text, html (or text_file, html_file), attach, in_reply_to, key, automatic.",
                  {{"--config", "FILE", "the configuration", true},
                   {"--data", "DIR", "where inbox, outbox and the plugin's state are kept", true},
                   {"--from", "ADDRESS", "the address of a queue with Sender"},
                   {"--to", "A[,B]", "recipients", false, true},
                   {"--cc", "A[,B]", "copies", false, true},
                   {"--bcc", "A[,B]", "blind copies", false, true},
                   {"--reply-to", "A[,B]", "where answers shall go", false, true},
                   {"--subject", "S", "the subject, as it shall be"},
                   {"--text", "FILE", "the body as text; - is standard input"},
                   {"--html", "FILE", "the body as HTML; \"cid:NAME\" in it shows the attachment NAME"},
                   {"--attach", "FILE", "an attachment; may be repeated", false, true},
                   {"--in-reply-to", "DELIVERY_ID", "the mail of the inbox this answers"},
                   {"--key", "K", "makes it safe to repeat: a key is sent once"},
                   {"--automatic", "", "an automatic answer"},
                   {"--batch", "FILE", "one message a line instead"},
                   {"--patience", "SECONDS", "how long a server in trouble is waited for; default 15"},
                   {"--json", "", "the sent events on standard output"}}};
  command.run = &run;
  return command;
}

}  // namespace commands
