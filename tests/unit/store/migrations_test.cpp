#include <cppunit/extensions/HelperMacros.h>

#include "fixture.h"
#include "sql.h"
#include "store/schema.h"

namespace {

// The first version as it was released, word for word. It is out there: never change it.
constexpr const char* version_1 = R"(
pragma journal_mode = wal;
create table stream(
 id integer primary key, tenant text not null, folder text not null,
 delta_link text not null default '', next_link text not null default '', opened integer not null default 0,
 start_from text not null default '', first_fetch_decided integer not null default 0,
 reconciled integer not null default 0, reconciled_whole integer not null default 0,
 unique(tenant, folder)) strict;
create table receipt(
 stream integer not null references stream(id), id_hash blob not null, message_id text not null,
 likeness blob, decision integer not null, pending_mark text not null, decided integer not null,
 gone integer not null, tries integer not null, attachments_digest text not null,
 missing integer not null default 0,
 primary key(stream, id_hash)) strict, without rowid;
create index receipt_likeness on receipt(likeness) where likeness is not null;
create index receipt_to_mark on receipt(stream, decided) where pending_mark <> '';
create table aside(
 stream integer not null references stream(id), message_id text not null, reason text not null,
 due integer not null, first_seen integer not null, tries integer not null, offered integer not null,
 primary key(stream, message_id)) strict, without rowid;
create table submission(
 server text not null, key text not null, mailbox text not null, draft_id text not null, step integer not null,
 tries integer not null, looks integer not null, attachments_done integer not null, taken integer not null,
 changed integer not null, verdict integer not null, internet_message_id text not null,
 conversation_id text not null, reason text not null,
 primary key(server, key)) strict, without rowid;
create index submission_sent_as on submission(internet_message_id) where internet_message_id <> '';
create table refused_password(
 account text primary key, salt blob not null, iterations integer not null, hash blob not null)
 strict, without rowid;
pragma application_id = 1295201845;
pragma user_version = 1;

insert into stream values(5, 'contoso', 'AAMkInbox', 'delta', 'next', 1000, 'unread', 1, 2000, 3000);
insert into receipt values(5, x'bbf36f507f1c0a226d5a771dbfd1dd3a', 'AAMkOld', null, 2, 'move:Rejected', 4000, 1, 3, 'digest', 0);
insert into aside values(5, 'AAMkAside', 'scan', 6000, 5000, 2, 1);
insert into stream(id, tenant, folder) values(6, 'contoso', 'AAMkLong'), (7, 'contoso', 'AAMkEmpty');
insert into receipt values(6, x'01', 'AAMkADhAAAAAAEKAAAAAAAAAAAAAAAAAAAAAAAAAAAA1=', x'4ec99ebb270b6318f898781d134f120c',
 1, 'read', 4000, 0, 0, '', 0);
insert into receipt values(6, x'02', 'AAMkADhAAAAAAEKAAAAAAAAAAAAAAAAAAAAAAAAAAAA2=', null, 1, 'read', 4001, 0, 0, '', 0);
insert into receipt values(6, x'03', 'another', null, 1, '', 4002, 0, 0, '', 0);
insert into receipt values(6, x'04', 'AA', null, 1, '', 4003, 0, 0, '', 0);
insert into aside values(6, 'AAMkADhAAAAAAEKAAAAAAAAAAAAAAAAAAAAAAAAAAAA3=', 'scan', 6000, 5000, 2, 1);
insert into stream(id, tenant, folder) values(8, 'contoso', 'AAMkAside');
insert into aside values(8, 'AAMkADhAAAAAAEKAAAAAAAAAAAAAAAAAAAAAAAAAAAA4=', 'retry', 6000, 5000, 2, 1);
insert into aside values(8, 'short', 'retry', 6001, 5000, 2, 1);
insert into submission values('contoso/app', 'key', 'support@contoso.com', 'AAMkDraft', 4, 2, 1, 3, 7000, 8000, 0, '', '', 'why');
)";

const store::Migration add_colour{{"alter table thing add column colour text not null default 'red'"}};
const store::Migration make_thing{{"create table thing(name text)", "insert into thing values('ball')"}};
const store::Migration broken{{"insert into thing values('kite', 'blue')", "insert into nothing values(1)"}};

}  // namespace

class MigrationsTest : public CppUnit::TestFixture, StoreFixture {
  CPPUNIT_TEST_SUITE(MigrationsTest);
  CPPUNIT_TEST(a_file_of_version_1_is_read);
  CPPUNIT_TEST(the_ids_and_likenesses_of_version_1_are_found);
  CPPUNIT_TEST(steps_are_taken_in_order_and_once);
  CPPUNIT_TEST(a_step_that_fails_leaves_the_version_before_it);
  CPPUNIT_TEST(each_transaction_is_as_durable_as_it_says);
  CPPUNIT_TEST_SUITE_END();

 public:
  void a_file_of_version_1_is_read() {
    sql::run(file(), version_1);
    open();
    CPPUNIT_ASSERT(log.lines().empty());
    const auto inbox = stream();
    CPPUNIT_ASSERT_EQUAL(store::StreamId{5}, inbox);
    const auto ms = [](int n) { return store::WallTime(std::chrono::milliseconds(n)); };
    CPPUNIT_ASSERT((store::Cursor{"delta", "next", ms(1000), "unread", true, ms(2000), ms(3000)}) == store->cursor(5));
    store::Receipt receipt;
    receipt.stream = 5;
    receipt.message_id = "AAMkOld";
    receipt.decision = store::Decision::rejected;
    receipt.pending_mark = "move:Rejected";
    receipt.decided = ms(4000);
    receipt.gone = true;
    receipt.tries = 3;
    receipt.attachments_digest = "digest";
    CPPUNIT_ASSERT((store::Mark{"AAMkOld", "move:Rejected", ms(4000)}) == store->to_mark(5, 9).at(0));
    CPPUNIT_ASSERT(receipt == store->receipt(5, "AAMkOld"));
    CPPUNIT_ASSERT((store::SetAside{5, "AAMkAside", "scan", ms(6000), ms(5000), 2, true}) == store->asides(5).at(0));
    store::Submission submission;
    submission.server = "contoso/app";
    submission.key = "key";
    submission.mailbox = "support@contoso.com";
    submission.draft_id = "AAMkDraft";
    submission.step = store::Step::attached;
    submission.tries = 2;
    submission.looks = 1;
    submission.attachments_done = 3;
    submission.taken = ms(7000);
    submission.changed = ms(8000);
    submission.reason = "why";
    CPPUNIT_ASSERT(submission == store->submission("contoso/app", "key"));
    CPPUNIT_ASSERT(!store->note_automatic({"contoso/app", "key", "support@contoso.com", {"anna@example.com"}}, 1,
                                          std::chrono::minutes(10)));
    CPPUNIT_ASSERT_EQUAL(std::to_string(store::newest_version()), sql::rows(file(), "pragma user_version").at(0));
  }

  void the_ids_and_likenesses_of_version_1_are_found() {
    sql::run(file(), version_1);
    const std::string start = "AAMkADhAAAAAAEKAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    store::Fingerprint fingerprint{"support@contoso.com", "<1@example.com>", "anna@example.com",
                                   store::WallTime(std::chrono::milliseconds(3000))};
    for (int run = 0; run < 2; ++run) {
      open();
      CPPUNIT_ASSERT((std::vector<bool>{true, true, true, false}) ==
                     store->receipts_known(6, {start + "1=", start + "2=", "another", start + "3="}));
      CPPUNIT_ASSERT_EQUAL(start + "2=", store->to_mark(6, 9).at(1).message_id);
      CPPUNIT_ASSERT_EQUAL(start + "3=", store->asides(6).at(0).message_id);
      CPPUNIT_ASSERT_EQUAL(std::size_t{4}, store->receipts_after(6, "", 9).size());
      CPPUNIT_ASSERT(store->receipt(6, "AA"));
      CPPUNIT_ASSERT_EQUAL(start + "1=", store->receipt_like(fingerprint).value().message_id);
    }
    // What is decided now leaves no row behind that was written before.
    store->set_aside({8, start + "5=", "retry", {}, {}, 0, false});
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, store->asides(8).size());
    for (const std::string& id : {start + "4=", start + "5=", std::string("short")}) {
      store::Receipt receipt;
      receipt.stream = 8;
      receipt.message_id = id;
      store->decide(receipt);
    }
    CPPUNIT_ASSERT(store->asides(8).empty());
    // The latest of both times; what is decided anew is of this version.
    store::Receipt later;
    later.stream = 7;
    later.message_id = start + "4=";
    later.fingerprint = fingerprint;
    later.decided = store::WallTime(std::chrono::milliseconds(5000));
    store->decide(later);
    CPPUNIT_ASSERT_EQUAL(start + "4=", store->receipt_like(fingerprint).value().message_id);
    later.stream = 6;
    later.message_id = start + "1=";
    later.decided = store::WallTime(std::chrono::milliseconds(6000));
    store->decide(later);
    CPPUNIT_ASSERT_EQUAL(start + "1=", store->receipt_like(fingerprint).value().message_id);
    store.reset();
    CPPUNIT_ASSERT_EQUAL(std::string("0"),
                         sql::rows(file(), "select count(*) from receipt where near = 0 and likeness <> ''").at(0));
  }

  void steps_are_taken_in_order_and_once() {
    const std::vector<store::Migration> first{make_thing}, both{make_thing, add_colour};
    {
      Scratch scratch(dir.path());
      store::migrate(scratch.writer, first);
      store::migrate(scratch.writer, first);
    }
    {
      Scratch scratch(dir.path());
      store::migrate(scratch.writer, both);
      store::migrate(scratch.writer, both);
    }
    CPPUNIT_ASSERT((std::vector<std::string>{"2", "ball", "red"}) ==
                   sql::rows(file(), "pragma user_version; select * from thing"));
  }

  void a_step_that_fails_leaves_the_version_before_it() {
    const std::vector<store::Migration> with_broken{make_thing, add_colour, broken};
    Scratch scratch(dir.path());
    CPPUNIT_ASSERT_THROW(store::migrate(scratch.writer, with_broken), mail::FaultError);
    CPPUNIT_ASSERT((std::vector<std::string>{"2", "ball", "red"}) ==
                   sql::rows(file(), "pragma user_version; select * from thing"));
  }

  // How durable a transaction is, is the connection's state: one must not take over what the one before it wanted.
  void each_transaction_is_as_durable_as_it_says() {
    using Durable = store::Writer::Durable;
    Scratch scratch(dir.path());
    scratch.writer.make_durable();
    const auto synchronous_after = [&](Durable durable) {
      store::Writer::Transaction(scratch.writer, durable).commit();
      return scratch.writer.ask_number("pragma synchronous");
    };
    const std::int64_t normal = 1, full = 2;
    CPPUNIT_ASSERT_EQUAL(full, scratch.writer.ask_number("pragma synchronous"));
    CPPUNIT_ASSERT_EQUAL(normal, synchronous_after(Durable::with_next));
    CPPUNIT_ASSERT_EQUAL(full, synchronous_after(Durable::at_commit));
    CPPUNIT_ASSERT_EQUAL(full, synchronous_after(Durable::at_commit));
  }

 private:
  struct Scratch {
    explicit Scratch(const std::filesystem::path& dir)
        : file(dir, std::chrono::milliseconds(0)), writer((file.make_private(), file), std::chrono::milliseconds(0)) {}
    store::StateFile file;
    store::Writer writer;
  };
};

CPPUNIT_TEST_SUITE_REGISTRATION(MigrationsTest);
