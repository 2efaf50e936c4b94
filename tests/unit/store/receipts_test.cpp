#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <set>

#include "fixture.h"

using store::Decision;
using store::Receipt;
using store::SetAside;

class ReceiptsTest : public CppUnit::TestFixture, StoreFixture {
  CPPUNIT_TEST_SUITE(ReceiptsTest);
  CPPUNIT_TEST(is_read_back_as_written);
  CPPUNIT_TEST(belongs_to_its_stream);
  CPPUNIT_TEST(is_replaced_by_a_later_decision);
  CPPUNIT_TEST(like_is_found_under_another_id_and_in_another_stream);
  CPPUNIT_TEST(like_minds_every_part);
  CPPUNIT_TEST(many_like_are_found_in_order);
  CPPUNIT_TEST(many_set_aside_are_found_in_order);
  CPPUNIT_TEST(like_needs_a_message_id_and_a_time);
  CPPUNIT_TEST(like_survives_a_decision_that_was_read_back);
  CPPUNIT_TEST(known_answers_in_order);
  CPPUNIT_TEST(decide_drops_what_was_set_aside);
  CPPUNIT_TEST(decide_all_is_all_or_nothing);
  CPPUNIT_TEST(left_to_mark_oldest_first);
  CPPUNIT_TEST(a_mark_goes_with_its_decision);
  CPPUNIT_TEST(gone_and_back);
  CPPUNIT_TEST(pages_show_each_once_whatever_is_dropped);
  CPPUNIT_TEST(missing_twice_a_day_apart_is_dropped);
  CPPUNIT_TEST(missing_is_forgotten_by_a_new_decision);
  CPPUNIT_TEST(missing_minds_a_date_that_was_set_back);
  CPPUNIT_TEST(asides_are_read_back_in_order_of_due);
  CPPUNIT_TEST(ids_are_bytes);
  CPPUNIT_TEST(a_stream_that_was_never_made_is_refused);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    open();
    inbox_ = stream();
  }

  void is_read_back_as_written() {
    Receipt r = receipt(inbox_, "AAMkA=");
    r.decision = Decision::rejected;
    r.pending_mark = "move:Rejected";
    r.gone = true;
    r.tries = 3;
    r.attachments_digest = "0123abcd";
    store->decide(r);
    open();
    CPPUNIT_ASSERT(as_read(r) == store->receipt(inbox_, "AAMkA="));
    CPPUNIT_ASSERT(!store->receipt(inbox_, "AAMkA"));
  }

  void belongs_to_its_stream() {
    const auto other = stream("AAMkClaims");
    CPPUNIT_ASSERT(other != inbox_);
    store->decide(receipt(inbox_, "a"));
    CPPUNIT_ASSERT(!store->receipt(other, "a"));
    store->decide(receipt(other, "a"));
    CPPUNIT_ASSERT_EQUAL(inbox_, store->receipt(inbox_, "a")->stream);
    CPPUNIT_ASSERT_EQUAL(other, store->receipt(other, "a")->stream);
  }

  void is_replaced_by_a_later_decision() {
    Receipt r = receipt(inbox_, "a");
    r.decision = Decision::rejected;
    store->decide(r);
    r.decision = Decision::accepted;
    r.tries = 2;
    r.pending_mark = "read";
    store->decide(r);
    CPPUNIT_ASSERT(as_read(r) == store->receipt(inbox_, "a"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, store->receipts_after(inbox_, "", 9).size());
  }

  void like_is_found_under_another_id_and_in_another_stream() {
    Receipt r = receipt(inbox_, "a");
    store->decide(r);
    auto like = r.fingerprint;
    like.mailbox = "support@CONTOSO.com";
    like.from = "anna@example.COM";
    Receipt want = r;
    want.fingerprint = like;
    CPPUNIT_ASSERT(want == store->receipt_like(like));

    r.stream = stream("AAMkClaims");
    r.message_id = "b";
    r.decided = at(1);
    store->decide(r);
    CPPUNIT_ASSERT(r == store->receipt_like(r.fingerprint));  // of several the latest
  }

  void many_like_are_found_in_order() {
    const Receipt a = receipt(inbox_, "a"), b = receipt(inbox_, "b"), unknown = receipt(inbox_, "c");
    store->decide_all({a, b});
    Receipt nameless = a;
    nameless.fingerprint.internet_message_id.clear();
    CPPUNIT_ASSERT((std::vector<std::optional<Receipt>>{b, std::nullopt, std::nullopt, a}) ==
                   store->receipts_like({b.fingerprint, unknown.fingerprint, nameless.fingerprint, a.fingerprint}));
    CPPUNIT_ASSERT(store->receipts_like({}).empty());
    store->decide(unknown);  // the look at many has let go of the file, and the next sees what came since
    CPPUNIT_ASSERT((std::vector<std::optional<Receipt>>{unknown}) == store->receipts_like({unknown.fingerprint}));
  }

  void many_set_aside_are_found_in_order() {
    store->set_aside_all({aside("a"), aside("b")});
    CPPUNIT_ASSERT((std::vector<std::optional<store::SetAside>>{aside("b"), std::nullopt, aside("a")}) ==
                   store->asides_of(inbox_, {"b", "c", "a"}));
    CPPUNIT_ASSERT((std::vector<std::optional<store::SetAside>>{std::nullopt}) == store->asides_of(inbox_ + 1, {"a"}));
    CPPUNIT_ASSERT(store->asides_of(inbox_, {}).empty());
  }

  void like_minds_every_part() {
    const Receipt r = receipt(inbox_, "a");
    store->decide(r);
    for (int part = 0; part < 4; ++part) {
      auto other = r.fingerprint;
      if (part == 0) other.mailbox = "sales@contoso.com";
      if (part == 1) other.internet_message_id = "<A@example.com>";  // unlike addresses, in another case another
      if (part == 2) other.received += std::chrono::milliseconds(1);
      if (part == 3) other.from = "";
      CPPUNIT_ASSERT_MESSAGE("part " + std::to_string(part), !store->receipt_like(other));
    }
    auto shifted = r.fingerprint;  // the same letters, cut elsewhere
    shifted.mailbox += shifted.internet_message_id.substr(0, 1);
    shifted.internet_message_id.erase(0, 1);
    CPPUNIT_ASSERT(!store->receipt_like(shifted));
  }

  void like_needs_a_message_id_and_a_time() {
    Receipt r = receipt(inbox_, "a");
    r.fingerprint.internet_message_id.clear();
    store->decide(r);
    CPPUNIT_ASSERT(!store->receipt_like(r.fingerprint));
    r = receipt(inbox_, "b");
    r.fingerprint.received = {};
    store->decide(r);
    CPPUNIT_ASSERT(!store->receipt_like(r.fingerprint));
  }

  void like_survives_a_decision_that_was_read_back() {
    const Receipt r = receipt(inbox_, "a");
    store->decide(r);
    Receipt back = store->receipt(inbox_, "a").value();
    back.gone = true;
    store->decide(back);
    CPPUNIT_ASSERT(store->receipt_like(r.fingerprint).value().gone);
  }

  void known_answers_in_order() {
    store->decide(receipt(inbox_, "b"));
    store->decide(receipt(stream("other"), "c"));
    CPPUNIT_ASSERT((std::vector<bool>{false, true, false, true}) ==
                   store->receipts_known(inbox_, {"a", "b", "c", "b"}));
    CPPUNIT_ASSERT(store->receipts_known(inbox_, {}).empty());
  }

  void decide_drops_what_was_set_aside() {
    store->set_aside_all({aside("a"), aside("b"), aside("c")});
    store->decide(receipt(inbox_, "a"));
    store->decide_all({receipt(inbox_, "b"), receipt(inbox_, "d")});
    CPPUNIT_ASSERT(!store->aside(inbox_, "a"));
    CPPUNIT_ASSERT((std::vector{aside("c")}) == store->asides(inbox_));
    CPPUNIT_ASSERT((std::vector<bool>{true, true, false, true}) == store->receipts_known(inbox_, {"a", "b", "c", "d"}));
  }

  void decide_all_is_all_or_nothing() {
    store->set_aside(aside("a"));
    store->decide_all({});
    CPPUNIT_ASSERT_THROW(store->decide_all({receipt(inbox_, "a"), receipt(inbox_ + 1, "b")}), mail::FaultError);
    CPPUNIT_ASSERT(!store->receipt(inbox_, "a"));
    CPPUNIT_ASSERT(store->aside(inbox_, "a"));
    store->decide(receipt(inbox_, "a"));  // and nothing is left in the way
    CPPUNIT_ASSERT(store->receipt(inbox_, "a"));
  }

  void left_to_mark_oldest_first() {
    for (int i = 0; i < 5; ++i) {
      Receipt r = receipt(inbox_, std::to_string(i));
      r.decided = at(-i);
      r.pending_mark = i == 2 ? "" : "read";
      store->decide(r);
    }
    CPPUNIT_ASSERT_EQUAL(std::size_t{4}, store->to_mark_count(inbox_, 10));
    CPPUNIT_ASSERT_EQUAL(std::string("4310"), ids(store->to_mark(inbox_, 99)));
    CPPUNIT_ASSERT_EQUAL(std::string("43"), ids(store->to_mark(inbox_, 2)));
    CPPUNIT_ASSERT((store::Mark{"4", "read", at(-4)}) == store->to_mark(inbox_, 1).at(0));
    store->marked(inbox_, {{"4", "read", at(-4)}, {"2", "read", at(-2)}, {"9", "read", at(-9)}});
    store->marked(inbox_, {});
    CPPUNIT_ASSERT_EQUAL(std::string("310"), ids(store->to_mark(inbox_, 99)));
    CPPUNIT_ASSERT(store->receipt(inbox_, "4")->pending_mark.empty());
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, store->to_mark_count(inbox_, 10));
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, store->to_mark_count(inbox_, 2));
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, store->to_mark_count(inbox_ + 1, 10));
  }

  void a_mark_goes_with_its_decision() {
    Receipt r = receipt(inbox_, "a");
    r.decided = at(1);
    r.pending_mark = "move:Rejected";
    store->decide(r);
    r.decided = at(2);
    r.pending_mark = "read";
    store->decide(r);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, store->to_mark_count(inbox_, 10));
    store->marked(inbox_, {{"a", "move:Rejected", at(1)}});  // that of the earlier decision was on its way
    store->marked(inbox_, {{"a", "move:Rejected", at(2)}});  // decided anew when the date had been set back
    CPPUNIT_ASSERT((store::Mark{"a", "read", at(2)}) == store->to_mark(inbox_, 9).at(0));
    CPPUNIT_ASSERT(as_read(r) == store->receipts_after(inbox_, "", 9).at(0));
    r.pending_mark.clear();
    store->decide(r);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, store->to_mark_count(inbox_, 10));
    r.pending_mark = "read";
    store->decide(r);
    store->seen_missing(inbox_, "a");
    clock.advance(std::chrono::hours(24));
    CPPUNIT_ASSERT(store->seen_missing(inbox_, "a"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, store->to_mark_count(inbox_, 10));
  }

  void gone_and_back() {
    store->decide(receipt(inbox_, "a"));
    store->set_gone(inbox_, "a", true);
    CPPUNIT_ASSERT(store->receipt(inbox_, "a")->gone);
    store->set_gone(inbox_, "a", false);
    store->set_gone(inbox_, "unknown", true);
    CPPUNIT_ASSERT(!store->receipt(inbox_, "a")->gone);
    CPPUNIT_ASSERT(!store->receipt(inbox_, "unknown"));
  }

  void pages_show_each_once_whatever_is_dropped() {
    std::set<std::string> want, seen;
    for (int i = 0; i < 50; ++i) {
      want.insert("id" + std::to_string(i));
      store->decide(receipt(inbox_, "id" + std::to_string(i)));
      store->decide(receipt(stream("other"), "other" + std::to_string(i)));
    }
    for (const auto& id : want) store->seen_missing(inbox_, id);
    clock.advance(std::chrono::hours(24));
    std::string after;
    for (;;) {
      const auto page = store->receipts_after(inbox_, after, 7);
      if (page.empty()) break;
      for (const auto& r : page) CPPUNIT_ASSERT_MESSAGE(r.message_id + " twice", seen.insert(r.message_id).second);
      after = page.back().message_id;
      CPPUNIT_ASSERT(store->seen_missing(inbox_, after));  // the very one that the next page begins behind
    }
    CPPUNIT_ASSERT(want == seen);
  }

  void missing_twice_a_day_apart_is_dropped() {
    store->decide(receipt(inbox_, "a"));
    CPPUNIT_ASSERT(!store->seen_missing(inbox_, "a"));
    clock.advance(std::chrono::hours(24) - std::chrono::milliseconds(1));
    CPPUNIT_ASSERT(!store->seen_missing(inbox_, "a"));
    CPPUNIT_ASSERT(store->receipt(inbox_, "a"));
    clock.advance(std::chrono::milliseconds(1));
    CPPUNIT_ASSERT(store->seen_missing(inbox_, "a"));
    CPPUNIT_ASSERT(!store->receipt(inbox_, "a"));
    CPPUNIT_ASSERT(!store->receipt_like(receipt(inbox_, "a").fingerprint));
    CPPUNIT_ASSERT(!store->seen_missing(inbox_, "a"));
  }

  void missing_is_forgotten_by_a_new_decision() {
    store->decide(receipt(inbox_, "a"));
    store->seen_missing(inbox_, "a");
    clock.advance(std::chrono::hours(24));
    store->decide(receipt(inbox_, "a"));
    CPPUNIT_ASSERT(!store->seen_missing(inbox_, "a"));
    CPPUNIT_ASSERT(store->receipt(inbox_, "a"));
  }

  void missing_minds_a_date_that_was_set_back() {
    store->decide(receipt(inbox_, "a"));
    clock.step_wall(std::chrono::hours(24 * 365));
    store->seen_missing(inbox_, "a");
    clock.step_wall(-std::chrono::hours(24 * 365));
    CPPUNIT_ASSERT(!store->seen_missing(inbox_, "a"));
    clock.advance(std::chrono::hours(24));
    CPPUNIT_ASSERT(store->seen_missing(inbox_, "a"));
  }

  void asides_are_read_back_in_order_of_due() {
    SetAside late = aside("a"), early = aside("b");
    late.due = at(10);
    early.due = at(5);
    early.reason = "scan";
    early.tries = 4;
    early.offered = true;
    store->set_aside(late);
    store->set_aside(early);
    open();
    CPPUNIT_ASSERT((std::vector{early, late}) == store->asides(inbox_));
    CPPUNIT_ASSERT(early == store->aside(inbox_, "b"));
    late.due = at(1);
    late.reason = "retry";
    store->set_aside(late);  // replaces
    CPPUNIT_ASSERT((std::vector{late, early}) == store->asides(inbox_));
    store->drop_aside(inbox_, "a");
    store->drop_aside(inbox_, "unknown");
    CPPUNIT_ASSERT((std::vector{early}) == store->asides(inbox_));
    CPPUNIT_ASSERT(store->asides(inbox_ + 1).empty());
    store->set_aside_all({});
  }

  void ids_are_bytes() {
    const std::string odd("a\0'\xff\xc3\xa4", 6);
    SetAside mail = aside(odd);
    mail.reason = odd;
    store->set_aside(mail);
    CPPUNIT_ASSERT(mail == store->aside(inbox_, odd));
    Receipt r = receipt(inbox_, odd);
    store->decide(r);
    CPPUNIT_ASSERT(as_read(r) == store->receipt(inbox_, odd));
    CPPUNIT_ASSERT(!store->aside(inbox_, odd));
  }

  void a_stream_that_was_never_made_is_refused() {
    CPPUNIT_ASSERT_THROW(store->decide(receipt(0, "a")), mail::FaultError);
    CPPUNIT_ASSERT_THROW(store->set_aside([&] {
      auto mail = aside("a");
      mail.stream = 0;
      return mail;
    }()),
                         mail::FaultError);
  }

 private:
  SetAside aside(const std::string& message_id) const {
    SetAside mail;
    mail.stream = inbox_;
    mail.message_id = message_id;
    mail.reason = "offered";
    mail.due = at(1);
    mail.first_seen = at(0);
    return mail;
  }

  template <typename Rows>
  static std::string ids(const Rows& receipts) {
    std::string text;
    for (const auto& r : receipts) text += r.message_id;
    return text;
  }

  store::StreamId inbox_ = 0;
};

CPPUNIT_TEST_SUITE_REGISTRATION(ReceiptsTest);
