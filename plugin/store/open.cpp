// From a folder, whatever is in it, to a store on a sound file of the newest version.
#include <utility>

#include "store/schema.h"
#include "store/sqlite_store.h"

namespace store {
namespace {

constexpr std::string_view source = "store";

// Throws DamagedError when the file is not ours or not sound; mail::FaultError when it is of a newer version.
void examine(Writer& writer, const StateFile& file, bool left_open) {
  const std::int64_t owner = writer.ask_number("pragma application_id");
  const std::int64_t version = writer.ask_number("pragma user_version");
  const bool blank = owner == 0 && version == 0 && writer.ask_number("select count(*) from sqlite_schema") == 0;
  if (blank) return;
  if (owner != application_id || version < 1) {
    file.fail_damaged(" is not this plugin's (application id " + std::to_string(owner) + ")");
  }
  if (version > newest_version()) {
    writer.leave_untouched();
    throw mail::FaultError(file.fault(mail::Remedy::administrator,
                                      " has schema version " + std::to_string(version) +
                                          ", this plugin knows versions up to " + std::to_string(newest_version()) +
                                          ": install the newer plugin again, or move the file away to begin anew"));
  }
  const bool suspected = file.suspected();
  if (!left_open && !suspected) return;
  // The short check leaves the indexes out, which is where damage met while running may sit.
  const std::string verdict = writer.ask(suspected ? "pragma integrity_check(1)" : "pragma quick_check(1)");
  if (verdict != "ok") file.fail_damaged(" is damaged (" + verdict + ")");
  file.clear_suspicion();
}

void set_aside(const StateFile& file, mail::Log& log, WallTime now, const std::string& why) {
  const std::filesystem::path aside = file.set_aside(now);
  log.write(mail::Level::error, source,
            why + "; it was set aside as " + aside.string() +
                " and a new one begun. Mails are recognised by the host's own copy only: some may come once more");
}

std::unique_ptr<Writer> open_writer(const StateFile& file, const Options& options) {
  const bool left_open = file.left_open();
  file.make_private();
  auto writer = std::make_unique<Writer>(file, options.busy);
  try {
    examine(*writer, file, left_open);
    writer->make_durable();
    if (options.most_pages > 0) writer->ask("pragma max_page_count = " + std::to_string(options.most_pages));
    migrate(*writer, migrations());  // sorts and undoes in temporary files: a file may be larger than memory
    writer->settle();
  } catch (const DamagedError&) {
    writer->leave_untouched();
    throw;
  }
  return writer;
}

}  // namespace

std::shared_ptr<Store> open_store(const std::filesystem::path& dir, mail::Log& log, std::function<WallTime()> wall,
                                  const Options& options) {
  const auto file = std::make_shared<StateFile>(dir, options.lock_patience);
  if (file->orphaned_log()) {
    set_aside(*file, log, wall(),
              file->fault(mail::Remedy::administrator, " is missing, only its log of changes is there").text);
  }
  for (bool second_try = false;; second_try = true) {
    std::string why;
    try {
      return std::make_shared<SqliteStore>(file, open_writer(*file, options), wall, options);
    } catch (const DamagedError& error) {
      if (second_try) throw;  // a new file is sound, unless the disk is not
      why = error.damage();
    }
    set_aside(*file, log, wall(), why);  // every connection is closed here
  }
}

std::shared_ptr<Store> Store::open(const std::filesystem::path& dir, mail::Log& log, std::function<WallTime()> wall) {
  return open_store(dir, log, std::move(wall), {});
}

}  // namespace store
