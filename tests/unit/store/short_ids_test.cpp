#include <cppunit/extensions/HelperMacros.h>

#include <set>
#include <string>
#include <vector>

#include "fixture.h"
#include "sql.h"

namespace {

// As Exchange makes them: alike but for their ends.
const std::string alike(120, 'A');

std::string id(const std::string& end) {
  return alike + std::string(24 - end.size(), 'A') + end;
}

}  // namespace

class ShortIdsTest : public CppUnit::TestFixture, StoreFixture {
  CPPUNIT_TEST_SUITE(ShortIdsTest);
  CPPUNIT_TEST(every_id_is_read_back_whole);
  CPPUNIT_TEST(what_is_alike_stands_once_in_the_file);
  CPPUNIT_TEST(a_short_id_stays_what_it_was_stored_as);
  CPPUNIT_TEST(each_stream_has_its_own);
  CPPUNIT_TEST(mails_before_between_and_behind_those_that_are_there);
  CPPUNIT_TEST(every_receipt_is_somewhere);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    open();
    inbox_ = stream();
  }

  void every_id_is_read_back_whole() {
    std::set<std::string> ids{id("1"),
                              id("2"),
                              id("+"),
                              id("="),
                              "",
                              "1",
                              "+1",
                              "=1",
                              "+" + id("1"),
                              "=" + id("1"),
                              alike,
                              alike + "A",
                              "other" + id("1"),
                              id("1") + "1",
                              std::string(200, 'B'),
                              alike + "\xff\x80",
                              std::string(130, '\xc3')};
    store->decide(receipt(inbox_, id("1")));  // so begin all that are stored short
    for (const std::string& each : ids) {
      auto receipt = this->receipt(inbox_, each);
      receipt.pending_mark = "read";
      store->decide(receipt);
      store->set_aside({inbox_, each, "retry", at(1), at(0), 1, true});
    }
    for (int run = 0; run < 2; ++run) {
      std::set<std::string> receipts, marks, asides;
      for (const auto& each : store->receipts_after(inbox_, "", 99)) receipts.insert(each.message_id);
      for (const auto& each : store->to_mark(inbox_, 99)) marks.insert(each.message_id);
      for (const auto& each : store->asides(inbox_)) asides.insert(each.message_id);
      CPPUNIT_ASSERT(ids == receipts);
      CPPUNIT_ASSERT(ids == marks);
      CPPUNIT_ASSERT(ids == asides);
      for (const std::string& each : ids) {
        CPPUNIT_ASSERT_EQUAL(each, store->receipt(inbox_, each).value().message_id);
        CPPUNIT_ASSERT_EQUAL(each, store->aside(inbox_, each).value().message_id);
        const auto like = store->receipt_like(this->receipt(inbox_, each).fingerprint);
        CPPUNIT_ASSERT_EQUAL(each, like.value().message_id);
      }
      store.reset();
      const auto stored_short = sql::rows(file(), "select count(*) from receipt where mail >= '+' and mail < ','");
      CPPUNIT_ASSERT_EQUAL(std::string("8"), stored_short.at(0));
      open();
    }
    for (const auto& mark : store->to_mark(inbox_, 99)) store->marked(inbox_, {mark});
    for (const std::string& each : ids) store->drop_aside(inbox_, each);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, store->to_mark_count(inbox_, 9));
    CPPUNIT_ASSERT(store->asides(inbox_).empty());
  }

  void what_is_alike_stands_once_in_the_file() {
    for (int i = 0; i < 50; ++i) store->decide(receipt(inbox_, id(std::to_string(i))));
    store.reset();
    const std::string file = sql::contents(this->file());
    std::size_t count = 0;
    for (std::size_t at = file.find(alike); at != std::string::npos; at = file.find(alike, at + alike.size())) ++count;
    CPPUNIT_ASSERT(count >= 1 && count <= 2);  // a page that was written twice may leave a copy
  }

  // It may begin as the longer ones do, which come later.
  void a_short_id_stays_what_it_was_stored_as() {
    const std::string longer(26, 'A');
    for (const std::string& each : {std::string("AAx"), std::string(24, 'A'), longer, std::string("AAy")}) {
      store->set_aside({inbox_, each, "retry", at(1), at(0), 1, true});
    }
    store->decide_all({receipt(inbox_, "AAx"), receipt(inbox_, std::string(24, 'A')), receipt(inbox_, longer)});
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, store->asides(inbox_).size());
    CPPUNIT_ASSERT((std::vector<bool>{true, true, true, false}) ==
                   store->receipts_known(inbox_, {"AAx", std::string(24, 'A'), longer, "AAy"}));
  }

  void each_stream_has_its_own() {
    const auto other = stream("AAMkClaims");
    store->decide(receipt(inbox_, "inbox" + id("1")));
    store->decide_all({receipt(other, "claims" + id("1")), receipt(other, "inbox" + id("1"))});
    open();
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, store->receipts_after(inbox_, "", 9).size());
    CPPUNIT_ASSERT(store->receipt(inbox_, "inbox" + id("1")));
    CPPUNIT_ASSERT(store->receipt(other, "claims" + id("1")));
    CPPUNIT_ASSERT(store->receipt(other, "inbox" + id("1")));
    CPPUNIT_ASSERT(!store->receipt(inbox_, "claims" + id("1")));
    // Found by what it is like, of whichever stream: its id is that stream's.
    CPPUNIT_ASSERT_EQUAL("claims" + id("1"),
                         store->receipt_like(receipt(inbox_, "claims" + id("1")).fingerprint).value().message_id);
  }

  void mails_before_between_and_behind_those_that_are_there() {
    const auto received = [this](int minutes, const std::string& mailbox = "support@contoso.com") {
      return store::Fingerprint{mailbox, "<1@example.com>", "anna@example.com", at(minutes)};
    };
    const std::vector<store::Fingerprint> five{received(10), received(20), received(30), received(40), received(50)};
    const std::vector<std::string> ids{id("10"), id("20"), id("30"), id("40"), id("50")};
    const auto known = [&] {
      const auto receipts = store->receipts_known(inbox_, ids);
      const auto asides = store->asides_of(inbox_, ids);
      const auto like = store->receipts_like(five);
      std::string text;
      for (std::size_t i = 0; i < ids.size(); ++i) {
        CPPUNIT_ASSERT_EQUAL(bool(receipts[i]), like[i].has_value());
        text += receipts[i] ? 'r' : asides[i] ? 'a' : '-';
      }
      return text;
    };
    CPPUNIT_ASSERT_EQUAL(std::string("-----"), known());
    const auto decide = [&](std::size_t i) {
      auto receipt = this->receipt(inbox_, ids[i]);
      receipt.fingerprint = five[i];
      store->decide(receipt);
    };
    store->set_aside({inbox_, ids[2], "retry", at(1), at(0), 1, true});
    CPPUNIT_ASSERT_EQUAL(std::string("--a--"), known());
    decide(3);
    CPPUNIT_ASSERT_EQUAL(std::string("--ar-"), known());
    decide(1);
    CPPUNIT_ASSERT_EQUAL(std::string("-rar-"), known());
    store->set_aside({inbox_, ids[0], "retry", at(1), at(0), 1, true});
    store->set_aside({inbox_, ids[4], "retry", at(1), at(0), 1, true});
    CPPUNIT_ASSERT_EQUAL(std::string("arara"), known());
    for (const std::size_t i : {0u, 2u, 4u}) decide(i);
    CPPUNIT_ASSERT_EQUAL(std::string("rrrrr"), known());
    // Each of several mailboxes by its own.
    const auto mixed = store->receipts_like({received(10, "sales@contoso.com"), received(30), received(60),
                                             received(30, "sales@contoso.com"), received(10)});
    CPPUNIT_ASSERT(!mixed[0] && mixed[1] && !mixed[2] && !mixed[3] && mixed[4]);
  }

  void every_receipt_is_somewhere() {
    CPPUNIT_ASSERT_EQUAL(std::string(), store->receipt_somewhere(inbox_, 7));
    std::set<std::string> ids, found;
    for (int i = 0; i < 5; ++i) {
      ids.insert(id(std::to_string(i)));
      store->decide(receipt(inbox_, id(std::to_string(i))));
      store->decide(receipt(stream("other"), "other" + id(std::to_string(i))));
    }
    constexpr std::uint64_t large = 0xfffffffffffffff0u;
    for (std::uint64_t i = 0; i < 5; ++i) found.insert(store->receipt_somewhere(inbox_, large + i));
    CPPUNIT_ASSERT(ids == found);
  }

 private:
  store::StreamId inbox_ = 0;
};

CPPUNIT_TEST_SUITE_REGISTRATION(ShortIdsTest);
