#include <cppunit/extensions/HelperMacros.h>

#include "fixture.h"
#include "mail/verdict.h"
#include "sql.h"

using store::Cursor;
using store::Step;
using store::Submission;

class StreamsTest : public CppUnit::TestFixture, StoreFixture {
  CPPUNIT_TEST_SUITE(StreamsTest);
  CPPUNIT_TEST(a_stream_is_made_once);
  CPPUNIT_TEST(a_cursor_is_read_back_as_saved);
  CPPUNIT_TEST(the_same_cursor_again_is_not_written);
  CPPUNIT_TEST(a_cursor_without_a_stream_is_refused);
  CPPUNIT_TEST(a_submission_is_read_back_by_server_and_key);
  CPPUNIT_TEST(a_submission_is_found_by_what_it_was_sent_as);
  CPPUNIT_TEST(old_done_submissions_are_forgotten_and_only_those);
  CPPUNIT_TEST(automatic_answers_are_counted_by_queue_and_correspondent);
  CPPUNIT_TEST(an_automatic_answer_counts_once_and_survives);
  CPPUNIT_TEST(nothing_is_noted_of_an_answer_that_may_not_leave);
  CPPUNIT_TEST(no_address_of_an_automatic_answer_is_in_the_file);
  CPPUNIT_TEST(late_drafts_are_listed_when_due_until_seen);
  CPPUNIT_TEST(a_refused_password_is_remembered_until_it_changes);
  CPPUNIT_TEST(no_password_is_in_the_file);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override { open(); }

  static constexpr std::chrono::minutes window{10};
  bool may_leave(const std::string& key, const std::string& to) {
    return !store->note_automatic({"contoso/app", key, "support@contoso.com", {to}}, 2, window);
  }

  void a_stream_is_made_once() {
    const auto a = store->stream({"contoso", "inbox"});
    CPPUNIT_ASSERT(a != 0);
    CPPUNIT_ASSERT(a != store->stream({"fabrikam", "inbox"}));
    CPPUNIT_ASSERT(a != store->stream({"contoso", "Inbox"}));
    open();
    CPPUNIT_ASSERT_EQUAL(a, store->stream({"contoso", "inbox"}));
  }

  void a_cursor_is_read_back_as_saved() {
    const auto id = stream();
    CPPUNIT_ASSERT(Cursor{} == store->cursor(id));
    Cursor cursor{"https://graph/d?$deltatoken=x", "https://graph/d?$skiptoken=y", at(0), "unread", true, at(1), at(2)};
    store->save_cursor(id, cursor);
    open();
    CPPUNIT_ASSERT(cursor == store->cursor(id));
    cursor.next_link.clear();
    store->save_cursor(id, cursor);
    CPPUNIT_ASSERT(cursor == store->cursor(id));
    CPPUNIT_ASSERT(Cursor{} == store->cursor(stream("other")));
  }

  void the_same_cursor_again_is_not_written() {
    const auto id = stream();
    const Cursor cursor{"d", "", at(0), "all", true, at(1), at(2)};
    store->save_cursor(id, cursor);
    const auto log_of_changes = dir / "m365.db-wal";
    const auto size = std::filesystem::file_size(log_of_changes);
    store->save_cursor(id, cursor);
    CPPUNIT_ASSERT_EQUAL(size, std::filesystem::file_size(log_of_changes));
  }

  void a_cursor_without_a_stream_is_refused() {
    CPPUNIT_ASSERT_THROW(store->cursor(7), std::logic_error);
    CPPUNIT_ASSERT_THROW(store->save_cursor(7, {}), std::logic_error);
  }

  void a_submission_is_read_back_by_server_and_key() {
    Submission s = submission("k");
    store->save_submission(s);
    s.step = Step::looking;
    s.draft_id = "AAMkDraft";
    s.tries = 2;
    s.looks = 1;
    s.attachments_done = 3;
    s.changed = at(3);
    s.verdict = 5;
    s.conversation_id = "AAQk";
    s.reason = "the answer was lost";
    store->save_submission(s);
    open();
    CPPUNIT_ASSERT(!store->submissions_lost());
    CPPUNIT_ASSERT(s == store->submission("contoso/app", "k"));
    CPPUNIT_ASSERT(!store->submission("contoso/app", "K"));
    CPPUNIT_ASSERT(!store->submission("contoso/other", "k"));
  }

  void a_submission_is_found_by_what_it_was_sent_as() {
    Submission s = submission("k");
    s.internet_message_id = "<sent@contoso.com>";
    s.step = Step::send_wanted;
    s.verdict = static_cast<int>(mail::Verdict::accepted);
    store->save_submission(s);
    CPPUNIT_ASSERT(!store->submission_sent_as("<sent@contoso.com>"));
    s.step = Step::done;
    s.verdict = static_cast<int>(mail::Verdict::uncertain);
    store->save_submission(s);
    CPPUNIT_ASSERT(!store->submission_sent_as("<sent@contoso.com>"));
    s.verdict = static_cast<int>(mail::Verdict::accepted);
    store->save_submission(s);
    CPPUNIT_ASSERT(s == store->submission_sent_as("<sent@contoso.com>"));
    s = submission("no message id");
    s.step = Step::done;
    s.verdict = static_cast<int>(mail::Verdict::accepted);
    store->save_submission(s);
    CPPUNIT_ASSERT(!store->submission_sent_as(""));
  }

  void old_done_submissions_are_forgotten_and_only_those() {
    for (const auto& [key, step, changed] :
         {std::tuple{"old done", Step::done, at(-1)}, std::tuple{"old undone", Step::looking, at(-1)},
          std::tuple{"new done", Step::done, at(0)}}) {
      Submission s = submission(key);
      s.step = step;
      s.changed = changed;
      store->save_submission(s);
    }
    store->forget_submissions(at(0));
    CPPUNIT_ASSERT(!store->submission("contoso/app", "old done"));
    CPPUNIT_ASSERT(store->submission("contoso/app", "old undone"));
    CPPUNIT_ASSERT(store->submission("contoso/app", "new done"));
  }

  void automatic_answers_are_counted_by_queue_and_correspondent() {
    CPPUNIT_ASSERT(may_leave("1", "anna@example.com"));
    CPPUNIT_ASSERT(may_leave("2", "Anna@Example.com"));
    CPPUNIT_ASSERT(!may_leave("3", "ANNA@example.com"));
    CPPUNIT_ASSERT(may_leave("4", "bea@example.com"));
    const store::AutomaticAnswer of_another_queue{"contoso/app", "5", "sales@contoso.com", {"anna@example.com"}};
    CPPUNIT_ASSERT(!store->note_automatic(of_another_queue, 2, window));
    clock.advance(window - std::chrono::milliseconds(1));
    CPPUNIT_ASSERT(!may_leave("6", "anna@example.com"));
    clock.advance(std::chrono::milliseconds(1));
    CPPUNIT_ASSERT(may_leave("7", "anna@example.com"));
  }

  void an_automatic_answer_counts_once_and_survives() {
    for (int i = 0; i < 5; ++i) CPPUNIT_ASSERT(may_leave("1", "anna@example.com"));
    CPPUNIT_ASSERT(may_leave("2", "anna@example.com"));
    open();
    CPPUNIT_ASSERT(!may_leave("3", "anna@example.com"));
    CPPUNIT_ASSERT_MESSAGE("it was let through before", may_leave("2", "anna@example.com"));
    // The machine's date was wrong, and is set right: what is noted in the future holds nobody up.
    clock.step_wall(-std::chrono::hours(24 * 30));
    CPPUNIT_ASSERT(may_leave("4", "anna@example.com"));
    clock.step_wall(std::chrono::hours(24 * 60));
    CPPUNIT_ASSERT(may_leave("5", "anna@example.com"));
    CPPUNIT_ASSERT_EQUAL(std::string("1"), sql::rows(file(), "select count(*) from automatic_answer").at(0));
  }

  void nothing_is_noted_of_an_answer_that_may_not_leave() {
    CPPUNIT_ASSERT(may_leave("1", "anna@example.com") && may_leave("2", "anna@example.com"));
    const store::AutomaticAnswer to_both{
        "contoso/app", "3", "support@contoso.com", {"bea@example.com", "anna@example.com"}};
    CPPUNIT_ASSERT_EQUAL(std::string("anna@example.com"), store->note_automatic(to_both, 2, window).value_or(""));
    CPPUNIT_ASSERT(may_leave("4", "bea@example.com") && may_leave("5", "bea@example.com"));
    CPPUNIT_ASSERT(!may_leave("6", "bea@example.com"));
    const store::AutomaticAnswer twice{
        "contoso/app", "7", "support@contoso.com", {"cid@example.com", "cid@example.com"}};
    CPPUNIT_ASSERT(!store->note_automatic(twice, 2, window));
    CPPUNIT_ASSERT(may_leave("8", "cid@example.com"));
  }

  void no_address_of_an_automatic_answer_is_in_the_file() {
    CPPUNIT_ASSERT(may_leave("case-17", "anna@example.com"));
    store.reset();
    for (const char* part : {"anna", "ANNA", "support@", "case-17"}) {
      CPPUNIT_ASSERT_MESSAGE(part, sql::contents(file()).find(part) == std::string::npos);
    }
  }

  void late_drafts_are_listed_when_due_until_seen() {
    for (const auto& [key, due] : {std::pair{"second", at(2)}, std::pair{"first", at(1)}, std::pair{"later", at(9)},
                                   std::pair{"none", store::WallTime{}}}) {
      Submission s = submission(key);
      s.step = Step::done;
      s.late_drafts_due = due;
      store->save_submission(s);
    }
    Submission other = submission("of another server");
    other.server = "contoso/other";
    other.late_drafts_due = at(1);
    store->save_submission(other);
    open();
    const std::vector<Submission> due = store->late_drafts("contoso/app", at(2), 9);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, due.size());
    CPPUNIT_ASSERT_EQUAL(std::string("first second"), due[0].key + " " + due[1].key);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, store->late_drafts("contoso/app", at(2), 1).size());
    store->late_drafts_seen(due[0]);
    Submission again = due[1];
    again.late_drafts_due = at(3);  // sent anew since it was listed
    store->save_submission(again);
    store->late_drafts_seen(due[1]);
    CPPUNIT_ASSERT(store->late_drafts("contoso/app", at(2), 9).empty());
    CPPUNIT_ASSERT(again == store->late_drafts("contoso/app", at(3), 9).at(0));
  }

  void a_refused_password_is_remembered_until_it_changes() {
    CPPUNIT_ASSERT(!store->password_refused("anna@contoso.com", "secret"));
    store->remember_refused_password("anna@contoso.com", "secret");
    open();
    CPPUNIT_ASSERT(store->password_refused("Anna@Contoso.com", "secret"));
    CPPUNIT_ASSERT(!store->password_refused("anna@contoso.com", "Secret"));
    CPPUNIT_ASSERT(!store->password_refused("bert@contoso.com", "secret"));
    store->remember_refused_password("anna@contoso.com", "");
    CPPUNIT_ASSERT(store->password_refused("anna@contoso.com", ""));
    CPPUNIT_ASSERT(!store->password_refused("anna@contoso.com", "secret"));  // the last one only
    store->forget_refused_password("ANNA@contoso.com");
    store->forget_refused_password("bert@contoso.com");
    CPPUNIT_ASSERT(!store->password_refused("anna@contoso.com", ""));
  }

  void no_password_is_in_the_file() {
    store->remember_refused_password("anna@contoso.com", "correct horse");
    store->remember_refused_password("bert@contoso.com", "correct horse");
    store.reset();
    const std::string select = "select hex(salt) || hex(hash), iterations from refused_password order by account";
    const auto rows = sql::rows(file(), select);
    CPPUNIT_ASSERT_EQUAL(std::size_t{4}, rows.size());
    CPPUNIT_ASSERT_EQUAL(std::size_t{2 * (16 + 32)}, rows[0].size());
    CPPUNIT_ASSERT(rows[0] != rows[2]);  // salted
    CPPUNIT_ASSERT(std::stol(rows[1]) >= 100'000);
    CPPUNIT_ASSERT(sql::contents(file()).find("correct horse") == std::string::npos);
    CPPUNIT_ASSERT(sql::contents(file()).find("anna@contoso.com") != std::string::npos);
  }

 private:
  Submission submission(const std::string& key) const {
    Submission s;
    s.server = "contoso/app";
    s.key = key;
    s.mailbox = "support@contoso.com";
    s.taken = at(0);
    s.changed = at(0);
    return s;
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(StreamsTest);
