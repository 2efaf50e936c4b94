// Delta: rounds, tombstones, partial rows, lost state; and the ids of what moves.
#include <cppunit/extensions/HelperMacros.h>

#include <set>

#include "simulated.h"

namespace embedded {

using testing::Answer;
using testing::kSupport;
using testing::numbered_mail;
using testing::Simulated;

class DeltaTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(DeltaTest);
  CPPUNIT_TEST(first_series_has_everything_once);
  CPPUNIT_TEST(nothing_new_is_an_empty_round);
  CPPUNIT_TEST(read_flag_gives_a_thin_row);
  CPPUNIT_TEST(moved_away_is_removed);
  CPPUNIT_TEST(moved_in_is_new);
  CPPUNIT_TEST(what_came_and_went_is_not_told);
  CPPUNIT_TEST(changes_during_a_series_are_not_lost);
  CPPUNIT_TEST(a_returned_mail_can_be_forgotten);
  CPPUNIT_TEST(filter_keeps_older_ones_out);
  CPPUNIT_TEST(options_only_in_the_first_request);
  CPPUNIT_TEST(change_type_restricts_later_rounds);
  CPPUNIT_TEST(lost_state_is_410);
  CPPUNIT_TEST(tokens_are_checked);
  CPPUNIT_TEST(no_stream_of_the_whole_mailbox);
  CPPUNIT_TEST(ordinary_ids_change_on_move);
  CPPUNIT_TEST(immutable_ids_do_not);
  CPPUNIT_TEST(ids_that_are_none);
  CPPUNIT_TEST_SUITE_END();

  static constexpr const char* kImmutable = "IdType=\"ImmutableId\"";

  std::string inbox() const { return std::string(kSupport) + "/mailFolders/inbox/messages/delta"; }

  // Reads a series to its end; the deltaLink is kept.
  std::vector<Json> series(std::string url, const char* prefer = "odata.maxpagesize=3, IdType=\"ImmutableId\"") {
    std::vector<Json> rows;
    for (;;) {
      const Answer answer = s_.get(url, {{"Prefer", prefer}});
      CPPUNIT_ASSERT_EQUAL_MESSAGE(answer.text, 200, answer.status);
      for (const auto& row : answer.value()) rows.push_back(row);
      link_ = answer.body.text("@odata.deltaLink");
      if (!link_.empty()) return rows;
      url = answer.body.text("@odata.nextLink");
      CPPUNIT_ASSERT(!url.empty());
    }
  }

  std::string patch_read(const std::string& id) {
    const Answer answer =
        s_.ask("PATCH", std::string(kSupport) + "/messages/" + id, R"({"isRead":true})", {{"Prefer", kImmutable}});
    CPPUNIT_ASSERT_EQUAL(200, answer.status);
    return answer.body.text("id");
  }

  Answer move(const std::string& id, const char* to) {
    return s_.ask("POST", std::string(kSupport) + "/messages/" + id + "/move",
                  "{\"destinationId\":\"" + std::string(to) + "\"}", {{"Prefer", kImmutable}});
  }

 public:
  void first_series_has_everything_once() {
    for (int i = 0; i < 10; ++i) s_.put(numbered_mail(i));
    std::set<std::string> subjects;
    for (const auto& row : series(inbox() + "?$select=subject")) {
      CPPUNIT_ASSERT_EQUAL(std::string("#microsoft.graph.message"), row.text("@odata.type"));
      CPPUNIT_ASSERT(subjects.insert(row.text("subject")).second);
      CPPUNIT_ASSERT(row.find("body") == nullptr);
    }
    CPPUNIT_ASSERT_EQUAL(std::size_t{10}, subjects.size());
  }

  void nothing_new_is_an_empty_round() {
    s_.put(numbered_mail(1));
    series(inbox());
    CPPUNIT_ASSERT(series(link_).empty());
    CPPUNIT_ASSERT(series(link_).empty());
  }

  void read_flag_gives_a_thin_row() {
    s_.put(numbered_mail(1));
    const auto first = series(inbox() + "?$select=subject");
    const std::string id = patch_read(first.at(0).text("id"));
    const auto rows = series(link_);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, rows.size());
    CPPUNIT_ASSERT_EQUAL(id, rows[0].text("id"));
    CPPUNIT_ASSERT(rows[0].boolean("isRead", false));
    CPPUNIT_ASSERT(rows[0].find("parentFolderId") != nullptr);
    CPPUNIT_ASSERT(rows[0].find("subject") == nullptr);
  }

  void moved_away_is_removed() {
    s_.put(numbered_mail(1));
    const std::string id = series(inbox()).at(0).text("id");
    CPPUNIT_ASSERT_EQUAL(201, move(id, "archive").status);
    const auto rows = series(link_);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, rows.size());
    CPPUNIT_ASSERT_EQUAL(id, rows[0].text("id"));
    CPPUNIT_ASSERT_EQUAL(std::string("deleted"), rows[0].find("@removed")->text("reason"));
  }

  void moved_in_is_new() {
    s_.put(numbered_mail(1));
    const std::string id = series(inbox()).at(0).text("id");
    series(std::string(kSupport) + "/mailFolders/archive/messages/delta?$select=subject");
    move(id, "archive");
    const auto rows = series(link_);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, rows.size());
    CPPUNIT_ASSERT_EQUAL(std::string("mail 1"), rows[0].text("subject"));
  }

  void what_came_and_went_is_not_told() {
    series(inbox());
    move(s_.put(numbered_mail(1)), "archive");
    CPPUNIT_ASSERT(series(link_).empty());
  }

  void changes_during_a_series_are_not_lost() {
    for (int i = 0; i < 8; ++i) s_.put(numbered_mail(i));
    const Answer first =
        s_.get(inbox() + "?$select=subject", {{"Prefer", "odata.maxpagesize=2, IdType=\"ImmutableId\""}});
    std::set<std::string> known;
    for (const auto& row : first.value()) known.insert(row.text("id"));
    const std::string gone = first.value().at(0).text("id");
    move(gone, "archive");                       // reported already, now away
    patch_read(first.value().at(1).text("id"));  // reported already, now changed
    s_.put(numbered_mail(100));                  // new
    std::set<std::string> removed;
    for (const auto& row : series(first.body.text("@odata.nextLink"))) {
      (row.find("@removed") != nullptr ? removed : known).insert(row.text("id"));
    }
    CPPUNIT_ASSERT_EQUAL(std::size_t{9}, known.size());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, removed.count(gone));
    CPPUNIT_ASSERT(series(link_).empty());
  }

  void a_returned_mail_can_be_forgotten() {
    s_.put(numbered_mail(1));
    const std::string id = series(inbox()).at(0).text("id");
    const std::string before = link_;
    move(id, "archive");
    move(id, "inbox");
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, series(before).size());
    s_.world.behaviour.delta_forgets_returned = true;
    const auto rows = series(before);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, rows.size());
    CPPUNIT_ASSERT(rows[0].find("@removed") != nullptr);
  }

  void filter_keeps_older_ones_out() {
    const auto user = s_.world.directory.recipient("support@contoso.example");
    s_.world.transport.put(*user, numbered_mail(1), "inbox", parse_rfc3339("2020-01-01T00:00:00Z"));
    s_.put(numbered_mail(2));
    const auto rows = series(inbox() + "?$select=subject&$filter=receivedDateTime%20ge%202025-01-01T00:00:00Z");
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, rows.size());
    CPPUNIT_ASSERT_EQUAL(std::string("mail 2"), rows[0].text("subject"));
    CPPUNIT_ASSERT_EQUAL(400, s_.get(inbox() + "?$filter=isRead%20eq%20false").status);
    CPPUNIT_ASSERT_EQUAL(400, s_.get(inbox() + "?$orderby=subject").status);
    CPPUNIT_ASSERT_EQUAL(400, s_.get(inbox() + "?$search=x").status);
  }

  void options_only_in_the_first_request() {
    series(inbox());
    CPPUNIT_ASSERT_EQUAL(400, s_.get(link_ + "&$select=subject").status);
    CPPUNIT_ASSERT_EQUAL(400, s_.get(inbox() + "?$deltatoken=latest").status);
  }

  void change_type_restricts_later_rounds() {
    s_.put(numbered_mail(1));
    const std::string id = series(inbox() + "?changeType=created").at(0).text("id");
    patch_read(id);
    s_.put(numbered_mail(2));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, series(link_).size());
    move(id, "archive");
    CPPUNIT_ASSERT(series(link_).empty());
  }

  void lost_state_is_410() {
    for (int i = 0; i < 4; ++i) s_.put(numbered_mail(i));
    const std::string next = s_.get(inbox(), {{"Prefer", "odata.maxpagesize=2"}}).body.text("@odata.nextLink");
    series(inbox());
    {
      auto& mailbox = s_.mailbox("support@contoso.example");
      const auto lock = mailbox.lock();
      ++mailbox.well_known("inbox")->generation;
    }
    for (const auto& link : {link_, next}) {
      const Answer answer = s_.get(link);
      CPPUNIT_ASSERT_EQUAL(410, answer.status);
      CPPUNIT_ASSERT_EQUAL(std::string("SyncStateNotFound"), answer.code());
    }
    CPPUNIT_ASSERT_EQUAL(std::size_t{4}, series(inbox()).size());
  }

  void tokens_are_checked() {
    series(inbox());
    CPPUNIT_ASSERT_EQUAL(400, s_.get(inbox() + "?$deltatoken=x").status);
    std::string other = link_;
    other[other.size() - 5] = other[other.size() - 5] == 'A' ? 'B' : 'A';
    CPPUNIT_ASSERT(s_.get(other).status == 410 || s_.get(other).status == 400);
    // A deltaLink is no nextLink.
    CPPUNIT_ASSERT_EQUAL(400, s_.get(replace_all(link_, "$deltatoken", "$skiptoken")).status);
    // Nor one of another folder.
    const std::string token = link_.substr(link_.find("?$deltatoken="));
    CPPUNIT_ASSERT_EQUAL(400, s_.get(std::string(kSupport) + "/mailFolders/archive/messages/delta" + token).status);
  }

  void no_stream_of_the_whole_mailbox() {
    CPPUNIT_ASSERT_EQUAL(400, s_.get(std::string(kSupport) + "/messages/delta").status);
  }

  void ordinary_ids_change_on_move() {
    const std::string old = s_.put(numbered_mail(1));
    const Answer moved =
        s_.ask("POST", std::string(kSupport) + "/messages/" + old + "/move", R"({"destinationId":"archive"})");
    CPPUNIT_ASSERT_EQUAL(201, moved.status);
    CPPUNIT_ASSERT(moved.body.text("id") != old);
    const Answer gone = s_.get(std::string(kSupport) + "/messages/" + old);
    CPPUNIT_ASSERT_EQUAL(404, gone.status);
    CPPUNIT_ASSERT_EQUAL(std::string("ErrorItemNotFound"), gone.code());
    CPPUNIT_ASSERT_EQUAL(200, s_.get(std::string(kSupport) + "/messages/" + moved.body.text("id")).status);
  }

  void immutable_ids_do_not() {
    s_.put(numbered_mail(1));
    const std::string id = series(inbox()).at(0).text("id");
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, id.find("AAkALgAAAAAA"));
    CPPUNIT_ASSERT_EQUAL(id, move(id, "archive").body.text("id"));
    CPPUNIT_ASSERT_EQUAL(200, s_.get(std::string(kSupport) + "/messages/" + percent_encode(id)).status);
  }

  void ids_that_are_none() {
    const std::string id = s_.put(numbered_mail(1));
    std::string changed = id;
    for (char& c : changed) {
      if (c >= 'a' && c <= 'z') {
        c = static_cast<char>(c - 32);
        break;
      }
    }
    for (const std::string& bad : {std::string("x"), id.substr(0, id.size() - 4), changed, std::string("inbox")}) {
      const Answer answer = s_.get(std::string(kSupport) + "/messages/" + bad);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(bad, std::string("ErrorInvalidIdMalformed"), answer.code());
      CPPUNIT_ASSERT_EQUAL(400, answer.status);
    }
    // A good id of another mailbox is not found here.
    CPPUNIT_ASSERT_EQUAL(404, s_.get("/users/sales@contoso.example/messages/" + id).status);
  }

 private:
  Simulated s_;
  std::string link_;
};
CPPUNIT_TEST_SUITE_REGISTRATION(DeltaTest);

}  // namespace embedded
