// The host's books, its events file, its data folder.
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <functional>
#include <span>

#include "host/support.h"
#include "runtime/data_folder.h"
#include "runtime/event_writer.h"
#include "runtime/host_store.h"

namespace {

using base::Json;
using runtime::DataFolder;
using runtime::EventWriter;
using runtime::Fate;
using runtime::HostStore;
using runtime::InboxRow;
using runtime::NewMail;
namespace fs = std::filesystem;

class StoreTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(StoreTest);
  CPPUNIT_TEST(keeps_what_was_received);
  CPPUNIT_TEST(keeps_what_is_to_be_sent);
  CPPUNIT_TEST(refuses_a_file_of_another_format);
  CPPUNIT_TEST(takes_a_file_of_an_older_format_over);
  CPPUNIT_TEST(a_damaged_log_of_events_is_named);
  CPPUNIT_TEST(what_nobody_named_stays_behind_the_log);
  CPPUNIT_TEST(events_are_whole_lines);
  CPPUNIT_TEST(a_line_that_was_cut_off_is_ended_before_the_next);
  CPPUNIT_TEST(one_process_a_folder);
  CPPUNIT_TEST_SUITE_END();

  base::ScratchFolder scratch_{"store-test"};

  static NewMail mail_of(const std::string& id, std::optional<std::int64_t> priority, std::int64_t received) {
    return {id, Json::object({{"delivery_id", id}}).dump(), priority, received, 0, {}};
  }

  void keeps_what_was_received() {
    const fs::path file = scratch_.path() / "host.db";
    {
      HostStore store(file, HostStore::Open::kCreate);
      NewMail first = mail_of("abcdef-1", 10, 1);
      first.files = {"f1", ""};
      const NewMail second = mail_of("abcdef-2", std::nullopt, 2), third = mail_of("abcdef%", 5, 3);
      CPPUNIT_ASSERT((store.add_received({&first}) == std::vector<bool>{true}));
      first.files = {"f2"};
      CPPUNIT_ASSERT(
          (store.add_received({&second, &first, &third, &second}) == std::vector<bool>{true, false, true, false}));
    }
    HostStore store(file, HostStore::Open::kExisting);
    CPPUNIT_ASSERT_EQUAL(std::int64_t{3}, store.count_received());
    CPPUNIT_ASSERT((store.find_received("abcdef-1")->files == std::vector<std::string>{"f1", ""}));
    CPPUNIT_ASSERT(!store.find_received("abcdef-9"));
    std::string order;
    store.each_received([&](const InboxRow& one) { order += one.delivery_id + " "; });
    CPPUNIT_ASSERT_EQUAL(std::string("abcdef% abcdef-1 abcdef-2 "), order);          // priority 5, 10, none
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, store.find_by_beginning("abcdef").size());  // ambiguous
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, store.find_by_beginning("abcdef%").size());
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, store.find_by_beginning("abc").size());
    struct stat info {};
    CPPUNIT_ASSERT_EQUAL(0, ::stat(file.c_str(), &info));
    CPPUNIT_ASSERT_EQUAL(mode_t{0600}, static_cast<mode_t>(info.st_mode & 0777));
  }

  void keeps_what_is_to_be_sent() {
    HostStore store(scratch_.path() / "host.db", HostStore::Open::kCreate);
    store.put_outgoing("k", Json("first"), 1);
    store.put_outgoing("k", Json("second"), 2);
    CPPUNIT_ASSERT_EQUAL(std::string("first"), store.find_outgoing("k")->mail.as_string());
    store.set_fate("k", Fate{"retry_later", "not now", "", "", 1}, 3);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, store.unanswered().size());
    store.set_fate("k", Fate{"rejected", "no", "", "", 2}, 4);
    CPPUNIT_ASSERT(store.unanswered().empty());
    store.put_outgoing("k", Json("third"), 5);  // refused: may be tried anew
    CPPUNIT_ASSERT_EQUAL(std::string("third"), store.unanswered().at(0).mail.as_string());
    store.set_fate("k", Fate{"accepted", "", "<1@x>", "c", 3}, 6);
    store.put_outgoing("k", Json("fourth"), 7);
    CPPUNIT_ASSERT_EQUAL(std::string("accepted"), store.find_outgoing("k")->fate->verdict);
    CPPUNIT_ASSERT_EQUAL(std::string("k"), *store.key_of_reply("<1@x>"));
    CPPUNIT_ASSERT(!store.key_of_reply("<2@x>"));
    CPPUNIT_ASSERT(!store.key_of_reply(""));
  }

  void refuses_a_file_of_another_format() {
    const fs::path file = scratch_.path() / "host.db";
    {
      runtime::Database database(file, runtime::Database::Open::kCreate);
      database.execute("PRAGMA user_version = 99");
    }
    CPPUNIT_ASSERT_THROW(HostStore(file, HostStore::Open::kCreate), runtime::StoreError);
    CPPUNIT_ASSERT_THROW(HostStore(scratch_.path() / "gone.db", HostStore::Open::kExisting), runtime::StoreError);
  }

  static std::string reason_of(const std::function<void()>& action) {
    try {
      action();
    } catch (const runtime::StoreError& error) {
      return error.what();
    }
    return {};
  }

  void takes_a_file_of_an_older_format_over() {
    const fs::path file = scratch_.path() / "host.db";
    {
      runtime::Database database(file, runtime::Database::Open::kCreate);
      database.execute(
          "CREATE TABLE inbox (id INTEGER PRIMARY KEY, delivery_id TEXT NOT NULL UNIQUE, priority INTEGER,"
          " received INTEGER NOT NULL, stored INTEGER NOT NULL, event TEXT NOT NULL);"
          "CREATE TABLE attachment (inbox_id INTEGER NOT NULL REFERENCES inbox(id), position INTEGER NOT NULL,"
          " file TEXT NOT NULL, PRIMARY KEY (inbox_id, position)) WITHOUT ROWID;"
          "CREATE TABLE outbox (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, mail TEXT NOT NULL,"
          " put INTEGER NOT NULL, decided INTEGER, verdict TEXT, reason TEXT, internet_message_id TEXT,"
          " conversation_id TEXT, attempts INTEGER);"
          "INSERT INTO inbox VALUES (1, 'old-one', NULL, 1, 1, '{\"delivery_id\":\"old-one\",\"subject\":\"before\"}');"
          "INSERT INTO attachment VALUES (1, 0, 'f');"
          "PRAGMA user_version = 1");
    }
    {
      HostStore looked_at(file, HostStore::Open::kExisting);
      CPPUNIT_ASSERT_EQUAL(std::string("before"), looked_at.find_received("old-one")->event.text("subject"));
      runtime::Database database(file, runtime::Database::Open::kExisting);
      runtime::Statement format(database, "PRAGMA user_version");
      CPPUNIT_ASSERT(format.step());
      CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, format.number(0));  // who only looks changes nothing
      CPPUNIT_ASSERT(!fs::exists(scratch_.path() / "host.mails"));
    }
    HostStore store(file, HostStore::Open::kCreate);
    const NewMail again = mail_of("old-one", std::nullopt, 2), next = mail_of("new-one", std::nullopt, 3);
    CPPUNIT_ASSERT((store.add_received({&again, &next}) == std::vector<bool>{false, true}));
    CPPUNIT_ASSERT_EQUAL(std::string("before"), store.find_received("old-one")->event.text("subject"));
    CPPUNIT_ASSERT((store.find_received("old-one")->files == std::vector<std::string>{"f"}));
    CPPUNIT_ASSERT_EQUAL(std::string("new-one"), store.find_received("new-one")->event.text("delivery_id"));
  }

  void a_damaged_log_of_events_is_named() {
    const fs::path file = scratch_.path() / "host.db", log = scratch_.path() / "host.mails";
    {
      HostStore store(file, HostStore::Open::kCreate);
      const NewMail mail = mail_of("abcdef-1", 10, 1);
      store.add_received({&mail});
      CPPUNIT_ASSERT_EQUAL(mode_t{0600}, host_test::mode_of(log));
      CPPUNIT_ASSERT_EQUAL(mail.event + "\n", base::read_file(log));
    }
    const auto looked_at = [&] {
      return reason_of([&] { HostStore(file, HostStore::Open::kExisting).find_received("abcdef-1"); });
    };
    CPPUNIT_ASSERT_EQUAL(std::string(), looked_at());
    host_test::write_file(log, "{\"delivery_id\":\"ab\xff\xff\xff\xff-1\"}\n");
    const std::string damaged = looked_at();
    CPPUNIT_ASSERT_MESSAGE(damaged, damaged.find(log.string() + ": it is damaged") != std::string::npos);
    host_test::write_file(log, "{");
    CPPUNIT_ASSERT_EQUAL("cannot read " + log.string() + ": its end is missing", looked_at());
    const std::string cut = reason_of([&] { HostStore(file, HostStore::Open::kCreate); });
    CPPUNIT_ASSERT_MESSAGE(cut, cut.find("names mails behind the end of " + log.string()) != std::string::npos);
    CPPUNIT_ASSERT_EQUAL(std::string("{"), base::read_file(log));
    host_test::write_file(log, "{\"delivery_id\":\"abcdef-2\"}\n");
    CPPUNIT_ASSERT_EQUAL("cannot read " + log.string() + ": another mail stands where one is looked for", looked_at());
    fs::remove(log);
    CPPUNIT_ASSERT_EQUAL("cannot read " + log.string() + ": it is missing", looked_at());
  }

  // A process was killed while it appended.
  void what_nobody_named_stays_behind_the_log() {
    const fs::path file = scratch_.path() / "host.db", log = scratch_.path() / "host.mails";
    host_test::write_file(log, "{\"delivery_id\":\"ha");
    HostStore store(file, HostStore::Open::kCreate);
    const NewMail mail = mail_of("abcdef-1", 10, 1);
    store.add_received({&mail});
    CPPUNIT_ASSERT_EQUAL("{\"delivery_id\":\"ha" + mail.event + "\n", base::read_file(log));
    CPPUNIT_ASSERT_EQUAL(mail.event, store.find_received("abcdef-1")->event.dump());
  }

  void a_line_that_was_cut_off_is_ended_before_the_next() {
    const fs::path file = scratch_.path() / "events.jsonl";
    EventWriter events(file);
    struct rlimit before {};
    CPPUNIT_ASSERT_EQUAL(0, ::getrlimit(RLIMIT_FSIZE, &before));
    struct rlimit small = before;
    small.rlim_cur = 10;
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);  // the write fails then, and nobody dies
    CPPUNIT_ASSERT_EQUAL(0, ::setrlimit(RLIMIT_FSIZE, &small));
    bool refused = false;
    try {
      events.write_lines("{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n", {});
    } catch (const base::FileError&) {
      refused = true;
    }
    ::setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);
    CPPUNIT_ASSERT(refused);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, events.lost());
    events.write(Json::object({{"d", 4}}));
    CPPUNIT_ASSERT_EQUAL(std::string("{\"a\":1}\n{\"\n{\"d\":4}\n"), base::read_file(file));
  }

  void events_are_whole_lines() {
    const fs::path file = scratch_.path() / "events.jsonl";
    host_test::write_file(file, "{\"event\":\"half");
    EventWriter events(file);
    int seen = 0;
    events.observe([&](std::span<const Json> shown) { seen += static_cast<int>(shown.size()); });
    events.write(Json::object({{"event", "a\nb"}}));
    CPPUNIT_ASSERT_EQUAL(std::string("{\"event\":\"half\n{\"event\":\"a\\nb\"}\n"), base::read_file(file));
    CPPUNIT_ASSERT_EQUAL(1, seen);
    CPPUNIT_ASSERT_THROW(EventWriter(scratch_.path() / "no" / "such"), base::FileError);
  }

  void one_process_a_folder() {
    const fs::path root = scratch_.path() / "data";
    {
      const DataFolder folder(root);
      host_test::write_file(folder.unfinished() / "left", "half");
      CPPUNIT_ASSERT_THROW(DataFolder{root}, runtime::FolderInUse);
    }
    const DataFolder again(root);
    CPPUNIT_ASSERT(fs::is_empty(again.unfinished()));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(StoreTest);

}  // namespace
