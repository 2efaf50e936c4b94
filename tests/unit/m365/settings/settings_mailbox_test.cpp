// An address of a queue: its mailbox, its folder, and what becomes of its mails.
#include <cppunit/extensions/HelperMacros.h>

#include <string>
#include <vector>

#include "m365/settings/server_settings.h"
#include "m365/settings/server_settings_values.h"
#include "settings_support.h"

namespace {

using m365::AfterFetch;
using m365::SignIn;
using support::Told;
using Kind = AfterFetch::Kind;

mail::Settings with(const std::string& key, const std::string& value) {
  mail::Settings settings{{"address", "support@contoso.com"}};
  settings[key] = value;
  return settings;
}

m365::MailboxSettings read(const mail::Settings& settings, SignIn sign_in = SignIn::service) {
  Told told;
  const auto result = m365::read_mailbox(settings, sign_in, told);
  CPPUNIT_ASSERT_MESSAGE(told.all(), result.has_value());
  return *result;
}

void refused(const mail::Settings& settings, const std::string& key, const std::string& words,
             SignIn sign_in = SignIn::service) {
  Told told;
  const auto result = m365::read_mailbox(settings, sign_in, told);
  CPPUNIT_ASSERT_MESSAGE("taken: " + key, !result.has_value());
  CPPUNIT_ASSERT_EQUAL_MESSAGE(told.all(), std::size_t{1}, told.lines().size());
  CPPUNIT_ASSERT_EQUAL(key, told.lines().front().first);
  CPPUNIT_ASSERT_MESSAGE(told.all(), told.lines().front().second.find(words) != std::string::npos);
}

class SettingsMailboxTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SettingsMailboxTest);
  CPPUNIT_TEST(an_address_is_enough);
  CPPUNIT_TEST(address_is_an_email_address);
  CPPUNIT_TEST(email_account_names_the_user_or_nothing);
  CPPUNIT_TEST(oauth_user_needs_a_password_and_a_name);
  CPPUNIT_TEST(priority_is_a_number);
  CPPUNIT_TEST(start_from_is_a_word_or_a_time);
  CPPUNIT_TEST(after_fetch_has_four_ways);
  CPPUNIT_TEST(rejected_follows_after_fetch_unless_entered);
  CPPUNIT_TEST(folders_are_paths);
  CPPUNIT_TEST(read_receipts_has_two_ways);
  CPPUNIT_TEST(numbers_have_ranges);
  CPPUNIT_TEST(unknown_keys_name_the_nearest);
  CPPUNIT_TEST(times_with_offsets_and_fractions);
  CPPUNIT_TEST_SUITE_END();

 public:
  void an_address_is_enough() {
    const auto mailbox = read({{"address", "support@contoso.com"}});
    CPPUNIT_ASSERT_EQUAL(std::string("support@contoso.com"), mailbox.address);
    CPPUNIT_ASSERT_EQUAL(std::string("support@contoso.com"), mailbox.user);
    CPPUNIT_ASSERT_EQUAL(UINT32_MAX, mailbox.priority);
    CPPUNIT_ASSERT(mailbox.after_fetch.kind == Kind::mark_read);
  }

  void address_is_an_email_address() {
    refused({}, "address", "missing");
    for (const std::string value : {"support", "@contoso.com", "support@", "a@b@c", "a b@c"}) {
      refused(with("address", value), "address", "not an email address");
    }
  }

  void email_account_names_the_user_or_nothing() {
    CPPUNIT_ASSERT_EQUAL(std::string("support@contoso.com"), read(with("email_account", "Support")).user);
    CPPUNIT_ASSERT_EQUAL(std::string("support@contoso.com"), read(with("email_account", "")).user);
    CPPUNIT_ASSERT_EQUAL(std::string("u1@contoso.com"), read(with("email_account", "u1@contoso.com")).user);
    const std::string id = "6f2a9a0e-1111-2222-3333-444455556666";
    CPPUNIT_ASSERT_EQUAL(id, read(with("email_account", id)).user);
    CPPUNIT_ASSERT_EQUAL(std::string("support@contoso.com"), read(with("email_account", id)).address);
    refused(with("email_account", "u1@"), "email_account", "user@contoso.com");
  }

  void oauth_user_needs_a_password_and_a_name() {
    refused({{"address", "support@contoso.com"}}, "email_password", "support@contoso.com", SignIn::user);
    refused(with("email_password", "blank at the end "), "email_password", "blank", SignIn::user);
    CPPUNIT_ASSERT_EQUAL(
        std::string("in the middle is fine"),
        std::string(read(with("email_password", "in the middle is fine"), SignIn::user).password.view()));
    CPPUNIT_ASSERT(read(with("email_password", "of no use")).password.empty());
    auto by_id = with("email_account", "6f2a9a0e-1111-2222-3333-444455556666");
    by_id["email_password"] = "x";
    refused(by_id, "email_account", "not as object ID", SignIn::user);
  }

  void priority_is_a_number() {
    CPPUNIT_ASSERT_EQUAL(5u, read(with("priority", "5")).priority);
    CPPUNIT_ASSERT_EQUAL(0u, read(with("priority", "0")).priority);
    refused(with("priority", "high"), "priority", "whole number");
    refused(with("priority", "4294967295"), "priority", "whole number");
  }

  void start_from_is_a_word_or_a_time() {
    CPPUNIT_ASSERT_EQUAL(std::string("all"), read(with("start_from", "all")).start_from);
    CPPUNIT_ASSERT(!read(with("start_from", "now")).start_time);
    const auto mailbox = read(with("start_from", "2026-01-31T08:00:00+01:00"));
    CPPUNIT_ASSERT(mailbox.start_time == m365::parse_rfc3339("2026-01-31T07:00:00Z"));
    refused(with("start_from", "yesterday"), "start_from", "2026-01-31T08:00:00Z");
    refused(with("start_from", "2026-01-31"), "start_from", "2026-01-31T08:00:00Z");
  }

  void after_fetch_has_four_ways() {
    CPPUNIT_ASSERT(read(with("after_fetch", "mark_read")).after_fetch.kind == Kind::mark_read);
    CPPUNIT_ASSERT(read(with("after_fetch", "delete")).after_fetch.kind == Kind::erase);
    CPPUNIT_ASSERT(read(with("after_fetch", "leave")).after_fetch.kind == Kind::leave);
    const auto moved = read(with("after_fetch", "move: inbox/Done"));
    CPPUNIT_ASSERT(moved.after_fetch.kind == Kind::move);
    CPPUNIT_ASSERT_EQUAL(std::string("inbox/Done"), moved.after_fetch.folder);
    refused(with("after_fetch", "move"), "after_fetch", "needs a folder");
    refused(with("after_fetch", "move:"), "after_fetch", "needs a folder");
    refused(with("after_fetch", "move:a//b"), "after_fetch", "empty part");
    refused(with("after_fetch", "moved:x"), "after_fetch", "mark_read, move:FOLDER, delete or leave");
    refused(with("after_fetch", "archive"), "after_fetch", "mark_read, move:FOLDER, delete or leave");
  }

  void rejected_follows_after_fetch_unless_entered() {
    CPPUNIT_ASSERT(read({{"address", "a@b"}}).rejected.kind == Kind::move);
    CPPUNIT_ASSERT_EQUAL(std::string("Rejected"), read({{"address", "a@b"}}).rejected.folder);
    CPPUNIT_ASSERT(read(with("after_fetch", "leave")).rejected.kind == Kind::leave);
    auto both = with("after_fetch", "leave");
    both["rejected"] = "move:Refused";
    CPPUNIT_ASSERT_EQUAL(std::string("Refused"), read(both).rejected.folder);
    CPPUNIT_ASSERT(read(with("rejected", "leave")).rejected.kind == Kind::leave);
    refused(with("rejected", "delete"), "rejected", "move:FOLDER or leave");
  }

  void folders_are_paths() {
    const auto path = [](const char* text) { return m365::folder_path(text).value(); };
    CPPUNIT_ASSERT(path("inbox/Claims") == (std::vector<std::string>{"inbox", "Claims"}));
    CPPUNIT_ASSERT(path("A\\/B/C") == (std::vector<std::string>{"A/B", "C"}));
    CPPUNIT_ASSERT(path("back\\slash") == (std::vector<std::string>{"back\\slash"}));
    for (const char* text : {"", "/", "/inbox", "inbox/", "a//b", "a/ /b"}) {
      CPPUNIT_ASSERT_MESSAGE(text, !m365::folder_path(text));
    }
    CPPUNIT_ASSERT_EQUAL(std::string("inbox/Claims"), read(with("folder", "inbox/Claims")).folder);
    refused(with("folder", "inbox//Claims"), "folder", "empty part");
  }

  void read_receipts_has_two_ways() {
    CPPUNIT_ASSERT(read(with("read_receipts", "suppress")).suppress_read_receipts);
    CPPUNIT_ASSERT(!read(with("read_receipts", "leave")).suppress_read_receipts);
    refused(with("read_receipts", "send"), "read_receipts", "suppress or leave");
  }

  void numbers_have_ranges() {
    CPPUNIT_ASSERT_EQUAL(0u, read(with("first_fetch_limit", "0")).first_fetch_limit);
    refused(with("first_fetch_limit", "none"), "first_fetch_limit", "whole number");
    refused(with("max_email_size_kb", "0"), "max_email_size_kb", "whole number");
    refused(with("scan_wait_minutes", "1441"), "scan_wait_minutes", "from 0 to 1440");
    refused(with("reconcile_minutes", "0"), "reconcile_minutes", "from 1 to 1440");
  }

  void unknown_keys_name_the_nearest() {
    refused(with("folders", "x"), "folders", "\"folder\"");
    refused(with("max_email_size", "x"), "max_email_size", "\"max_email_size_kb\"");
  }

  void times_with_offsets_and_fractions() {
    const auto ms = [](const char* text) {
      const auto time = m365::parse_rfc3339(text);
      return time ? std::int64_t{time->time_since_epoch().count()} : std::int64_t{-1};
    };
    CPPUNIT_ASSERT_EQUAL(std::int64_t{1767225600000}, ms("2026-01-01T00:00:00Z"));
    CPPUNIT_ASSERT_EQUAL(std::int64_t{1767225600125}, ms("2026-01-01t00:00:00.1259z"));
    CPPUNIT_ASSERT_EQUAL(std::int64_t{1767225600000}, ms("2025-12-31T18:30:00-05:30"));
    for (const char* text : {"2026-01-01T00:00:00", "2026-01-01 00:00:00Z", "2026-01-01T24:00:00Z",
                             "2026-01-01T00:60:00Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00+24:00",
                             "2026-01-01T00:00:00+0100", "2026-00-01T00:00:00Z", "2026-01-01T00:00:00ZZ"}) {
      CPPUNIT_ASSERT_EQUAL_MESSAGE(text, std::int64_t{-1}, ms(text));
    }
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(SettingsMailboxTest);

}  // namespace
