// What a check finds, on the small Graph of the incoming tests; and that it touches nothing.
#include <cppunit/extensions/HelperMacros.h>

#include <vector>

#include "m365/checking/granted.h"
#include "m365/incoming/incoming_rig.h"

namespace {

using mail::Cause;
using mail::Finding;
using Result = mail::Finding::Result;

struct Collected final : mail::Findings {
  void add(const Finding& finding) override { all.push_back(finding); }
  const Finding* of(const std::string& step, Result result) const {
    for (const Finding& finding : all) {
      if (finding.step == step && finding.result == result) return &finding;
    }
    return nullptr;
  }
  std::vector<Finding> all;
};

struct Faults final : mail::Problems {
  void add(std::string_view key, std::string_view) override { keys.emplace_back(key); }
  std::vector<std::string> keys;
};

class CheckupTest final : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(CheckupTest);
  CPPUNIT_TEST(a_token_says_what_is_granted);
  CPPUNIT_TEST(all_is_well);
  CPPUNIT_TEST(no_mail_is_touched);
  CPPUNIT_TEST(a_refused_secret_is_a_finding);
  CPPUNIT_TEST(an_expiry_that_is_near_is_a_warning);
  CPPUNIT_TEST(a_missing_folder_is_named);
  CPPUNIT_TEST(a_target_that_is_missing_will_be_made);
  CPPUNIT_TEST(two_addresses_on_one_folder);
  CPPUNIT_TEST(too_many_mails_for_the_first_fetch);
  CPPUNIT_TEST(a_forbidden_mailbox_keeps_code_and_request_id);
  CPPUNIT_TEST(faulty_settings_are_no_findings);
  CPPUNIT_TEST(the_end_of_the_time_is_a_finding);
  CPPUNIT_TEST_SUITE_END();

  void a_token_says_what_is_granted() {
    using m365::granted;
    using m365::Granted;
    CPPUNIT_ASSERT(granted("Mail.ReadWrite Mail.Send", "Mail.Send") == Granted::yes);
    CPPUNIT_ASSERT(granted("Mail.ReadWrite.Shared", "Mail.ReadWrite") == Granted::yes);
    CPPUNIT_ASSERT(granted("Mail.ReadWrite", "Mail.Send") == Granted::no);
    CPPUNIT_ASSERT(granted("Mail.ReadWrite", "Mail.Read") == Granted::no);  // another permission, not a prefix
    CPPUNIT_ASSERT(granted("none", "Mail.Send") == Granted::unsaid);
    CPPUNIT_ASSERT(granted("", "Mail.Send") == Granted::unsaid);
    CPPUNIT_ASSERT(granted("User.Read.All", "Mail.Send") == Granted::unsaid);  // mail by RBAC, perhaps
  }

  Collected look(fake::Rig& rig, mail::Settings more = {}) {
    Collected found;
    Faults faults;
    CPPUNIT_ASSERT(rig.server->check_mailbox(rig.address(std::move(more)), {}, found, faults));
    CPPUNIT_ASSERT(faults.keys.empty());
    return found;
  }

  void all_is_well() {
    fake::Rig rig;
    rig.world->put();
    Collected server;
    rig.server->check({}, server);
    CPPUNIT_ASSERT(server.of("sign in", Result::passed) != nullptr);
    CPPUNIT_ASSERT(server.of("sign in", Result::passed)->text.find("Mail.ReadWrite") != std::string::npos);
    const Collected mailbox = look(rig);
    CPPUNIT_ASSERT(mailbox.of("folder", Result::passed)->text.find("1 mail, 1 unread") != std::string::npos);
    CPPUNIT_ASSERT(mailbox.of("list", Result::passed) != nullptr);
    CPPUNIT_ASSERT(mailbox.of("permission", Result::passed) != nullptr);
    for (const Finding& finding : mailbox.all) CPPUNIT_ASSERT_MESSAGE(finding.text, finding.result == Result::passed);
  }

  void no_mail_is_touched() {
    fake::Rig rig;
    const std::string id = rig.world->put();
    const auto before = rig.world->find(fake::support_user, id);
    std::vector<std::string> methods;
    rig.world->set_intercept([&](const m365::GraphRequest& request) {
      methods.push_back(request.method);
      return std::nullopt;
    });
    look(rig, {{"after_fetch", "move:Done"}});
    CPPUNIT_ASSERT(methods.size() >= 3);
    for (const std::string& method : methods) CPPUNIT_ASSERT_EQUAL(std::string("GET"), method);
    CPPUNIT_ASSERT(!rig.world->find(fake::support_user, id)->read);
    CPPUNIT_ASSERT_EQUAL(before->changed, rig.world->find(fake::support_user, id)->changed);
    CPPUNIT_ASSERT(!rig.world->folder_named(fake::support_user, "Done"));
  }

  void a_refused_secret_is_a_finding() {
    fake::Rig rig;
    rig.tokens->refuse_all_but("another");
    Collected found;
    rig.server->check({}, found);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, found.all.size());
    CPPUNIT_ASSERT(found.all[0].result == Result::failed);
    CPPUNIT_ASSERT(found.all[0].cause == Cause::secret_refused);
    CPPUNIT_ASSERT(!found.all[0].text.empty());
  }

  void an_expiry_that_is_near_is_a_warning() {
    fake::Rig rig;
    rig.settings.tenant.secret_expires = rig.clock.wall() + std::chrono::hours(24 * 5);
    rig.restart();
    Collected found;
    rig.server->check({}, found);
    CPPUNIT_ASSERT(found.of("secret", Result::warning) != nullptr);
    CPPUNIT_ASSERT(found.of("secret", Result::warning)->cause == Cause::secret_expires_soon);
  }

  void a_missing_folder_is_named() {
    fake::Rig rig;
    const Collected found = look(rig, {{"folder", "inbox/Claims"}});
    CPPUNIT_ASSERT(found.of("folder", Result::failed) != nullptr);
    CPPUNIT_ASSERT(found.of("folder", Result::failed)->cause == Cause::folder_missing);
    CPPUNIT_ASSERT(found.of("folder", Result::failed)->text.find("Claims") != std::string::npos);
    CPPUNIT_ASSERT(found.of("list", Result::passed) == nullptr);
  }

  void a_target_that_is_missing_will_be_made() {
    fake::Rig rig;
    const Collected found = look(rig, {{"after_fetch", "move:Done"}});
    CPPUNIT_ASSERT(found.of("target", Result::passed)->text.find("will be made") != std::string::npos);
  }

  void two_addresses_on_one_folder() {
    fake::Rig rig;
    CPPUNIT_ASSERT(look(rig).of("folder", Result::failed) == nullptr);
    CPPUNIT_ASSERT(look(rig).of("folder", Result::failed) == nullptr);  // the same one again
    const Collected found = look(rig, {{"address", "help@contoso.com"}, {"email_account", fake::support_user}});
    CPPUNIT_ASSERT(found.of("folder", Result::failed) != nullptr);
    CPPUNIT_ASSERT(found.of("folder", Result::failed)->cause == Cause::folder_shared);
  }

  void too_many_mails_for_the_first_fetch() {
    fake::Rig rig;
    for (int i = 0; i < 3; ++i) rig.world->put();
    CPPUNIT_ASSERT(look(rig, {{"first_fetch_limit", "2"}}).of("first fetch", Result::warning) != nullptr);
    CPPUNIT_ASSERT(look(rig, {{"first_fetch_limit", "3"}}).of("first fetch", Result::warning) == nullptr);
    CPPUNIT_ASSERT(look(rig, {{"first_fetch_limit", "2"}, {"start_from", "now"}}).of("first fetch", Result::warning) ==
                   nullptr);
  }

  void a_forbidden_mailbox_keeps_code_and_request_id() {
    fake::Rig rig;
    rig.world->set_intercept(
        [](const m365::GraphRequest&) -> std::optional<fake::Reply> { return fake::error(403, "ErrorAccessDenied"); });
    const Collected found = look(rig);
    const Finding* folder = found.of("folder", Result::failed);
    CPPUNIT_ASSERT(folder != nullptr);
    CPPUNIT_ASSERT(folder->cause == Cause::mailbox_forbidden);
    CPPUNIT_ASSERT_EQUAL(std::string("ErrorAccessDenied"), folder->code);
    CPPUNIT_ASSERT_EQUAL(std::string("req-1"), folder->request_id);
  }

  void faulty_settings_are_no_findings() {
    fake::Rig rig;
    Collected found;
    Faults faults;
    CPPUNIT_ASSERT(!rig.server->check_mailbox(rig.address({{"after_fetch", "burn"}}), {}, found, faults));
    CPPUNIT_ASSERT(found.all.empty());
    CPPUNIT_ASSERT_EQUAL(std::string("after_fetch"), faults.keys.at(0));
  }

  void the_end_of_the_time_is_a_finding() {
    fake::Rig rig;
    rig.world->set_intercept([](const m365::GraphRequest&) -> std::optional<fake::Reply> {
      throw mail::FaultError({Cause::none, mail::Remedy::cancelled, "The work was stopped.", {}, {}, {}, false});
    });
    const Collected found = look(rig);
    const Finding* folder = found.of("folder", Result::failed);
    CPPUNIT_ASSERT(folder != nullptr);
    CPPUNIT_ASSERT(folder->cause == Cause::network);
    CPPUNIT_ASSERT(folder->text.find("time for the check") != std::string::npos);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(CheckupTest);

}  // namespace
