// The token endpoint: what it grants, and every refusal its state can produce.
#include <cppunit/extensions/HelperMacros.h>

#include "simulated.h"

namespace embedded {

using testing::Answer;
using testing::Simulated;

class EntraTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(EntraTest);
  CPPUNIT_TEST(client_credentials);
  CPPUNIT_TEST(basic_authorization);
  CPPUNIT_TEST(refusals_of_the_request);
  CPPUNIT_TEST(refusals_of_the_secret);
  CPPUNIT_TEST(shape_of_a_refusal);
  CPPUNIT_TEST(a_token_without_roles);
  CPPUNIT_TEST(password_and_refresh);
  CPPUNIT_TEST(refusals_of_a_user);
  CPPUNIT_TEST(lock_out);
  CPPUNIT_TEST(a_changed_password_voids_refresh_tokens);
  CPPUNIT_TEST(discovery);
  CPPUNIT_TEST_SUITE_END();

  static constexpr const char* kPublic = "5b1f0c52-9a55-4c52-8a19-74a2cf6f0d22";

  std::string form(const std::string& change = {}) {
    std::string all;
    for (const std::string& field :
         {"client_id=" + s_.center.client_id, "client_secret=" + percent_encode(s_.center.secret),
          std::string("grant_type=client_credentials"), "scope=" + percent_encode(s_.world.origin + "/.default")}) {
      const std::string name = field.substr(0, field.find('=') + 1);
      if (change.substr(0, name.size()) == name) {
        if (change.size() > name.size()) all += change + "&";
      } else {
        all += field + "&";
      }
    }
    return all;
  }

  std::string user_form(const std::string& user, const std::string& password,
                        const std::string& scope = "/.default offline_access") {
    return "grant_type=password&client_id=" + std::string(kPublic) + "&username=" + percent_encode(user) +
           "&password=" + percent_encode(password) + "&scope=" + percent_encode(s_.world.origin + scope);
  }

  static std::int64_t code(const Answer& answer) { return answer.body.find("error_codes")->array().at(0).integer(); }

  void refused(const Answer& answer, int status, const char* error, std::int64_t number) {
    CPPUNIT_ASSERT_EQUAL(number, code(answer));
    CPPUNIT_ASSERT_EQUAL(std::string(error), answer.body.text("error"));
    CPPUNIT_ASSERT_EQUAL(status, answer.status);
  }

 public:
  void client_credentials() {
    const Answer answer = s_.token(form());
    CPPUNIT_ASSERT_EQUAL(200, answer.status);
    CPPUNIT_ASSERT_EQUAL(std::int64_t{3599}, answer.body.integer("expires_in", 0));
    const auto parts = split(answer.body.text("access_token"), '.');
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, parts.size());
    const Json claims = parse_json(base64url_decode(parts[1]).value());
    CPPUNIT_ASSERT_EQUAL(s_.center.client_id, claims.text("appid"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, claims.find("roles")->array().size());
    CPPUNIT_ASSERT_EQUAL(200, s_.token(form(), s_.center.tenant).status);
  }

  void basic_authorization() {
    HttpRequest request;
    request.method = "POST";
    request.target = "/contoso.example/oauth2/v2.0/token";
    request.headers.add("Content-Type", "application/x-www-form-urlencoded");
    request.headers.add("Authorization",
                        "Basic " + base64_encode(s_.center.client_id + ":" + percent_encode(s_.center.secret)));
    request.body = "grant_type=client_credentials&scope=" + percent_encode("https://graph.microsoft.com/.default");
    CPPUNIT_ASSERT_EQUAL(200, Simulated::read(s_.world.entra.handle(request)).status);
  }

  void refusals_of_the_request() {
    refused(s_.token(form(), "no.such.example"), 400, "invalid_request", 90002);
    refused(s_.token(form(), "not_a_tenant"), 400, "invalid_request", 900023);
    refused(s_.token(form(), "common"), 400, "invalid_request", 9001023);
    refused(s_.token(form("client_id=e7e4dbfc-046f-4074-9b3b-000000000000")), 400, "unauthorized_client", 700016);
    refused(s_.token(form("client_id=")), 400, "invalid_request", 900144);
    refused(s_.token(form("grant_type=")), 400, "invalid_request", 900144);
    refused(s_.token(form("grant_type=magic")), 400, "unsupported_grant_type", 70003);
    refused(s_.token(form("scope=")), 400, "invalid_request", 900144);
    refused(s_.token(form("scope=" + percent_encode(s_.world.origin + "/Mail.Read"))), 400, "invalid_scope", 1002012);
    refused(s_.token(form("scope=" + percent_encode(percent_encode(s_.world.origin + "/.default")))), 400,
            "invalid_scope", 1002012);
    refused(s_.token(form("scope=" + percent_encode("https://graph.microsoft.us/.default"))), 400, "invalid_resource",
            500011);
    refused(s_.token(form(), "contoso.example", "application/json"), 400, "invalid_request", 900144);
    s_.world.directory.change_app(s_.center.client_id, [](App& app) { app.enabled = false; });
    refused(s_.token(form()), 400, "unauthorized_client", 7000112);
  }

  void refusals_of_the_secret() {
    const auto app = s_.world.directory.app(s_.center.tenant, s_.center.client_id);
    refused(s_.token(form("client_secret=wrong")), 401, "invalid_client", 7000215);
    refused(s_.token(form("client_secret=" + app->secrets.at(0).id)), 401, "invalid_client", 7000215);
    refused(s_.token(form("client_secret=")), 401, "invalid_client", 7000218);
    refused(s_.token(form("client_id=" + std::string(kPublic))), 401, "invalid_client", 700025);
    s_.world.directory.change_app(s_.center.client_id,
                                  [this](App& a) { a.secrets.at(0).expires = s_.world.clock.now(); });
    refused(s_.token(form()), 401, "invalid_client", 7000222);
    s_.world.directory.change_app(s_.center.client_id, [](App& a) {
      a.secrets.push_back({new_guid(), "fresh~+/secret", std::nullopt});
    });
    CPPUNIT_ASSERT_EQUAL(200, s_.token(form("client_secret=" + percent_encode("fresh~+/secret"))).status);
    // A raw plus arrives as a blank.
    refused(s_.token(form("client_secret=fresh~+/secret")), 401, "invalid_client", 7000215);
  }

  void shape_of_a_refusal() {
    const Answer answer = s_.token(form("client_secret=wrong"));
    const std::string text = answer.body.text("error_description");
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, text.find("AADSTS7000215: "));
    for (const char* part : {"Trace ID: ", "Correlation ID: ", "Timestamp: "})
      CPPUNIT_ASSERT(text.find(part) != std::string::npos);
    CPPUNIT_ASSERT(text.find(answer.body.text("trace_id")) != std::string::npos);
    CPPUNIT_ASSERT(is_guid(answer.body.text("correlation_id")));
  }

  void a_token_without_roles() {
    s_.world.directory.change_app(s_.center.client_id, [](App& app) { app.roles.clear(); });
    const Answer answer = s_.token(form());
    CPPUNIT_ASSERT_EQUAL(200, answer.status);
    const Json claims = parse_json(base64url_decode(split(answer.body.text("access_token"), '.')[1]).value());
    CPPUNIT_ASSERT(claims.find("roles") == nullptr);
    s_.bearer = answer.body.text("access_token");
    CPPUNIT_ASSERT_EQUAL(401, s_.get("/users/support@contoso.example/messages").status);
  }

  void password_and_refresh() {
    const std::string password = s_.world.directory.recipient("agent@contoso.example")->password;
    const Answer answer = s_.token(user_form("agent@contoso.example", password));
    CPPUNIT_ASSERT_EQUAL(200, answer.status);
    CPPUNIT_ASSERT_EQUAL(200, s_.token(user_form("agent@contoso.example", password), "organizations").status);
    const std::string first = answer.body.text("refresh_token");
    const auto refresh = [&](const std::string& token) {
      return s_.token("grant_type=refresh_token&client_id=" + std::string(kPublic) +
                      "&refresh_token=" + percent_encode(token));
    };
    const Answer second = refresh(first);
    CPPUNIT_ASSERT_EQUAL(200, second.status);
    CPPUNIT_ASSERT(second.body.text("refresh_token") != first);
    CPPUNIT_ASSERT_EQUAL(200, refresh(first).status);  // not revoked at once
    refused(refresh("made up"), 400, "invalid_grant", 70000);
    s_.world.clock.advance(std::chrono::hours(24 * 91));
    refused(refresh(first), 400, "invalid_grant", 700082);
    // Without offline_access there is none.
    CPPUNIT_ASSERT(s_.token(user_form("agent@contoso.example", password, "/Mail.Send")).body.find("refresh_token") ==
                   nullptr);
  }

  void refusals_of_a_user() {
    const std::string password = s_.world.directory.recipient("agent@contoso.example")->password;
    refused(s_.token(user_form("nobody@contoso.example", "x")), 400, "invalid_grant", 50034);
    refused(s_.token(user_form("agent@contoso.example", "x")), 400, "invalid_grant", 50126);
    refused(s_.token(user_form("support@contoso.example", "x")), 400, "invalid_grant", 50057);
    refused(s_.token(user_form("agent@contoso.example", password, "/Calendars.Read")), 400, "invalid_grant", 65001);
    s_.world.directory.change_user("agent@contoso.example", [](User& user) { user.mfa = true; });
    refused(s_.token(user_form("agent@contoso.example", password)), 400, "invalid_grant", 50076);
    s_.world.directory.change_user("agent@contoso.example", [](User& user) { user.enabled = false; });
    refused(s_.token(user_form("agent@contoso.example", password)), 400, "invalid_grant", 50057);
  }

  void lock_out() {
    const std::string password = s_.world.directory.recipient("agent@contoso.example")->password;
    for (int i = 0; i < 10; ++i)
      refused(s_.token(user_form("agent@contoso.example", "x")), 400, "invalid_grant", 50126);
    refused(s_.token(user_form("agent@contoso.example", password)), 400, "invalid_grant", 50053);
    s_.world.clock.advance(std::chrono::seconds(61));
    CPPUNIT_ASSERT_EQUAL(200, s_.token(user_form("agent@contoso.example", password)).status);
  }

  void a_changed_password_voids_refresh_tokens() {
    const std::string password = s_.world.directory.recipient("agent@contoso.example")->password;
    const std::string token = s_.token(user_form("agent@contoso.example", password)).body.text("refresh_token");
    s_.world.directory.change_user("agent@contoso.example", [](User& user) {
      user.password = "new one";
      ++user.password_version;
    });
    refused(s_.token("grant_type=refresh_token&client_id=" + std::string(kPublic) +
                     "&refresh_token=" + percent_encode(token)),
            400, "invalid_grant", 50173);
  }

  void discovery() {
    HttpRequest request;
    request.method = "GET";
    request.target = "/contoso.example/v2.0/.well-known/openid-configuration";
    CPPUNIT_ASSERT(Entra::owns(request.path()));
    const Answer answer = Simulated::read(s_.world.entra.handle(request));
    CPPUNIT_ASSERT_EQUAL(s_.world.origin + "/" + s_.center.tenant + "/oauth2/v2.0/token",
                         answer.body.text("token_endpoint"));
    request.target = "/unknown.example/v2.0/.well-known/openid-configuration";
    CPPUNIT_ASSERT_EQUAL(400, Simulated::read(s_.world.entra.handle(request)).status);
  }

 private:
  Simulated s_;
};
CPPUNIT_TEST_SUITE_REGISTRATION(EntraTest);

}  // namespace embedded
