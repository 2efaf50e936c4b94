// The host's books, its events file, its data folder, and what becomes of a mail on the way in.
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <functional>
#include <future>
#include <map>
#include <span>

#include "host/support.h"
#include "runtime/data_folder.h"
#include "runtime/event_writer.h"
#include "runtime/host_store.h"
#include "runtime/inbox.h"
#include "runtime/message_event.h"

namespace {

using base::Json;
using runtime::DataFolder;
using runtime::EventWriter;
using runtime::Fate;
using runtime::HostStore;
using runtime::InboxRow;
using runtime::NewMail;
namespace fs = std::filesystem;

mailplugin_text text_of(const char* text) {
  return {text, std::char_traits<char>::length(text)};
}

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
  CPPUNIT_TEST(a_mail_without_anything_has_every_key);
  CPPUNIT_TEST(a_report_names_our_reply);
  CPPUNIT_TEST(replaced_attachments_replace_the_old_ones);
  CPPUNIT_TEST(a_closed_attachment_is_named);
  CPPUNIT_TEST(a_full_disk_says_later);
  CPPUNIT_TEST(a_mail_handed_over_twice_is_stored_once);
  CPPUNIT_TEST(mails_that_come_together_are_all_decided);
  CPPUNIT_TEST(one_mail_that_cannot_be_stored_is_alone_with_it);
  CPPUNIT_TEST(after_stop_everything_is_decided);
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

  struct Post {
    explicit Post(const fs::path& root)
        : folder(root),
          store(folder.database(), HostStore::Open::kCreate),
          events(root / "events.jsonl"),
          inbox(folder, store, events, host_test::quiet()) {
      address.queue = "Q";
      address.address = "q@x";
    }
    // The verdict, also where it comes later.
    mailplugin_verdict accept(const mailplugin_message& message) {
      std::promise<mailplugin_verdict> later;
      const mailplugin_verdict now =
          inbox.accept(address, message, [&later](mailplugin_verdict verdict) { later.set_value(verdict); });
      return now == MAILPLUGIN_PENDING ? later.get_future().get() : now;
    }
    Json last_event() {
      const std::string text = base::read_file(folder.root() / "events.jsonl");
      const std::size_t from = text.rfind('\n', text.size() - 2);
      return Json::parse(std::string_view(text).substr(from == std::string::npos ? 0 : from + 1));
    }
    DataFolder folder;
    HostStore store;
    EventWriter events;
    runtime::Inbox inbox;
    configurator::Address address;
  };

  // A part whose bytes are in memory.
  struct Bytes {
    mailplugin_part part{};
    mailplugin_stream stream{};
    std::string bytes;
    std::size_t at = 0;
    explicit Bytes(std::string content) : bytes(std::move(content)) {
      part.struct_size = sizeof part;
      part.kind = MAILPLUGIN_PART_ATTACHMENT;
      part.file_name = text_of("a.txt");
      part.size_hint = 7;
      part.ctx = this;
      part.open = [](const mailplugin_part* p) {
        auto* self = static_cast<Bytes*>(p->ctx);
        self->at = 0;
        self->stream.ctx = self;
        self->stream.read = [](const mailplugin_stream* s, void* buffer, uint64_t capacity) {
          auto* me = static_cast<Bytes*>(s->ctx);
          const std::size_t n = me->bytes.copy(static_cast<char*>(buffer), static_cast<std::size_t>(capacity), me->at);
          me->at += n;
          return static_cast<int64_t>(n);
        };
        self->stream.close = [](const mailplugin_stream*) {};
        return static_cast<const mailplugin_stream*>(&self->stream);
      };
    }
  };

  static mailplugin_message mail(const char* id) {
    mailplugin_message message{};
    message.struct_size = sizeof message;
    message.stable_id = text_of(id);
    message.size_bytes = -1;
    return message;
  }

  void a_mail_without_anything_has_every_key() {
    Post post(scratch_.path() / "data");
    CPPUNIT_ASSERT_EQUAL(mailplugin_verdict{MAILPLUGIN_ACCEPTED}, post.accept(mail("id")));
    Json event = post.last_event();
    event.set("time", "T");
    CPPUNIT_ASSERT_EQUAL(
        std::string(R"({"event":"message","time":"T","queue":"Q","address":"q@x","priority":null,"language":"",)"
                    R"("delivery_id":"id","redelivered":false,"message_id":null,"internet_message_id":null,)"
                    R"("conversation_id":null,"thread_key":null,"in_reply_to":null,"references":[],"from":null,)"
                    R"("sender":null,"to":[],"cc":[],"bcc":[],"reply_to":[],"delivered_to":null,"folder":null,)"
                    R"("importance":"normal","size":null,"read_receipt_requested":false,"subject":null,"sent":null,)"
                    R"("received":null,"text":null,"text_source":null,"html":null,"headers":[],"attachments":[],)"
                    R"("flags":[],"report":null,"links":[],"verdict":"accepted"})"),
        event.dump());
    CPPUNIT_ASSERT_EQUAL(mailplugin_verdict{MAILPLUGIN_RETRY_LATER}, post.accept(mail("")));
  }

  void a_report_names_our_reply() {
    Post post(scratch_.path() / "data");
    post.store.put_outgoing("our-key", Json::object(), 1);
    post.store.set_fate("our-key", Fate{"accepted", "", "<ours@x>", "", 1}, 2);
    mailplugin_report report{};
    report.struct_size = sizeof report;
    report.kind = MAILPLUGIN_REPORT_FAILED;
    report.original_message_id = text_of("<ours@x>");
    report.status = text_of("5.1.1");
    const mailplugin_text references[2] = {text_of("<root@y>"), text_of("<ours@x>")};
    mailplugin_message bounce = mail("bounce");
    bounce.report = &report;
    bounce.references = references;
    bounce.reference_count = 2;
    bounce.flags = MAILPLUGIN_BOUNCE | MAILPLUGIN_AUTO_SUBMITTED;
    post.accept(bounce);
    const Json event = post.last_event();
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"kind":"failed","recipient":null,"status":"5.1.1",)"
                                     R"("original_message_id":"<ours@x>","key":"our-key"})"),
                         event.find("report")->dump());
    CPPUNIT_ASSERT_EQUAL(std::string("our-key"), event.text("thread_key"));
    CPPUNIT_ASSERT_EQUAL(std::string(R"(["auto_submitted","bounce"])"), event.find("flags")->dump());
  }

  void replaced_attachments_replace_the_old_ones() {
    Post post(scratch_.path() / "data");
    Bytes placeholder("scanning"), clean("clean");
    const mailplugin_part* parts[] = {&placeholder.part};
    mailplugin_message message = mail("id");
    message.parts = parts;
    message.part_count = 1;
    message.flags = MAILPLUGIN_SCAN_PENDING;
    post.accept(message);
    parts[0] = &clean.part;
    message.flags = MAILPLUGIN_ATTACHMENTS_REPLACED;
    CPPUNIT_ASSERT_EQUAL(mailplugin_verdict{MAILPLUGIN_ACCEPTED}, post.accept(message));
    const auto row = post.store.find_received("id");
    CPPUNIT_ASSERT_EQUAL(std::string("clean"), base::read_file(post.folder.attachments() / row->files.at(0)));
    CPPUNIT_ASSERT_EQUAL(std::ptrdiff_t{1}, std::distance(fs::directory_iterator(post.folder.attachments()), {}));
    CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, post.store.count_received());
    CPPUNIT_ASSERT_EQUAL(std::int64_t{5}, row->event.find("attachments")->items().at(0).find("size")->as_integer());
  }

  void a_closed_attachment_is_named() {
    Post post(scratch_.path() / "data");
    Bytes huge("never read");
    huge.part.open = nullptr;
    const mailplugin_part* parts[] = {&huge.part};
    mailplugin_message message = mail("id");
    message.parts = parts;
    message.part_count = 1;
    CPPUNIT_ASSERT_EQUAL(mailplugin_verdict{MAILPLUGIN_RETRY_LATER}, post.accept(message));
    message.flags = MAILPLUGIN_OVERSIZE;
    CPPUNIT_ASSERT_EQUAL(mailplugin_verdict{MAILPLUGIN_ACCEPTED}, post.accept(message));
    const Json attachment = post.last_event().find("attachments")->items().at(0);
    CPPUNIT_ASSERT_EQUAL(std::int64_t{7}, attachment.find("size")->as_integer());
    CPPUNIT_ASSERT(attachment.find("sha256")->is_null());
  }

  void a_full_disk_says_later() {
    Post post(scratch_.path() / "data");
    // A file where the folder should be: root is refused too.
    fs::remove_all(post.folder.unfinished());
    host_test::write_file(post.folder.unfinished(), "");
    Bytes bytes("content");
    const mailplugin_part* parts[] = {&bytes.part};
    mailplugin_message message = mail("id");
    message.parts = parts;
    message.part_count = 1;
    CPPUNIT_ASSERT_EQUAL(mailplugin_verdict{MAILPLUGIN_RETRY_LATER}, post.accept(message));
    CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, post.store.count_received());
    fs::remove(post.folder.unfinished());
    fs::create_directory(post.folder.unfinished());
    CPPUNIT_ASSERT_EQUAL(mailplugin_verdict{MAILPLUGIN_ACCEPTED}, post.accept(message));
  }

  void a_mail_handed_over_twice_is_stored_once() {
    Post post(scratch_.path() / "data");
    Bytes first("first"), second("second");
    const mailplugin_part* parts[] = {&first.part};
    mailplugin_message message = mail("id");
    message.parts = parts;
    message.part_count = 1;
    CPPUNIT_ASSERT_EQUAL(mailplugin_verdict{MAILPLUGIN_ACCEPTED}, post.accept(message));
    parts[0] = &second.part;
    for (const std::uint32_t flags : {0U, std::uint32_t{MAILPLUGIN_REDELIVERED}}) {
      message.flags = flags;
      CPPUNIT_ASSERT_EQUAL(mailplugin_verdict{MAILPLUGIN_ACCEPTED}, post.accept(message));
      CPPUNIT_ASSERT_EQUAL(flags != 0, post.last_event().find("redelivered")->as_bool());
      CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, post.store.count_received());
      CPPUNIT_ASSERT_EQUAL(std::ptrdiff_t{1}, std::distance(fs::directory_iterator(post.folder.attachments()), {}));
    }
    CPPUNIT_ASSERT_EQUAL(std::string("first"),
                         base::read_file(post.folder.attachments() / post.store.find_received("id")->files.at(0)));
  }

  void mails_that_come_together_are_all_decided() {
    Post post(scratch_.path() / "data");
    std::vector<std::string> ids;
    for (int i = 0; i < 100; ++i) ids.push_back("id-" + std::to_string(i));
    std::atomic<std::size_t> accepted{0};
    for (const std::string& id : ids) {
      const mailplugin_verdict verdict =
          post.inbox.accept(post.address, mail(id.c_str()), [&](mailplugin_verdict later) {
            if (later == MAILPLUGIN_ACCEPTED) ++accepted;
          });
      CPPUNIT_ASSERT_EQUAL(mailplugin_verdict{MAILPLUGIN_PENDING}, verdict);
    }
    post.inbox.stop();
    CPPUNIT_ASSERT_EQUAL(ids.size(), accepted.load());
    CPPUNIT_ASSERT_EQUAL(static_cast<std::int64_t>(ids.size()), post.store.count_received());
    const std::string events = base::read_file(post.folder.root() / "events.jsonl");
    CPPUNIT_ASSERT_EQUAL(static_cast<std::ptrdiff_t>(ids.size()), std::count(events.begin(), events.end(), '\n'));
  }

  void one_mail_that_cannot_be_stored_is_alone_with_it() {
    Post post(scratch_.path() / "data");
    runtime::Database other(post.folder.database(), runtime::Database::Open::kExisting);
    other.execute(
        "CREATE TRIGGER refuse BEFORE INSERT ON inbox WHEN new.delivery_id = 'bad' BEGIN SELECT RAISE(ABORT, 'no'); "
        "END");
    std::map<std::string, mailplugin_verdict> verdicts;  // told on one thread
    for (const char* id : {"good", "bad", "better"})
      post.inbox.accept(post.address, mail(id), [&, id](mailplugin_verdict verdict) { verdicts[id] = verdict; });
    post.inbox.stop();
    CPPUNIT_ASSERT_EQUAL(mailplugin_verdict{MAILPLUGIN_ACCEPTED}, verdicts["good"]);
    CPPUNIT_ASSERT_EQUAL(mailplugin_verdict{MAILPLUGIN_RETRY_LATER}, verdicts["bad"]);
    CPPUNIT_ASSERT_EQUAL(mailplugin_verdict{MAILPLUGIN_ACCEPTED}, verdicts["better"]);
    CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, post.store.count_received());
  }

  void after_stop_everything_is_decided() {
    Post post(scratch_.path() / "data");
    int decided = 0;
    const auto count = [&decided](mailplugin_verdict) { ++decided; };
    CPPUNIT_ASSERT_EQUAL(mailplugin_verdict{MAILPLUGIN_PENDING}, post.inbox.accept(post.address, mail("a"), count));
    post.inbox.stop();
    CPPUNIT_ASSERT_EQUAL(1, decided);
    CPPUNIT_ASSERT_EQUAL(mailplugin_verdict{MAILPLUGIN_RETRY_LATER}, post.inbox.accept(post.address, mail("b"), count));
    CPPUNIT_ASSERT_EQUAL(1, decided);
    CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, post.store.count_received());
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(StoreTest);

}  // namespace
