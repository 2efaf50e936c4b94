// The incoming server's form and its checks: each wrong value with the key it is told under.
#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <string>

#include "m365/settings/server_settings.h"
#include "settings_support.h"

namespace {

using m365::SignIn;
using support::Told;

const std::string tenant = "8d8a8ab6-5d6f-4b61-8b8b-0f6b3c5d1f10";

mail::Settings sound() {
  return {{"address", "https://login.microsoftonline.com/" + tenant},
          {"authentication_type", "OAuth Service"},
          {"client_id", "e7e4dbfc-046f-4074-9b3b-2ae8f144f59b"},
          {"secret", "a~b.c+d/e"}};
}

mail::Settings with(const std::string& key, const std::string& value) {
  mail::Settings settings = sound();
  settings[key] = value;
  return settings;
}

m365::IncomingSettings read(const mail::Settings& settings) {
  Told told;
  const auto result = m365::read_incoming(settings, told);
  CPPUNIT_ASSERT_MESSAGE(told.all(), result.has_value());
  CPPUNIT_ASSERT_EQUAL(std::string(), told.all());
  return *result;
}

// Refused, with exactly one sentence under `key`, which has `words` in it.
void refused(const mail::Settings& settings, const std::string& key, const std::string& words) {
  Told told;
  const auto result = m365::read_incoming(settings, told);
  CPPUNIT_ASSERT_MESSAGE("taken: " + key, !result.has_value());
  CPPUNIT_ASSERT_EQUAL_MESSAGE(told.all(), std::size_t{1}, told.lines().size());
  CPPUNIT_ASSERT_EQUAL(key, told.lines().front().first);
  CPPUNIT_ASSERT_MESSAGE(told.all(), told.lines().front().second.find(words) != std::string::npos);
}

class SettingsIncomingTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SettingsIncomingTest);
  CPPUNIT_TEST(the_documents_four_fields_are_enough);
  CPPUNIT_TEST(the_form_has_the_documents_labels);
  CPPUNIT_TEST(defaults_of_form_and_reader_agree);
  CPPUNIT_TEST(addresses_are_taken_in_every_copied_form);
  CPPUNIT_TEST(addresses_that_cannot_work_are_refused);
  CPPUNIT_TEST(the_login_host_names_the_cloud);
  CPPUNIT_TEST(graph_endpoint_is_an_origin);
  CPPUNIT_TEST(client_id_is_a_guid);
  CPPUNIT_TEST(the_secret_belongs_to_oauth_service);
  CPPUNIT_TEST(a_secret_like_a_guid_is_a_warning);
  CPPUNIT_TEST(authentication_type_is_one_of_two);
  CPPUNIT_TEST(numbers_have_ranges);
  CPPUNIT_TEST(proxy_is_a_plain_url_and_never_repeated);
  CPPUNIT_TEST(secret_expires_is_a_date);
  CPPUNIT_TEST(unknown_keys_name_the_nearest);
  CPPUNIT_TEST(every_fault_is_told_at_once);
  CPPUNIT_TEST(expiry_is_warned_of_in_four_steps);
  CPPUNIT_TEST_SUITE_END();

 public:
  void the_documents_four_fields_are_enough() {
    const auto settings = read(sound());
    CPPUNIT_ASSERT_EQUAL(std::string("https://login.microsoftonline.com"), settings.tenant.login_origin);
    CPPUNIT_ASSERT_EQUAL(tenant, settings.tenant.tenant);
    CPPUNIT_ASSERT_EQUAL(std::string("https://graph.microsoft.com"), settings.tenant.graph_origin);
    CPPUNIT_ASSERT(settings.tenant.delta_offered);
    CPPUNIT_ASSERT(settings.tenant.sign_in == SignIn::service);
    CPPUNIT_ASSERT_EQUAL(std::string("a~b.c+d/e"), std::string(settings.tenant.secret.view()));
    CPPUNIT_ASSERT_EQUAL(8u, settings.tenant.workers);
    CPPUNIT_ASSERT(settings.poll == std::chrono::seconds(10));
    CPPUNIT_ASSERT(settings.tenant.warnings.empty());
  }

  void the_form_has_the_documents_labels() {
    const auto label = [](mail::Scope scope, const std::string& key) {
      for (const mail::Field& field : m365::incoming_form()) {
        if (field.scope == scope && field.key == key) return field.label;
      }
      return std::string();
    };
    CPPUNIT_ASSERT_EQUAL(std::string("Address"), label(mail::Scope::server, "address"));
    CPPUNIT_ASSERT_EQUAL(std::string("Authentication Type"), label(mail::Scope::server, "authentication_type"));
    CPPUNIT_ASSERT_EQUAL(std::string("Client ID"), label(mail::Scope::server, "client_id"));
    CPPUNIT_ASSERT_EQUAL(std::string("Secret"), label(mail::Scope::server, "secret"));
    CPPUNIT_ASSERT_EQUAL(std::string("Address"), label(mail::Scope::mailbox, "address"));
    CPPUNIT_ASSERT_EQUAL(std::string("Priority"), label(mail::Scope::mailbox, "priority"));
    CPPUNIT_ASSERT_EQUAL(std::string("E-Mail Account"), label(mail::Scope::mailbox, "email_account"));
    CPPUNIT_ASSERT_EQUAL(std::string("E-Mail Password"), label(mail::Scope::mailbox, "email_password"));
    for (const mail::Field& field : m365::incoming_form()) CPPUNIT_ASSERT_MESSAGE(field.key, !field.help.empty());
  }

  // What the form shows as default must be what an empty field does.
  void defaults_of_form_and_reader_agree() {
    mail::Settings server = sound(), mailbox = {{"address", "support@contoso.com"}};
    for (const mail::Field& field : m365::incoming_form()) {
      if (!field.default_value.empty())
        (field.scope == mail::Scope::server ? server : mailbox)[field.key] = field.default_value;
    }
    const auto a = read(sound()), b = read(server);
    CPPUNIT_ASSERT(a.poll == b.poll);
    CPPUNIT_ASSERT_EQUAL(a.tenant.workers, b.tenant.workers);
    Told told;
    const auto c = m365::read_mailbox({{"address", "support@contoso.com"}}, SignIn::service, told);
    const auto d = m365::read_mailbox(mailbox, SignIn::service, told);
    CPPUNIT_ASSERT_MESSAGE(told.all(), c && d);
    CPPUNIT_ASSERT_EQUAL(c->folder, d->folder);
    CPPUNIT_ASSERT_EQUAL(c->start_from, d->start_from);
    CPPUNIT_ASSERT_EQUAL(c->first_fetch_limit, d->first_fetch_limit);
    CPPUNIT_ASSERT(c->after_fetch.kind == d->after_fetch.kind);
    CPPUNIT_ASSERT(c->rejected.kind == d->rejected.kind);
    CPPUNIT_ASSERT_EQUAL(c->rejected.folder, d->rejected.folder);
    CPPUNIT_ASSERT_EQUAL(c->suppress_read_receipts, d->suppress_read_receipts);
    CPPUNIT_ASSERT_EQUAL(c->max_email_size_kb, d->max_email_size_kb);
    CPPUNIT_ASSERT(c->scan_wait == d->scan_wait);
    CPPUNIT_ASSERT(c->reconcile == d->reconcile);
  }

  void addresses_are_taken_in_every_copied_form() {
    for (const std::string tail : {"", "/", "/oauth2/v2.0/token", "/v2.0", "/oauth2/v2.0/token/"}) {
      const auto settings = read(with("address", "https://login.microsoftonline.com/" + tenant + tail));
      CPPUNIT_ASSERT_EQUAL_MESSAGE(tail, tenant, settings.tenant.tenant);
    }
    CPPUNIT_ASSERT_EQUAL(std::string("contoso.com"),
                         read(with("address", "  HTTPS://login.microsoftonline.com/contoso.com\n")).tenant.tenant);
    auto own = with("address", "https://127.0.0.1:8443/" + tenant);
    own["graph_endpoint"] = "https://[::1]:9443/";
    CPPUNIT_ASSERT_EQUAL(std::string("https://127.0.0.1:8443"), read(own).tenant.login_origin);
    CPPUNIT_ASSERT_EQUAL(std::string("https://[::1]:9443"), read(own).tenant.graph_origin);
  }

  void addresses_that_cannot_work_are_refused() {
    refused(with("address", ""), "address", "is missing");
    refused(with("address", "login.microsoftonline.com/" + tenant), "address", "https://");
    refused(with("address", "http://login.microsoftonline.com/" + tenant), "address", "not encrypted");
    refused(with("address", "https://login.microsoftonline.com"), "address", "lacks the tenant ID");
    refused(with("address", "https://login.microsoftonline.com/"), "address", "lacks the tenant ID");
    refused(with("address", "https://login.microsoftonline.com/v2.0"), "address", "lacks the tenant ID");
    refused(with("address", "https://login.microsoftonline.com/contoso"), "address", "neither a GUID nor a domain");
    refused(with("address", "https://login.microsoftonline.com/common"), "address", "any tenant");
    refused(with("address", "https://login.microsoftonline.com/" + tenant + "/authorize"), "address", "goes on after");
    refused(with("address", "https://login.microsoftonline.com/" + tenant + "?x=1"), "address", "holds more");
    refused(with("address", "https://user@login.microsoftonline.com/" + tenant), "address", "holds more");
    refused(with("address", "https://login.microsoftonline.com:99999/" + tenant), "address", "not a web address");
    refused(with("address", "https:///" + tenant), "address", "not a web address");
  }

  void the_login_host_names_the_cloud() {
    const auto graph_of = [](const std::string& host) {
      return read(with("address", "https://" + host + "/contoso.com")).tenant;
    };
    for (const char* host :
         {"login.windows.net", "login.microsoft.com", "sts.windows.net", "Login.MicrosoftOnline.Com"}) {
      CPPUNIT_ASSERT_EQUAL(std::string("https://graph.microsoft.com"), graph_of(host).graph_origin);
    }
    for (const char* host : {"login.microsoftonline.us", "login.usgovcloudapi.net"}) {
      CPPUNIT_ASSERT_EQUAL(std::string("https://graph.microsoft.us"), graph_of(host).graph_origin);
      CPPUNIT_ASSERT(graph_of(host).delta_offered);
    }
    for (const char* host : {"login.partner.microsoftonline.cn", "login.chinacloudapi.cn"}) {
      CPPUNIT_ASSERT_EQUAL(std::string("https://microsoftgraph.chinacloudapi.cn"), graph_of(host).graph_origin);
      CPPUNIT_ASSERT(!graph_of(host).delta_offered);
    }
    refused(with("address", "https://login.sovcloud-identity.fr/contoso.com"), "graph_endpoint", "no cloud");
  }

  void graph_endpoint_is_an_origin() {
    auto defence = with("address", "https://login.microsoftonline.us/contoso.com");
    defence["graph_endpoint"] = "https://dod-graph.microsoft.us/";
    CPPUNIT_ASSERT_EQUAL(std::string("https://dod-graph.microsoft.us"), read(defence).tenant.graph_origin);
    refused(with("graph_endpoint", "https://graph.microsoft.com/v1.0"), "graph_endpoint", "/v1.0 is added");
    refused(with("graph_endpoint", "https://graph.microsoft.com/beta"), "graph_endpoint", "must end after");
    refused(with("graph_endpoint", "http://graph.microsoft.com"), "graph_endpoint", "https://");
    refused(with("graph_endpoint", "graph.microsoft.com"), "graph_endpoint", "https://");
    refused(with("graph_endpoint", "https://graph.microsoft.us"), "graph_endpoint", "US government");
  }

  void client_id_is_a_guid() {
    refused(with("client_id", ""), "client_id", "missing");
    refused(with("client_id", "ContactCenterMail"), "client_id", "not a GUID");
    refused(with("client_id", "e7e4dbfc-046f-4074-9b3b-2ae8f144f59"), "client_id", "not a GUID");
    refused(with("client_id", "e7e4dbfc-046f-4074-9b3b-2ae8f144f59g"), "client_id", "not a GUID");
    CPPUNIT_ASSERT_EQUAL(std::string("E7E4DBFC-046F-4074-9B3B-2AE8F144F59B"),
                         read(with("client_id", " E7E4DBFC-046F-4074-9B3B-2AE8F144F59B ")).tenant.client_id);
  }

  void the_secret_belongs_to_oauth_service() {
    mail::Settings settings = sound();
    settings.erase("secret");
    refused(settings, "secret", "Value column");
    refused(with("secret", "abc\n"), "secret", "line break");
    settings["authentication_type"] = "OAuth User";
    CPPUNIT_ASSERT(read(settings).tenant.sign_in == SignIn::user);
    CPPUNIT_ASSERT(read(settings).tenant.secret.empty());
    settings["secret"] = "confidential";
    CPPUNIT_ASSERT_EQUAL(std::string("confidential"), std::string(read(settings).tenant.secret.view()));
  }

  void a_secret_like_a_guid_is_a_warning() {
    const auto settings = read(with("secret", "0a1b2c3d-0000-1111-2222-333344445555"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, settings.tenant.warnings.size());
    CPPUNIT_ASSERT(settings.tenant.warnings[0].find("Secret ID") != std::string::npos);
    CPPUNIT_ASSERT(settings.tenant.warnings[0].find("0a1b2c3d") == std::string::npos);
  }

  void authentication_type_is_one_of_two() {
    refused(with("authentication_type", ""), "authentication_type", "OAuth Service or OAuth User");
    refused(with("authentication_type", "Basic"), "authentication_type", "\"Basic\"");
  }

  void numbers_have_ranges() {
    for (const std::string value : {"0", "3601", "-1", "ten", "1.5", "0x10", "99999999999999999999"}) {
      refused(with("poll_seconds", value), "poll_seconds", "from 1 to 3600");
    }
    refused(with("workers", "65"), "workers", "from 1 to 64");
    CPPUNIT_ASSERT(read(with("poll_seconds", " 30 ")).poll == std::chrono::seconds(30));
    CPPUNIT_ASSERT_EQUAL(64u, read(with("workers", "64")).tenant.workers);
  }

  void proxy_is_a_plain_url_and_never_repeated() {
    for (const std::string value :
         {"http://proxy.contoso.com:8080", "http://user:pass@proxy:3128/", "http://[::1]:8080"}) {
      CPPUNIT_ASSERT(read(with("proxy", value)).tenant.proxy == value);
    }
    for (const std::string value : {"proxy:8080", "https://hunter2@proxy:8080", "http://u:hunter2@proxy",
                                    "socks5://p:1", "http://proxy:8080/pac", "http://proxy:0"}) {
      Told told;
      CPPUNIT_ASSERT_MESSAGE(value, !m365::read_incoming(with("proxy", value), told));
      CPPUNIT_ASSERT_EQUAL(std::string("proxy"), told.lines().at(0).first);
      CPPUNIT_ASSERT(told.all().find("hunter2") == std::string::npos);
    }
  }

  void secret_expires_is_a_date() {
    const auto settings = read(with("secret_expires", "2026-12-31"));
    CPPUNIT_ASSERT_EQUAL(std::int64_t{1798675200000},
                         std::int64_t{settings.tenant.secret_expires->time_since_epoch().count()});
    CPPUNIT_ASSERT(read(with("secret_expires", "2026-12-31T00:00:00Z")).tenant.secret_expires ==
                   settings.tenant.secret_expires);
    for (const std::string value : {"31.12.2026", "2026-02-30", "2026-13-01", "soon", "2026-1-1"}) {
      refused(with("secret_expires", value), "secret_expires", "2026-12-31");
    }
  }

  void unknown_keys_name_the_nearest() {
    refused(with("client-id", "x"), "client-id", "\"client_id\"");
    refused(with("pol_seconds", "5"), "pol_seconds", "\"poll_seconds\"");
    refused(with("email_password", "x"), "email_password", "nearest");  // of the mailbox, not of the server
  }

  void every_fault_is_told_at_once() {
    Told told;
    CPPUNIT_ASSERT(!m365::read_incoming({}, told));
    for (const std::string key : {"address", "authentication_type", "client_id"}) {
      const auto& lines = told.lines();
      CPPUNIT_ASSERT_MESSAGE(key,
                             std::any_of(lines.begin(), lines.end(), [&](const auto& l) { return l.first == key; }));
    }
  }

  void expiry_is_warned_of_in_four_steps() {
    const auto settings = read(with("secret_expires", "2026-12-31")).tenant;
    const auto before = [&](int hours) { return *settings.secret_expires - std::chrono::hours(hours); };
    CPPUNIT_ASSERT(!m365::secret_expiry_warning(settings, before(60 * 24 + 1)));
    CPPUNIT_ASSERT_EQUAL(60, *m365::secret_expiry_notice(settings, before(60 * 24)));
    CPPUNIT_ASSERT_EQUAL(60, *m365::secret_expiry_notice(settings, before(31 * 24)));
    CPPUNIT_ASSERT_EQUAL(30, *m365::secret_expiry_notice(settings, before(30 * 24)));
    CPPUNIT_ASSERT_EQUAL(7, *m365::secret_expiry_notice(settings, before(2 * 24)));
    CPPUNIT_ASSERT_EQUAL(1, *m365::secret_expiry_notice(settings, before(1)));
    CPPUNIT_ASSERT_EQUAL(0, *m365::secret_expiry_notice(settings, before(-1)));
    const auto fault = m365::secret_expiry_warning(settings, before(3 * 24));
    CPPUNIT_ASSERT(fault->cause == mail::Cause::secret_expires_soon);
    CPPUNIT_ASSERT_MESSAGE(fault->text, fault->text.find("2026-12-31") != std::string::npos);
    CPPUNIT_ASSERT_MESSAGE(fault->text, fault->text.find(settings.client_id) != std::string::npos);
    CPPUNIT_ASSERT(!m365::secret_expiry_warning(read(sound()).tenant, before(0)));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(SettingsIncomingTest);

}  // namespace
