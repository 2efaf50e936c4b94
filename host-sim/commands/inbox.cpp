// host-sim inbox: what was received.
#include <unistd.h>

#include <iostream>

#include "base/file.h"
#include "base/json.h"
#include "base/table.h"
#include "base/utf8.h"
#include "commands/command.h"
#include "commands/workplace.h"
#include "runtime/data_folder.h"
#include "runtime/host_store.h"
#include "runtime/message_event.h"
#include "runtime/safe_name.h"

namespace commands {
namespace {

using base::Json;
namespace fs = std::filesystem;

constexpr std::size_t kShownId = 12;

std::string person_of(const Json* person) {
  if (person == nullptr || !person->is_object()) return "";
  const std::string name = person->text("name");
  const std::string address = person->text("address");
  return name.empty() || name == address ? address : name + " <" + address + ">";
}

std::string people_of(const Json* list) {
  std::string all;
  for (const Json& one : list->items()) all += (all.empty() ? "" : ", ") + person_of(&one);
  return all;
}

Json whole_event(const runtime::InboxRow& row) {
  return runtime::message_event(row.event, false, "accepted", row.stored_unix_ms);
}

void list(runtime::HostStore& store, bool json) {
  if (json) {
    store.each_received([](const runtime::InboxRow& row) { std::cout << whole_event(row).dump() << "\n"; });
    std::cout.flush();
    return;
  }
  base::Table table({"ID", "RECEIVED", "QUEUE", "PRIO", "LANG", "ATT", "FROM", "SUBJECT"});
  store.each_received([&](const runtime::InboxRow& row) {
    const Json& event = row.event;
    const Json* priority = event.find("priority");
    const std::size_t attachments = event.find("attachments")->items().size();
    table.add({row.delivery_id.substr(0, kShownId), event.text("received"), event.text("queue"),
               priority->is_integer() ? std::to_string(priority->as_integer()) : "-", event.text("language"),
               attachments == 0 ? "" : std::to_string(attachments),
               base::for_one_line(person_of(event.find("from")), 40), event.text("subject")});
  });
  std::cout << table.render(base::terminal_width(STDOUT_FILENO), base::may_colour(STDOUT_FILENO));
  std::cout << store.count_received() << " received, the next to be answered first" << std::endl;
}

runtime::InboxRow find(runtime::HostStore& store, const std::string& id) {
  auto rows = store.find_by_beginning(id);
  if (rows.empty())
    throw base::UsageError("no mail has the delivery id \"" + id + "\" (its first 6 characters or more)");
  if (rows.size() > 1) throw base::UsageError("several mails begin with \"" + id + "\"; give more of the delivery id");
  return std::move(rows.front());
}

// Lines of a body on a terminal must not steer it.
std::string shown(const std::string& body) {
  std::string out;
  for (std::size_t from = 0; from <= body.size();) {
    const std::size_t to = std::min(body.find('\n', from), body.size());
    out += "  " + base::for_one_line(std::string_view(body).substr(from, to - from), 100'000) + "\n";
    from = to + 1;
  }
  return out;
}

void show(const runtime::InboxRow& row) {
  const Json& event = row.event;
  const auto line = [](const std::string& name, const std::string& value) {
    if (!value.empty())
      std::cout << name << std::string(14 - name.size(), ' ') << base::for_one_line(value, 2000) << "\n";
  };
  const Json* priority = event.find("priority");
  line("Delivery id", row.delivery_id);
  line("Queue", event.text("queue") + " <" + event.text("address") + ">, priority " +
                    (priority->is_integer() ? std::to_string(priority->as_integer()) : "none") +
                    (event.text("language").empty() ? "" : ", language " + event.text("language")));
  line("From", person_of(event.find("from")));
  line("To", people_of(event.find("to")));
  line("Cc", people_of(event.find("cc")));
  line("Reply-To", people_of(event.find("reply_to")));
  line("Subject", event.text("subject"));
  line("Sent", event.text("sent"));
  line("Received", event.text("received"));
  line("Message-ID", event.text("internet_message_id"));
  line("In-Reply-To", event.text("in_reply_to"));
  line("Thread", event.text("thread_key"));
  std::string flags;
  for (const Json& flag : event.find("flags")->items()) flags += (flags.empty() ? "" : ", ") + flag.as_string();
  line("Flags", flags);
  if (const Json* report = event.find("report"); report->is_object()) {
    line("Report", report->text("kind") + " " + report->text("recipient") + " " + report->text("status") +
                       (report->text("key").empty() ? "" : ", of our reply " + report->text("key")));
  }
  for (const Json& attachment : event.find("attachments")->items()) {
    const Json* size = attachment.find("size");
    const Json* is_inline = attachment.find("inline");
    line("Attachment", attachment.text("name") + "  (" + attachment.text("media_type") +
                           (size->is_integer() ? ", " + std::to_string(size->as_integer()) + " bytes" : "") +
                           (is_inline->as_bool() ? ", inline" : "") + ")");
  }
  if (!event.text("text").empty()) {
    std::cout << (event.text("text_source") == "derived" ? "\nText (made from the HTML)\n" : "\nText\n")
              << shown(event.text("text"));
  }
  std::cout.flush();
}

// Never over a file that is there.
void write_new(const fs::path& folder, runtime::UniqueNames& names, const std::string& wanted,
               const std::function<void(int fd, const fs::path&)>& fill) {
  while (true) {
    const fs::path path = folder / names.take(wanted);
    try {
      const base::Fd fd = base::create_private(path);
      fill(fd.get(), path);
      std::cout << path.string() << "\n";
      return;
    } catch (const base::FileError& error) {
      if (error.code() != EEXIST) throw;
    }
  }
}

void copy_to(int to, const fs::path& to_path, const fs::path& from_path) {
  // In pieces: an attachment may be larger than memory.
  std::FILE* from = std::fopen(from_path.c_str(), "rb");
  if (from == nullptr) throw base::FileError("read", from_path, errno);
  std::string buffer(64 * 1024, '\0');
  try {
    while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), from)) {
      base::write_all(to, {buffer.data(), n}, to_path);
    }
  } catch (...) {
    std::fclose(from);
    throw;
  }
  const bool failed = std::ferror(from) != 0;
  std::fclose(from);
  if (failed) throw base::FileError("read", from_path, EIO);
}

void export_to(const runtime::InboxRow& row, const fs::path& data, const fs::path& folder) {
  base::make_private_directory(folder);
  runtime::UniqueNames names;
  const auto text = [&](const std::string& name, const std::string& content) {
    write_new(folder, names, name, [&](int fd, const fs::path& path) { base::write_all(fd, content, path); });
  };
  text("message.json", whole_event(row).dump_pretty());
  if (!row.event.text("text").empty()) text("message.txt", row.event.text("text"));
  if (!row.event.text("html").empty()) text("message.html", row.event.text("html"));
  const auto& attachments = row.event.find("attachments")->items();
  for (std::size_t i = 0; i < attachments.size(); ++i) {
    const std::string fallback = "attachment-" + std::to_string(i + 1);
    if (i >= row.files.size() || row.files[i].empty()) {
      say(base::for_one_line(attachments[i].text("name"), 80) +
          " is not here: the mail was too large to be fetched whole");
      continue;
    }
    const fs::path from = runtime::DataFolder::attachments_of(data) / row.files[i];
    write_new(folder, names, runtime::safe_name(attachments[i].text("name"), fallback),
              [&](int fd, const fs::path& path) { copy_to(fd, path, from); });
  }
  std::cout.flush();
}

int run(const base::Options& options, base::Log&) {
  const fs::path data = *options.value("--data");
  const auto& words = options.positionals();
  std::error_code error;
  if (!fs::exists(runtime::DataFolder::database_of(data), error)) {
    throw base::UsageError("--data: nothing was received in " + data.string() +
                           " yet; host-sim run fetches mails into it");
  }
  runtime::HostStore store(runtime::DataFolder::database_of(data), runtime::HostStore::Open::kExisting);
  if (words.empty()) {
    list(store, options.has("--json"));
  } else if (words[0] == "show" && words.size() == 2) {
    const runtime::InboxRow row = find(store, words[1]);
    if (options.has("--json")) {
      std::cout << whole_event(row).dump_pretty() << std::flush;
    } else {
      show(row);
    }
  } else if (words[0] == "export" && words.size() == 2) {
    const auto folder = options.value("--output");
    if (!folder) throw base::UsageError("\"inbox export\" needs -o DIR");
    export_to(find(store, words[1]), data, *folder);
  } else {
    throw base::UsageError("\"inbox\" knows: nothing more, show ID, export ID -o DIR");
  }
  return kAllWell;
}

}  // namespace

Command inbox_command() {
  Command command;
  command.spec = {
      "inbox",
      "--data DIR [show ID | export ID -o DIR]",
      "what was received, in the order it would be answered",
      "ID is a delivery id or its beginning. export writes the message, its text and its attachments under safe\n"
      "names and replaces no file.",
      {{"--data", "DIR", "the folder of host-sim run", true},
       {"--json", "", "one object a line with the keys of the message event"},
       {"--output", "DIR", "where export writes to", false, false, "-o"}},
      2};
  command.run = &run;
  return command;
}

}  // namespace commands
