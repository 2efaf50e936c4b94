// The whole over TLS, with another library's client: files, control door, cuts, stopping.
#include <Poco/Net/Context.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/HTTPSClientSession.h>
#include <Poco/Net/NetException.h>
#include <Poco/StreamCopier.h>
#include <Poco/URI.h>
#include <cppunit/extensions/HelperMacros.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <thread>

#include "m365/json.h"
#include "m365/microsoft365.h"
#include "m365/mime/text.h"

namespace embedded {
namespace {

struct Reply {
  int status = 0;
  std::string body;
  bool complete = true;  // as many bytes as announced
  bool chunked = false;
};

std::string read_whole(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

class ServerTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ServerTest);
  CPPUNIT_TEST(files_are_ready);
  CPPUNIT_TEST(a_mail_goes_through);
  CPPUNIT_TEST(connections_are_kept);
  CPPUNIT_TEST(bodies_above_the_limit);
  CPPUNIT_TEST(cuts_on_request);
  CPPUNIT_TEST(many_clients_at_once);
  CPPUNIT_TEST(stopping_wakes_a_stall);
  CPPUNIT_TEST(a_tenant_file);
  CPPUNIT_TEST(a_faulty_tenant_file_is_told);
  CPPUNIT_TEST(the_control_door);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    dir_ = std::filesystem::temp_directory_path() / ("embedded-m365-" + new_guid());
    start(std::nullopt);
  }

  void tearDown() override {
    service_.reset();
    std::filesystem::remove_all(dir_);
  }

  void start(std::optional<std::filesystem::path> tenant_file) {
    service_.reset();
    Options options;
    options.dir = dir_;
    options.tenant_file = std::move(tenant_file);
    service_ = std::make_unique<Microsoft365>(options);
    context_ = new Poco::Net::Context(Poco::Net::Context::TLS_CLIENT_USE, "", "", service_->ca_file().string(),
                                      Poco::Net::Context::VERIFY_STRICT, 9, false);
    context_->enableExtendedCertificateVerification(true);
  }

  std::unique_ptr<Poco::Net::HTTPSClientSession> session(const std::string& origin) {
    const Poco::URI uri(origin);
    auto made = std::make_unique<Poco::Net::HTTPSClientSession>(uri.getHost(), uri.getPort(), context_);
    made->setKeepAlive(true);
    made->setKeepAliveTimeout(Poco::Timespan(100, 0));
    made->setTimeout(Poco::Timespan(30, 0));
    return made;
  }

  Reply ask(Poco::Net::HTTPSClientSession& client, const std::string& method, const std::string& path,
            const std::string& body = {}, const std::string& type = "application/json") {
    Poco::Net::HTTPRequest request(method, path, Poco::Net::HTTPMessage::HTTP_1_1);
    if (!bearer_.empty()) request.set("Authorization", "Bearer " + bearer_);
    if (method != "GET") {
      request.setContentLength(static_cast<std::streamsize>(body.size()));
      if (!body.empty()) request.setContentType(type);
    }
    client.sendRequest(request) << body;
    Poco::Net::HTTPResponse response;
    std::istream& in = client.receiveResponse(response);
    Reply reply;
    reply.status = response.getStatus();
    Poco::StreamCopier::copyToString(in, reply.body);
    reply.chunked = response.getChunkedTransferEncoding();
    if (!reply.chunked && response.hasContentLength())
      reply.complete = response.getContentLength64() == static_cast<std::int64_t>(reply.body.size());
    return reply;
  }

  Reply control(const std::string& method, const std::string& path, const std::string& body = {}) {
    return ask(*session(service_->control_origin()), method, path, body);
  }

  void sign_in() {
    const Json config = parse_json(read_whole(service_->configuration_file()));
    const Json& server =
        config.find("system_services")->find("email_settings")->find("incoming_mail_servers")->array().at(0);
    const std::string secret(trim(read_whole(dir_ / server.find("secret")->text("file"))));
    const std::string address = server.text("address");
    const Reply reply =
        ask(*session(service_->origin()), "POST", address.substr(service_->origin().size()) + "/oauth2/v2.0/token",
            "client_id=" + server.text("client_id") + "&client_secret=" + percent_encode(secret) +
                "&grant_type=client_credentials&scope=" + percent_encode(server.text("graph_endpoint") + "/.default"),
            "application/x-www-form-urlencoded");
    CPPUNIT_ASSERT_EQUAL_MESSAGE(reply.body, 200, reply.status);
    bearer_ = parse_json(reply.body).text("access_token");
  }

  void files_are_ready() {
    for (const char* secret : {"contact-center.json", "secret.txt", "credentials.json", "server.key"}) {
      struct stat about {};
      CPPUNIT_ASSERT_EQUAL_MESSAGE(secret, 0, ::stat((dir_ / secret).c_str(), &about));
      CPPUNIT_ASSERT_EQUAL_MESSAGE(secret, 0600U, about.st_mode & 0777U);
    }
    const Json config = parse_json(read_whole(service_->configuration_file()));
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, config.find("queue_management")->find("queues")->array().size());
    CPPUNIT_ASSERT_EQUAL(service_->control_origin(), parse_json(read_whole(dir_ / "control.json")).text("control"));
  }

  void a_mail_goes_through() {
    sign_in();
    CPPUNIT_ASSERT_EQUAL(
        201, control("POST", "/mailboxes/support@contoso.example/messages", "Subject: over TLS\n\nhello\n").status);
    const auto client = session(service_->origin());
    const Reply list =
        ask(*client, "GET", "/v1.0/users/support@contoso.example/mailFolders/inbox/messages?$select=subject");
    CPPUNIT_ASSERT_EQUAL(200, list.status);
    const Json row = parse_json(list.body).find("value")->array().at(0);
    CPPUNIT_ASSERT_EQUAL(std::string("over TLS"), row.text("subject"));
    const Reply mime =
        ask(*client, "GET", "/v1.0/users/support@contoso.example/messages/" + row.text("id") + "/$value");
    CPPUNIT_ASSERT_EQUAL(std::string("Subject: over TLS\r\n\r\nhello\r\n"), mime.body);
    CPPUNIT_ASSERT(mime.chunked);
  }

  void connections_are_kept() {
    sign_in();
    const auto client = session(service_->origin());
    ask(*client, "GET", "/v1.0/users/support@contoso.example/mailFolders/inbox");
    const auto local = client->socket().address();
    for (int i = 0; i < 20; ++i)
      CPPUNIT_ASSERT_EQUAL(200, ask(*client, "GET", "/v1.0/users/support@contoso.example/mailFolders/inbox").status);
    CPPUNIT_ASSERT(local == client->socket().address());
  }

  void bodies_above_the_limit() {
    sign_in();
    const auto client = session(service_->origin());
    const Reply reply = ask(*client, "POST", "/v1.0/users/support@contoso.example/messages",
                            "{\"subject\":\"" + std::string(5U << 20, 'x') + "\"}");
    CPPUNIT_ASSERT_EQUAL(413, reply.status);
    // The line is still good.
    CPPUNIT_ASSERT_EQUAL(201, ask(*client, "POST", "/v1.0/users/support@contoso.example/messages", "{}").status);
  }

  void cuts_on_request() {
    sign_in();
    control("POST", "/mailboxes/support@contoso.example/flood", R"({"count":20})");
    const std::string path = "/v1.0/users/support@contoso.example/messages";
    control("POST", "/faults", R"([{"match":{"operation":"messages.list","nth":1},"effect":{"cut":"before"}},
                                   {"match":{"operation":"messages.list","nth":1},"effect":{"body":"half","close":"clean"}},
                                   {"match":{"operation":"drafts.create"},"effect":{"cut":"after"}}])");
    CPPUNIT_ASSERT_THROW(ask(*session(service_->origin()), "GET", path), Poco::Exception);
    const Reply half = ask(*session(service_->origin()), "GET", path);
    CPPUNIT_ASSERT_EQUAL(200, half.status);
    CPPUNIT_ASSERT(!half.complete);
    CPPUNIT_ASSERT_EQUAL(200, ask(*session(service_->origin()), "GET", path).status);
    CPPUNIT_ASSERT_THROW(ask(*session(service_->origin()), "POST", path, R"({"subject":"kept"})"), Poco::Exception);
    const Json state = parse_json(control("GET", "/state?mailbox=support@contoso.example&folder=drafts").body);
    const Json& drafts = state.find("mailboxes")->array().at(0).find("folders")->array().at(0);
    CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, drafts.integer("total", 0));
  }

  void many_clients_at_once() {
    sign_in();
    control("POST", "/throttling", R"({"on":false})");
    std::vector<std::thread> clients;
    std::atomic<int> good{0};
    for (int i = 0; i < 40; ++i) {
      clients.emplace_back([&] {
        const auto client = session(service_->origin());
        for (int k = 0; k < 5; ++k) {
          if (ask(*client, "POST", "/v1.0/users/support@contoso.example/messages", "{}").status == 201) ++good;
        }
      });
    }
    for (auto& client : clients) client.join();
    CPPUNIT_ASSERT_EQUAL(200, good.load());
    const Json requests = parse_json(control("GET", "/requests").body);
    CPPUNIT_ASSERT_EQUAL(std::int64_t{200}, requests.find("operations")->integer("drafts.create", 0));
    CPPUNIT_ASSERT(requests.find("max_concurrency")->integer("support@contoso.example", 0) >= 1);
  }

  void stopping_wakes_a_stall() {
    sign_in();
    control("POST", "/faults", R"({"effect":{"delay_ms":3600000}})");
    std::atomic<bool> ended{false};
    std::thread stalled([&] {
      try {
        ask(*session(service_->origin()), "GET", "/v1.0/users/support@contoso.example/messages");
      } catch (const Poco::Exception&) {
      }
      ended = true;
    });
    // The rule has met its request: the stall has begun.
    for (std::int64_t met = 0; met == 0;)
      met = parse_json(control("GET", "/faults").body).array().at(0).integer("met", 0);
    service_->stop();
    service_->stop();
    stalled.join();
    CPPUNIT_ASSERT(ended);
  }

  void a_tenant_file() {
    std::ofstream(dir_ / "hello.eml") << "Subject: from a file\n\nx\n";
    std::ofstream(dir_ / "tenant.json") << R"({"tenants":[{"domains":["t.example"],"apps":[{"roles":["Mail.Read"]}],
      "users":[{"addresses":["q@t.example"],"shared":true,"name":"Q"}],
      "mails":[{"mailbox":"q@t.example","file":"hello.eml","received":"2026-01-02T03:04:05Z","read":true}]}]})";
    start(dir_ / "tenant.json");
    sign_in();
    const Reply reply = ask(*session(service_->origin()), "GET", "/v1.0/users/q@t.example/messages");
    const Json row = parse_json(reply.body).find("value")->array().at(0);
    CPPUNIT_ASSERT_EQUAL(std::string("from a file"), row.text("subject"));
    CPPUNIT_ASSERT_EQUAL(std::string("2026-01-02T03:04:05Z"), row.text("receivedDateTime"));
    CPPUNIT_ASSERT(row.boolean("isRead", false));
  }

  void a_faulty_tenant_file_is_told() {
    const auto told = [&](const std::string& content, const std::string& part) {
      std::ofstream(dir_ / "bad.json", std::ios::trunc) << content;
      Options options;
      options.dir = dir_;
      options.tenant_file = dir_ / "bad.json";
      try {
        const Microsoft365 service(options);
        CPPUNIT_FAIL(content);
      } catch (const std::runtime_error& error) {
        CPPUNIT_ASSERT_MESSAGE(error.what(), std::string(error.what()).find(part) != std::string::npos);
      }
    };
    told("{", "line 1");
    told("{}", "tenants");
    told(R"({"tenants":[{"domains":["a.example"],"colour":1}]})", "tenants[0].colour");
    told(R"({"tenants":[{"domains":["a.example"],"users":[{"upn":"x"}]}]})", "tenants[0].users[0].upn");
    told(R"({"tenants":[{"domains":["a.example"],"users":[{"upn":"x@a.example"},{"upn":"X@a.example"}]}]})",
         "belongs to two");
    told(R"({"tenants":[{"domains":["a.example"],"mails":[{"mailbox":"x@a.example","file":"f"}]}]})",
         "tenants[0].mails[0].mailbox");
  }

  void the_control_door() {
    sign_in();
    const Reply put =
        control("POST", "/mailboxes/support@contoso.example/messages?count=3&read=true&received=2026-05-01T00:00:00Z",
                "Subject: c\nMessage-ID: <c@x>\n\nx\n");
    CPPUNIT_ASSERT_EQUAL(201, put.status);
    const Json made = parse_json(put.body);
    CPPUNIT_ASSERT_EQUAL(std::string("<2.c@x>"), made.find("internet_message_ids")->array().at(1).string());
    const std::string id = made.find("immutable_ids")->array().at(0).string();
    const std::string message = "/mailboxes/support@contoso.example/messages/" + percent_encode(id);
    CPPUNIT_ASSERT(parse_json(control("GET", message).body).boolean("is_read", false));
    CPPUNIT_ASSERT_EQUAL(200, control("POST", message + "/move", R"({"folder":"archive"})").status);
    CPPUNIT_ASSERT_EQUAL(std::string("archive"), parse_json(control("GET", message).body).text("folder"));
    CPPUNIT_ASSERT_EQUAL(
        200, control("POST", message + "/attachments/replace", R"([{"name":"a.txt","content":"SGk="}])").status);
    CPPUNIT_ASSERT_EQUAL(sha256_hex("Hi"),
                         parse_json(control("GET", message).body).find("attachments")->array().at(0).text("sha256"));
    CPPUNIT_ASSERT_EQUAL(std::string("Subject: c\r\nMessage-ID: <c@x>\r\n\r\nx\r\n"),
                         control("GET", message + "/mime").body);
    CPPUNIT_ASSERT_EQUAL(200, control("DELETE", message).status);
    CPPUNIT_ASSERT_EQUAL(404, control("GET", message).status);
    CPPUNIT_ASSERT_EQUAL(404, control("GET", "/mailboxes/nobody@contoso.example").status);
    CPPUNIT_ASSERT_EQUAL(404, control("GET", "/nothing").status);
    CPPUNIT_ASSERT_EQUAL(400, control("POST", "/faults", "{").status);
    CPPUNIT_ASSERT_EQUAL(400, control("POST", "/mailboxes/support@contoso.example/messages?received=now", "x").status);

    const std::string app = "/apps/e7e4dbfc-046f-4074-9b3b-2ae8f144f59b";
    CPPUNIT_ASSERT_EQUAL(200, control("POST", app + "/secrets/expire").status);
    CPPUNIT_ASSERT_EQUAL(201, control("POST", app + "/secrets", R"({"value":"fresh"})").status);
    CPPUNIT_ASSERT_EQUAL(
        200,
        control("POST", app + "/policies", R"([{"right":"DenyAccess","mailboxes":["sales@contoso.example"]}])").status);
    CPPUNIT_ASSERT_EQUAL(403,
                         ask(*session(service_->origin()), "GET", "/v1.0/users/sales@contoso.example/messages").status);
    CPPUNIT_ASSERT_EQUAL(
        200, control("PATCH", "/mailboxes/support@contoso.example/options", R"({"not_enabled":true})").status);
    CPPUNIT_ASSERT_EQUAL(
        404, ask(*session(service_->origin()), "GET", "/v1.0/users/support@contoso.example/messages").status);
    CPPUNIT_ASSERT_EQUAL(
        200, control("POST", "/mailboxes/agent@contoso.example/throttle", R"({"count":1,"retry_after":7})").status);
    CPPUNIT_ASSERT_EQUAL(429,
                         ask(*session(service_->origin()), "GET", "/v1.0/users/agent@contoso.example/messages").status);
    CPPUNIT_ASSERT_EQUAL(201, control("POST", "/users", R"({"upn":"new@contoso.example"})").status);
    CPPUNIT_ASSERT_EQUAL(200,
                         ask(*session(service_->origin()), "GET", "/v1.0/users/new@contoso.example/messages").status);
    CPPUNIT_ASSERT_EQUAL(200, control("DELETE", "/users/new@contoso.example").status);
    CPPUNIT_ASSERT_EQUAL(404,
                         ask(*session(service_->origin()), "GET", "/v1.0/users/new@contoso.example/messages").status);
    CPPUNIT_ASSERT_EQUAL(200, control("POST", "/tokens/revoke").status);
    CPPUNIT_ASSERT_EQUAL(401,
                         ask(*session(service_->origin()), "GET", "/v1.0/users/agent@contoso.example/messages").status);
    CPPUNIT_ASSERT(control("GET", "/directory").body.find("fresh") == std::string::npos);
  }

 private:
  std::filesystem::path dir_;
  std::unique_ptr<Microsoft365> service_;
  Poco::Net::Context::Ptr context_;
  std::string bearer_;
};
CPPUNIT_TEST_SUITE_REGISTRATION(ServerTest);

}  // namespace embedded
