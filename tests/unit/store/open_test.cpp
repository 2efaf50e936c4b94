// What open() makes of whatever it finds.
#include <cppunit/extensions/HelperMacros.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "fixture.h"
#include "sql.h"
#include "store/schema.h"

namespace fs = std::filesystem;

class OpenTest : public CppUnit::TestFixture, StoreFixture {
  CPPUNIT_TEST_SUITE(OpenTest);
  CPPUNIT_TEST(files_are_private_whatever_the_umask);
  CPPUNIT_TEST(a_file_that_others_could_read_is_made_private);
  CPPUNIT_TEST(folders_are_made_private);
  CPPUNIT_TEST(the_file_tells_whose_it_is_and_is_durable);
  CPPUNIT_TEST(closed_cleanly_leaves_one_file);
  CPPUNIT_TEST(a_second_store_is_refused);
  CPPUNIT_TEST(a_second_process_is_refused_by_name);
  CPPUNIT_TEST(an_empty_file_is_begun);
  CPPUNIT_TEST(text_is_set_aside);
  CPPUNIT_TEST(a_cut_file_is_set_aside);
  CPPUNIT_TEST(another_programs_database_is_set_aside);
  CPPUNIT_TEST(a_file_without_our_tables_is_set_aside);
  CPPUNIT_TEST(damage_after_a_crash_is_found);
  CPPUNIT_TEST(damage_met_while_running_is_set_aside_by_the_next_open);
  CPPUNIT_TEST(a_false_alarm_costs_nothing);
  CPPUNIT_TEST(a_log_without_its_file_is_set_aside);
  CPPUNIT_TEST(names_set_aside_are_never_taken_twice);
  CPPUNIT_TEST(a_newer_version_is_refused_and_left_alone);
  CPPUNIT_TEST(a_folder_that_cannot_be_made_is_told);
  CPPUNIT_TEST(a_folder_in_place_of_the_file_is_told);
  CPPUNIT_TEST_SUITE_END();

 public:
  void files_are_private_whatever_the_umask() {
    for (const mode_t mask : {mode_t{0}, mode_t{0777}}) {
      const mode_t before = ::umask(mask);
      open();
      store->decide(receipt(stream(), "a"));
      ::umask(before);
      for (const char* name : {"m365.db", "m365.db-wal", "m365.db-shm", "m365.lock"})
        CPPUNIT_ASSERT_EQUAL_MESSAGE(name, mode_t{0600}, mode(dir / name));
      store.reset();
      for (const auto& entry : fs::directory_iterator(dir.path())) fs::remove(entry);
    }
  }

  void a_file_that_others_could_read_is_made_private() {
    open();
    store.reset();
    fs::permissions(file(), fs::perms(0644));
    open();
    CPPUNIT_ASSERT_EQUAL(mode_t{0600}, mode(file()));
  }

  void folders_are_made_private() {
    const mode_t before = ::umask(0);
    const auto made = store::open_store(
        dir / "a/b", log, [this] { return clock.wall(); }, options);
    ::umask(before);
    CPPUNIT_ASSERT_EQUAL(mode_t{0700}, mode(dir / "a"));
    CPPUNIT_ASSERT_EQUAL(mode_t{0700}, mode(dir / "a/b"));
  }

  void the_file_tells_whose_it_is_and_is_durable() {
    open();
    CPPUNIT_ASSERT(
        (std::vector<std::string>{std::to_string(0x4D333635), std::to_string(store::newest_version()), "wal"}) ==
        sql::rows(file(), "pragma application_id; pragma user_version; pragma journal_mode"));
    store::StateFile other(dir / "other", std::chrono::milliseconds(0));
    other.make_private();
    store::Writer writer(other, std::chrono::milliseconds(0));
    writer.make_durable();
    CPPUNIT_ASSERT_EQUAL(std::string("2"), writer.ask("pragma synchronous"));  // FULL
    CPPUNIT_ASSERT_EQUAL(std::string("0"), writer.ask("pragma busy_timeout"));
  }

  void closed_cleanly_leaves_one_file() {
    open();
    store->decide(receipt(stream(), "a"));
    CPPUNIT_ASSERT(fs::exists(dir / "m365.db-wal"));
    store.reset();
    CPPUNIT_ASSERT(!fs::exists(dir / "m365.db-wal"));
    CPPUNIT_ASSERT(!fs::exists(dir / "m365.db-shm"));
    CPPUNIT_ASSERT_EQUAL(std::string("1"), sql::rows(file(), "select count(*) from receipt").at(0));
  }

  void a_second_store_is_refused() {
    open();
    const auto fault = fault_of_open();
    CPPUNIT_ASSERT(mail::Remedy::administrator == fault.remedy);
    CPPUNIT_ASSERT(says(fault, "m365.db is in use by process " + std::to_string(::getpid())));
    store->decide(receipt(stream(), "a"));  // the first is not disturbed
    store.reset();
    open();
    CPPUNIT_ASSERT(store->receipt(stream(), "a"));
  }

  void a_second_process_is_refused_by_name() {
    open();
    const pid_t child = ::fork();
    if (child == 0) {
      int answer = 1;
      try {
        store::open_store(
            dir.path(), log, [this] { return clock.wall(); }, options);
      } catch (const mail::FaultError& error) {
        answer = says(error.fault(), "by process " + std::to_string(::getppid())) ? 0 : 2;
      }
      ::_exit(answer);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    CPPUNIT_ASSERT(WIFEXITED(status));
    CPPUNIT_ASSERT_EQUAL(0, WEXITSTATUS(status));
  }

  void an_empty_file_is_begun() {
    std::ofstream(file()).close();
    open();
    CPPUNIT_ASSERT(stream() != 0);
    CPPUNIT_ASSERT(set_aside().empty());
    CPPUNIT_ASSERT(log.lines().empty());
  }

  void text_is_set_aside() {
    const std::string text(5'000, 'x');
    std::ofstream(file()) << text;
    open();
    expect_set_aside("not a database");
    CPPUNIT_ASSERT(text == sql::contents(set_aside().at(0)));
    CPPUNIT_ASSERT(stream() != 0);
    open();
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, set_aside().size());  // the new one is sound
  }

  void a_cut_file_is_set_aside() {
    fill();
    store.reset();
    fs::resize_file(file(), fs::file_size(file()) / 2);
    open();
    expect_set_aside("damaged");
  }

  void another_programs_database_is_set_aside() {
    sql::run(file(), "create table customer(name text); insert into customer values('Anna')");
    open();
    expect_set_aside("not this plugin's");
    CPPUNIT_ASSERT_EQUAL(std::string("Anna"), sql::rows(set_aside().at(0), "select name from customer").at(0));
  }

  void a_file_without_our_tables_is_set_aside() {
    open();
    store.reset();
    sql::run(file(), "alter table receipt rename to receipts");
    open();
    expect_set_aside("no such table: receipt");
    CPPUNIT_ASSERT(!store->receipt(stream(), "a"));
  }

  void damage_after_a_crash_is_found() {
    fill();
    crash();
    damage_leaves();
    open();
    expect_set_aside("damaged");
    const fs::path aside = set_aside().at(0);
    CPPUNIT_ASSERT(fs::exists(aside.string() + "-wal"));  // with its log of changes
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, store->receipts_after(stream(), "", 9).size());
  }

  void damage_met_while_running_is_set_aside_by_the_next_open() {
    fill();
    store.reset();
    damage_leaves();
    open();  // nothing tells that the file is not what was closed
    CPPUNIT_ASSERT(set_aside().empty());
    const auto fault = fault_of([this] { store->receipts_after(stream(), "", 9'999); });
    CPPUNIT_ASSERT(mail::Remedy::administrator == fault.remedy);
    CPPUNIT_ASSERT(says(fault, "m365.db is damaged"));
    CPPUNIT_ASSERT(says(fault, "restart the host"));
    open();
    expect_set_aside("damaged");
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, store->receipts_after(stream(), "", 9'999).size());
    CPPUNIT_ASSERT(!fs::exists(dir / "m365.db.suspect"));
  }

  void a_false_alarm_costs_nothing() {
    fill();
    store.reset();
    std::ofstream(dir / "m365.db.suspect").close();
    open();
    CPPUNIT_ASSERT(set_aside().empty());
    CPPUNIT_ASSERT(!fs::exists(dir / "m365.db.suspect"));
    CPPUNIT_ASSERT(store->receipt(stream(), "1"));
  }

  void a_log_without_its_file_is_set_aside() {
    fill();
    crash();
    fs::remove(file());
    open();
    expect_set_aside("only its log of changes is there");
    CPPUNIT_ASSERT(fs::exists(set_aside_log()));
  }

  void names_set_aside_are_never_taken_twice() {
    for (const char* text : {"first", "second", "third"}) {
      std::ofstream(file()) << text << std::string(1'000, '.');
      open();
      store.reset();
      fs::remove(file());
    }
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, set_aside().size());
    std::string texts;
    for (const auto& aside : set_aside()) texts += sql::contents(aside).substr(0, 5) + " ";
    CPPUNIT_ASSERT_EQUAL(std::string("first secon third "), texts);
  }

  void a_newer_version_is_refused_and_left_alone() {
    open();
    store.reset();
    sql::run(file(), "pragma user_version = 99");
    const auto before = sql::contents(file());
    const auto fault = fault_of_open();
    CPPUNIT_ASSERT(mail::Remedy::administrator == fault.remedy);
    CPPUNIT_ASSERT(says(fault, file().string()));
    CPPUNIT_ASSERT(says(fault, "schema version 99"));
    CPPUNIT_ASSERT(says(fault, "versions up to " + std::to_string(store::newest_version())));
    CPPUNIT_ASSERT(set_aside().empty());
    CPPUNIT_ASSERT(before == sql::contents(file()));
  }

  void a_folder_that_cannot_be_made_is_told() {
    std::ofstream(dir / "file").close();
    const auto fault = fault_of([this] {
      store::open_store(
          dir / "file/state", log, [this] { return clock.wall(); }, options);
    });
    CPPUNIT_ASSERT(says(fault, (dir / "file").string()));
  }

  void a_folder_in_place_of_the_file_is_told() {
    fs::create_directory(file());
    CPPUNIT_ASSERT(says(fault_of_open(), file().string()));
    CPPUNIT_ASSERT(fs::is_directory(file()));
  }

 private:
  static mode_t mode(const fs::path& path) {
    struct stat now {};
    CPPUNIT_ASSERT_EQUAL_MESSAGE(path.string(), 0, ::stat(path.c_str(), &now));
    return now.st_mode & 07777;
  }

  static bool says(const mail::Fault& fault, const std::string& text) {
    return fault.text.find(text) != std::string::npos;
  }

  template <typename Action>
  static mail::Fault fault_of(Action action) {
    try {
      action();
    } catch (const mail::FaultError& error) {
      CPPUNIT_ASSERT(mail::Cause::state_disk == error.fault().cause);
      return error.fault();
    }
    CPPUNIT_FAIL("no fault");
    return {};
  }
  mail::Fault fault_of_open() {
    return fault_of([this] {
      store::open_store(
          dir.path(), log, [this] { return clock.wall(); }, options);
    });
  }

  void fill() {
    open();
    std::vector<store::Receipt> receipts;
    const auto inbox = stream();
    for (int i = 0; i < 500; ++i) receipts.push_back(receipt(inbox, std::to_string(i)));
    store->decide_all(receipts);
  }

  // The folder as a killed process leaves it: what was on disk at this moment.
  void crash() {
    for (const char* name : {"m365.db", "m365.db-wal"})
      fs::copy_file(dir / name, dir / (std::string("kept-") + name).c_str());
    store.reset();
    for (const char* name : {"m365.db", "m365.db-wal"})
      fs::rename(dir / (std::string("kept-") + name).c_str(), dir / name);
  }

  // All but the first pages, which hold the list of tables. The log of changes is worked in first, where there is one.
  void damage_leaves() {
    const auto log_of_changes = dir / "m365.db-wal";
    const std::string changes = fs::exists(log_of_changes) ? sql::contents(log_of_changes) : "";
    if (!changes.empty()) {
      sql::run(file(), "pragma wal_checkpoint(truncate)");
      std::ofstream(log_of_changes, std::ios::binary) << std::string(64, '\0');
    }
    const auto size = fs::file_size(file());
    constexpr std::size_t first = 16 * 4096;
    CPPUNIT_ASSERT(size > first);
    sql::overwrite(file(), first, std::string(size - first, '\xee'));
  }

  std::vector<fs::path> set_aside() const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(dir.path())) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with("m365.db.damaged-") && !name.ends_with("-wal") && !name.ends_with("-shm"))
        found.push_back(entry.path());
    }
    std::sort(found.begin(), found.end());
    return found;
  }

  fs::path set_aside_log() const {
    for (const auto& entry : fs::directory_iterator(dir.path())) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with("m365.db.damaged-") && name.ends_with("-wal")) return entry.path();
    }
    return dir / "none";
  }

  // One line at error, which names the file and where it went.
  void expect_set_aside(const std::string& why) {
    const auto lines = log.lines();
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, lines.size());
    CPPUNIT_ASSERT(mail::Level::error == lines[0].level);
    CPPUNIT_ASSERT_MESSAGE(lines[0].text, lines[0].text.find(why) != std::string::npos);
    CPPUNIT_ASSERT(lines[0].text.find(file().string()) != std::string::npos);
    CPPUNIT_ASSERT(lines[0].text.find("m365.db.damaged-20260101T000000Z") != std::string::npos);
    CPPUNIT_ASSERT(store->submissions_lost());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(OpenTest);
