// The domain's values are the header's values: what boundary/ casts, it may cast.
#include <cppunit/extensions/HelperMacros.h>

#include "boundary/settings_reader.h"
#include "mail/fault.h"
#include "mail/health.h"
#include "mail/log.h"
#include "mail/mail.h"
#include "mail/settings.h"
#include "mail/verdict.h"
#include "mailplugin/mailplugin.h"
#include "support/capturing_log.h"

namespace {

template <typename Domain>
constexpr bool same(Domain domain, std::uint32_t abi) {
  return static_cast<std::uint32_t>(domain) == abi;
}

static_assert(same(mail::Cause::none, MAILPLUGIN_CAUSE_NONE));
static_assert(same(mail::Cause::network, MAILPLUGIN_CAUSE_NETWORK));
static_assert(same(mail::Cause::throttled, MAILPLUGIN_CAUSE_THROTTLED));
static_assert(same(mail::Cause::secret_refused, MAILPLUGIN_CAUSE_SECRET_REFUSED));
static_assert(same(mail::Cause::secret_expired, MAILPLUGIN_CAUSE_SECRET_EXPIRED));
static_assert(same(mail::Cause::consent_missing, MAILPLUGIN_CAUSE_CONSENT_MISSING));
static_assert(same(mail::Cause::mailbox_unknown, MAILPLUGIN_CAUSE_MAILBOX_UNKNOWN));
static_assert(same(mail::Cause::mailbox_forbidden, MAILPLUGIN_CAUSE_MAILBOX_FORBIDDEN));
static_assert(same(mail::Cause::host_refuses, MAILPLUGIN_CAUSE_HOST_REFUSES));
static_assert(same(mail::Cause::tls, MAILPLUGIN_CAUSE_TLS));
static_assert(same(mail::Cause::proxy, MAILPLUGIN_CAUSE_PROXY));
static_assert(same(mail::Cause::tenant_unknown, MAILPLUGIN_CAUSE_TENANT_UNKNOWN));
static_assert(same(mail::Cause::client_unknown, MAILPLUGIN_CAUSE_CLIENT_UNKNOWN));
static_assert(same(mail::Cause::password_refused, MAILPLUGIN_CAUSE_PASSWORD_REFUSED));
static_assert(same(mail::Cause::sign_in_blocked, MAILPLUGIN_CAUSE_SIGN_IN_BLOCKED));
static_assert(same(mail::Cause::secret_expires_soon, MAILPLUGIN_CAUSE_SECRET_EXPIRES_SOON));
static_assert(same(mail::Cause::mailbox_full, MAILPLUGIN_CAUSE_MAILBOX_FULL));
static_assert(same(mail::Cause::folder_missing, MAILPLUGIN_CAUSE_FOLDER_MISSING));
static_assert(same(mail::Cause::folder_shared, MAILPLUGIN_CAUSE_FOLDER_SHARED));
static_assert(same(mail::Cause::first_fetch, MAILPLUGIN_CAUSE_FIRST_FETCH));
static_assert(same(mail::Cause::sender_forbidden, MAILPLUGIN_CAUSE_SENDER_FORBIDDEN));
static_assert(same(mail::Cause::send_limit, MAILPLUGIN_CAUSE_SEND_LIMIT));
static_assert(same(mail::Cause::service_fault, MAILPLUGIN_CAUSE_SERVICE_FAULT));
static_assert(same(mail::Cause::state_disk, MAILPLUGIN_CAUSE_STATE_DISK));

static_assert(same(mail::State::stopped, MAILPLUGIN_STOPPED));
static_assert(same(mail::State::starting, MAILPLUGIN_STARTING));
static_assert(same(mail::State::ready, MAILPLUGIN_READY));
static_assert(same(mail::State::degraded, MAILPLUGIN_DEGRADED));
static_assert(same(mail::State::failed, MAILPLUGIN_FAILED));

static_assert(same(mail::Verdict::accepted, MAILPLUGIN_ACCEPTED));
static_assert(same(mail::Verdict::retry_later, MAILPLUGIN_RETRY_LATER));
static_assert(same(mail::Verdict::rejected, MAILPLUGIN_REJECTED));
static_assert(same(mail::Verdict::pending, MAILPLUGIN_PENDING));
static_assert(same(mail::Verdict::uncertain, MAILPLUGIN_UNCERTAIN));

static_assert(same(mail::PartKind::text, MAILPLUGIN_PART_TEXT));
static_assert(same(mail::PartKind::html, MAILPLUGIN_PART_HTML));
static_assert(same(mail::PartKind::inline_part, MAILPLUGIN_PART_INLINE));
static_assert(same(mail::PartKind::attachment, MAILPLUGIN_PART_ATTACHMENT));
static_assert(same(mail::PartKind::link, MAILPLUGIN_PART_LINK));
static_assert(same(mail::PartKind::original, MAILPLUGIN_PART_ORIGINAL));

static_assert(same(mail::redelivered, MAILPLUGIN_REDELIVERED));
static_assert(same(mail::auto_submitted, MAILPLUGIN_AUTO_SUBMITTED));
static_assert(same(mail::bounce, MAILPLUGIN_BOUNCE));
static_assert(same(mail::encrypted, MAILPLUGIN_ENCRYPTED));
static_assert(same(mail::signed_mail, MAILPLUGIN_SIGNED));
static_assert(same(mail::rights_protected, MAILPLUGIN_RIGHTS_PROTECTED));
static_assert(same(mail::links_rewritten, MAILPLUGIN_LINKS_REWRITTEN));
static_assert(same(mail::scan_pending, MAILPLUGIN_SCAN_PENDING));
static_assert(same(mail::oversize, MAILPLUGIN_OVERSIZE));
static_assert(same(mail::attachments_replaced, MAILPLUGIN_ATTACHMENTS_REPLACED));
static_assert(same(mail::read_receipt, MAILPLUGIN_READ_RECEIPT));
static_assert(same(mail::meeting, MAILPLUGIN_MEETING));
static_assert(same(mail::bulk, MAILPLUGIN_BULK));
static_assert(same(mail::own_mail, MAILPLUGIN_OWN_MAIL));
static_assert(same(mail::read_receipt_requested, MAILPLUGIN_READ_RECEIPT_REQUESTED));

static_assert(same(mail::ReportKind::failed, MAILPLUGIN_REPORT_FAILED));
static_assert(same(mail::ReportKind::delayed, MAILPLUGIN_REPORT_DELAYED));
static_assert(same(mail::ReportKind::delivered, MAILPLUGIN_REPORT_DELIVERED));
static_assert(same(mail::ReportKind::read, MAILPLUGIN_REPORT_READ));
static_assert(same(mail::Importance::low, MAILPLUGIN_IMPORTANCE_LOW));
static_assert(same(mail::Importance::high, MAILPLUGIN_IMPORTANCE_HIGH));
static_assert(same(mail::Level::debug, MAILPLUGIN_LOG_DEBUG));
static_assert(same(mail::Level::misuse, MAILPLUGIN_LOG_MISUSE));
static_assert(same(mail::FieldType::text, MAILPLUGIN_FIELD_TEXT));
static_assert(same(mail::FieldType::toggle, MAILPLUGIN_FIELD_SWITCH));
static_assert(same(mail::FieldType::choice, MAILPLUGIN_FIELD_CHOICE));
static_assert(same(mail::Scope::mailbox, MAILPLUGIN_SCOPE_MAILBOX));

class SettingsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SettingsTest);
  CPPUNIT_TEST(values_may_hold_any_bytes);
  CPPUNIT_TEST(a_setting_without_a_key_is_refused);
  CPPUNIT_TEST_SUITE_END();

 public:
  void values_may_hold_any_bytes() {
    const char bytes[] = {'a', '\0', 'b'};
    const mailplugin_setting items[] = {{"secret", {bytes, sizeof bytes}}, {"empty", {nullptr, 0}}};
    const mailplugin_settings settings{sizeof settings, 2, items};
    mail::Settings read;
    support::CapturingLog log;
    boundary::HostProblems problems(nullptr, log);
    CPPUNIT_ASSERT(boundary::read_settings(&settings, read, problems));
    CPPUNIT_ASSERT_EQUAL(std::string(bytes, sizeof bytes), read["secret"]);
    CPPUNIT_ASSERT_EQUAL(std::string(), read["empty"]);
  }

  void a_setting_without_a_key_is_refused() {
    for (const char* key : {static_cast<const char*>(nullptr), ""}) {
      const mailplugin_setting items[] = {{key, {"x", 1}}};
      const mailplugin_settings settings{sizeof settings, 1, items};
      mail::Settings read;
      support::CapturingLog log;
      boundary::HostProblems problems(nullptr, log);
      CPPUNIT_ASSERT(!boundary::read_settings(&settings, read, problems));
      CPPUNIT_ASSERT(problems.any());
    }
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(SettingsTest);

}  // namespace
