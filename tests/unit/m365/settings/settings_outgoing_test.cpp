// The outgoing server's form and its checks.
#include <cppunit/extensions/HelperMacros.h>

#include <string>

#include "m365/settings/server_settings.h"
#include "settings_support.h"

namespace {

using support::Told;

mail::Settings sound() {
  return {{"server", "contoso.onmicrosoft.com"},
          {"port", ""},
          {"authentication_type", "OAuth Service"},
          {"server_user", "e7e4dbfc-046f-4074-9b3b-2ae8f144f59b"},
          {"password", "value"}};
}

mail::Settings with(const std::string& key, const std::string& value) {
  mail::Settings settings = sound();
  settings[key] = value;
  return settings;
}

m365::OutgoingSettings read(const mail::Settings& settings) {
  Told told;
  const auto result = m365::read_outgoing(settings, told);
  CPPUNIT_ASSERT_MESSAGE(told.all(), result.has_value());
  return *result;
}

void refused(const mail::Settings& settings, const std::string& key, const std::string& words) {
  Told told;
  const auto result = m365::read_outgoing(settings, told);
  CPPUNIT_ASSERT_MESSAGE("taken: " + key, !result.has_value());
  CPPUNIT_ASSERT_EQUAL_MESSAGE(told.all(), std::size_t{1}, told.lines().size());
  CPPUNIT_ASSERT_EQUAL(key, told.lines().front().first);
  CPPUNIT_ASSERT_MESSAGE(told.all(), told.lines().front().second.find(words) != std::string::npos);
}

class SettingsOutgoingTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SettingsOutgoingTest);
  CPPUNIT_TEST(the_documents_fields_are_enough);
  CPPUNIT_TEST(the_form_has_the_documents_labels);
  CPPUNIT_TEST(tenant_is_a_guid_or_a_domain);
  CPPUNIT_TEST(port_is_that_of_origins_without_one);
  CPPUNIT_TEST(login_address_names_the_cloud);
  CPPUNIT_TEST(oauth_user_cannot_send);
  CPPUNIT_TEST(server_user_and_password_are_the_apps);
  CPPUNIT_TEST(set_password_is_a_switch);
  CPPUNIT_TEST(mailbox_user_is_the_older_form);
  CPPUNIT_TEST(automatic_replies_have_a_limit);
  CPPUNIT_TEST(unknown_keys_name_the_nearest);
  CPPUNIT_TEST_SUITE_END();

 public:
  void the_documents_fields_are_enough() {
    const auto settings = read(sound());
    CPPUNIT_ASSERT_EQUAL(std::string("contoso.onmicrosoft.com"), settings.tenant.tenant);
    CPPUNIT_ASSERT_EQUAL(std::string("https://login.microsoftonline.com"), settings.tenant.login_origin);
    CPPUNIT_ASSERT_EQUAL(std::string("https://graph.microsoft.com"), settings.tenant.graph_origin);
    CPPUNIT_ASSERT_EQUAL(std::string("value"), std::string(settings.tenant.secret.view()));
    CPPUNIT_ASSERT(settings.mailbox_user.empty());
    CPPUNIT_ASSERT(settings.tenant.client_id_may_be_user);
  }

  void the_form_has_the_documents_labels() {
    const std::vector<std::pair<std::string, std::string>> expected = {{"server", "IP Address or Name of Mail Server"},
                                                                       {"port", "Port"},
                                                                       {"authentication_type", "Authentication Type"},
                                                                       {"server_user", "Server User"},
                                                                       {"set_password", "Set Password"},
                                                                       {"password", "Password"}};
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const mail::Field& field = m365::outgoing_form().at(i);  // in the documents' order
      CPPUNIT_ASSERT_EQUAL(expected[i].first, field.key);
      CPPUNIT_ASSERT_EQUAL(expected[i].second, field.label);
    }
  }

  void tenant_is_a_guid_or_a_domain() {
    CPPUNIT_ASSERT_EQUAL(std::string("8d8a8ab6-5d6f-4b61-8b8b-0f6b3c5d1f10"),
                         read(with("server", "8d8a8ab6-5d6f-4b61-8b8b-0f6b3c5d1f10")).tenant.tenant);
    refused(with("server", ""), "server", "missing");
    refused(with("server", "contoso"), "server", "neither a GUID nor a domain");
    refused(with("server", "https://login.microsoftonline.com/contoso.com"), "server", "neither");
    refused(with("server", "a..b"), "server", "neither");
    refused(with("server", "-a.com"), "server", "neither");
  }

  void port_is_that_of_origins_without_one() {
    const auto moved = read(with("port", "8443")).tenant;
    CPPUNIT_ASSERT_EQUAL(std::string("https://login.microsoftonline.com:8443"), moved.login_origin);
    CPPUNIT_ASSERT_EQUAL(std::string("https://graph.microsoft.com:8443"), moved.graph_origin);
    CPPUNIT_ASSERT_EQUAL(std::string("https://graph.microsoft.com"), read(with("port", "443")).tenant.graph_origin);
    auto named = with("port", "8443");
    named["login_address"] = "https://127.0.0.1:9001";
    named["graph_endpoint"] = "https://127.0.0.1";
    CPPUNIT_ASSERT_EQUAL(std::string("https://127.0.0.1:9001"), read(named).tenant.login_origin);
    CPPUNIT_ASSERT_EQUAL(std::string("https://127.0.0.1:8443"), read(named).tenant.graph_origin);
    for (const std::string value : {"0", "65536", "smtp", "-1"})
      refused(with("port", value), "port", "from 1 to 65535");
  }

  void login_address_names_the_cloud() {
    const auto us = read(with("login_address", "https://login.microsoftonline.us/")).tenant;
    CPPUNIT_ASSERT_EQUAL(std::string("https://login.microsoftonline.us"), us.login_origin);
    CPPUNIT_ASSERT_EQUAL(std::string("https://graph.microsoft.us"), us.graph_origin);
    refused(with("login_address", "https://login.microsoftonline.us/contoso.com"), "login_address", "must end after");
    refused(with("login_address", "http://login.microsoftonline.us"), "login_address", "https://");
    refused(with("login_address", "https://login.contoso.local"), "graph_endpoint", "no cloud");
  }

  void oauth_user_cannot_send() {
    refused(with("authentication_type", "OAuth User"), "authentication_type", "cannot be used for sending");
    refused(with("authentication_type", "SMTP"), "authentication_type", "OAuth Service");
    refused(with("authentication_type", ""), "authentication_type", "OAuth Service");
  }

  void server_user_and_password_are_the_apps() {
    refused(with("server_user", ""), "server_user", "client");
    refused(with("server_user", "support@contoso.com"), "server_user", "not a GUID");
    refused(with("password", ""), "password", "client secret");
  }

  void set_password_is_a_switch() {
    CPPUNIT_ASSERT(read(with("set_password", "true")).tenant.warnings.empty());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, read(with("set_password", "false")).tenant.warnings.size());
    CPPUNIT_ASSERT_EQUAL(std::string("value"), std::string(read(with("set_password", "false")).tenant.secret.view()));
    refused(with("set_password", "maybe"), "set_password", "true or false");
  }

  void mailbox_user_is_the_older_form() {
    const auto settings = read(with("mailbox_user", "6f2a9a0e-1111-2222-3333-444455556666"));
    CPPUNIT_ASSERT_EQUAL(std::string("6f2a9a0e-1111-2222-3333-444455556666"), settings.mailbox_user);
    CPPUNIT_ASSERT(!settings.tenant.client_id_may_be_user);
    refused(with("mailbox_user", "Support"), "mailbox_user", "object ID");
  }

  void automatic_replies_have_a_limit() {
    CPPUNIT_ASSERT_EQUAL(10u, read(sound()).automatic.answers);
    CPPUNIT_ASSERT(std::chrono::minutes(10) == read(sound()).automatic.window);
    CPPUNIT_ASSERT_EQUAL(0u, read(with("automatic_replies_limit", "0")).automatic.answers);
    CPPUNIT_ASSERT_EQUAL(3u, read(with("automatic_replies_limit", "3")).automatic.answers);
    CPPUNIT_ASSERT(std::chrono::hours(24) == read(with("automatic_replies_minutes", "1440")).automatic.window);
    refused(with("automatic_replies_limit", "some"), "automatic_replies_limit", "whole number");
    refused(with("automatic_replies_minutes", "0"), "automatic_replies_minutes", "1 to 1440");
    refused(with("automatic_replies_minutes", "1441"), "automatic_replies_minutes", "1 to 1440");
  }

  void unknown_keys_name_the_nearest() {
    refused(with("mailbox_usr", "x"), "mailbox_usr", "\"mailbox_user\"");
    refused(with("poll_seconds", "5"), "poll_seconds", "nearest");
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(SettingsOutgoingTest);

}  // namespace
