// Graph: sign-in, permissions, lists, messages, folders, batches, throttling, faults.
#include <cppunit/extensions/HelperMacros.h>

#include <thread>

#include "simulated.h"

namespace embedded {

using testing::Answer;
using testing::kSupport;
using testing::numbered_mail;
using testing::simple_mail;
using testing::Simulated;

class GraphTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(GraphTest);
  CPPUNIT_TEST(sign_in_is_checked);
  CPPUNIT_TEST(who_may_open_what);
  CPPUNIT_TEST(grants_in_exchange);
  CPPUNIT_TEST(delegated_calls);
  CPPUNIT_TEST(users_and_addresses);
  CPPUNIT_TEST(paths_and_methods);
  CPPUNIT_TEST(folders);
  CPPUNIT_TEST(finnish_folders);
  CPPUNIT_TEST(lists_and_pages);
  CPPUNIT_TEST(lists_filter_and_order);
  CPPUNIT_TEST(a_search_that_lags);
  CPPUNIT_TEST(select_and_headers);
  CPPUNIT_TEST(body_on_request);
  CPPUNIT_TEST(attachments);
  CPPUNIT_TEST(mime_value);
  CPPUNIT_TEST(patch_rules);
  CPPUNIT_TEST(read_receipt_on_marking);
  CPPUNIT_TEST(deleting);
  CPPUNIT_TEST(bodies_are_checked);
  CPPUNIT_TEST(batches);
  CPPUNIT_TEST(batches_refused);
  CPPUNIT_TEST(throttling);
  CPPUNIT_TEST(mailbox_that_is_not_there);
  CPPUNIT_TEST(fault_rules);
  CPPUNIT_TEST(faults_are_checked);
  CPPUNIT_TEST(every_answer_has_its_ids);
  CPPUNIT_TEST_SUITE_END();

  std::string support(const std::string& rest) const { return kSupport + rest; }

 public:
  void sign_in_is_checked() {
    const std::string good = s_.bearer;
    s_.bearer.clear();
    Answer answer = s_.get(support("/messages"));
    CPPUNIT_ASSERT_EQUAL(401, answer.status);
    CPPUNIT_ASSERT_EQUAL(std::string("InvalidAuthenticationToken"), answer.code());
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, answer.headers.all("WWW-Authenticate").size());
    s_.bearer = "no-token";
    CPPUNIT_ASSERT_EQUAL(401, s_.get(support("/messages")).status);
    s_.bearer = "a.b.c";
    CPPUNIT_ASSERT_EQUAL(401, s_.get(support("/messages")).status);
    s_.bearer = good;
    CPPUNIT_ASSERT_EQUAL(200, s_.get(support("/messages")).status);
    s_.world.clock.advance(std::chrono::seconds(3600));
    CPPUNIT_ASSERT_EQUAL(401, s_.get(support("/messages")).status);
  }

  void who_may_open_what() {
    const Answer outside = s_.get("/users/ceo@contoso.example/messages");
    CPPUNIT_ASSERT_EQUAL(403, outside.status);
    CPPUNIT_ASSERT_EQUAL(std::string("ErrorAccessDenied"), outside.code());
    CPPUNIT_ASSERT(outside.text.find("[RAOP]") != std::string::npos);
    s_.world.directory.change_app(s_.center.client_id, [](App& app) {
      app.policies = {{true, {"support@contoso.example"}}};
    });
    CPPUNIT_ASSERT_EQUAL(200, s_.get("/users/ceo@contoso.example/messages").status);
    CPPUNIT_ASSERT_EQUAL(403, s_.get(support("/messages")).status);
    // Only Mail.ReadWrite: drafts, but no sending.
    const auto app =
        s_.world.directory.app("8d8a8ab6-5d6f-4b61-8b8b-0f6b3c5d1f10", "0c3e9d5b-6c0f-4a7e-9f0d-2b5f5d0f7a11");
    s_.bearer =
        s_.token("client_id=" + app->client_id + "&client_secret=" + percent_encode(app->secrets.at(0).value) +
                 "&grant_type=client_credentials&scope=" + percent_encode("https://graph.microsoft.com/.default"))
            .body.text("access_token");
    const Answer draft = s_.ask("POST", support("/messages"),
                                R"({"toRecipients":[{"emailAddress":{"address":"customer@fabrikam.example"}}]})");
    CPPUNIT_ASSERT_EQUAL(201, draft.status);
    CPPUNIT_ASSERT_EQUAL(403, s_.ask("POST", support("/messages/" + draft.body.text("id") + "/send")).status);
  }

  void grants_in_exchange() {
    s_.world.directory.change_app(s_.center.client_id, [](App& app) {
      app.roles.clear();
      app.policies.clear();
      app.scoped_grants = {{"Mail.ReadWrite", {"sales@contoso.example"}}};
    });
    s_.bearer =
        s_.token("client_id=" + s_.center.client_id + "&client_secret=" + percent_encode(s_.center.secret) +
                 "&grant_type=client_credentials&scope=" + percent_encode("https://graph.microsoft.com/.default"))
            .body.text("access_token");
    CPPUNIT_ASSERT_EQUAL(200, s_.get("/users/sales@contoso.example/messages").status);
    CPPUNIT_ASSERT_EQUAL(403, s_.get(support("/messages")).status);
  }

  void delegated_calls() {
    CPPUNIT_ASSERT_EQUAL(400, s_.get("/me/messages").status);
    const auto agent = s_.world.directory.recipient("agent@contoso.example");
    s_.bearer =
        s_.token(
              "grant_type=password&client_id=5b1f0c52-9a55-4c52-8a19-74a2cf6f0d22&username=agent%40contoso.example&"
              "password=" +
              percent_encode(agent->password) + "&scope=" + percent_encode("https://graph.microsoft.com/.default"))
            .body.text("access_token");
    CPPUNIT_ASSERT_EQUAL(200, s_.get("/me/messages").status);
    CPPUNIT_ASSERT_EQUAL(200, s_.get("/users/" + agent->id + "/messages").status);
    CPPUNIT_ASSERT_EQUAL(403, s_.get(support("/messages")).status);
    s_.world.directory.change_user("support@contoso.example",
                                   [](User& user) { user.full_access = {"agent@contoso.example"}; });
    CPPUNIT_ASSERT_EQUAL(200, s_.get(support("/messages")).status);
    const std::string to = R"("toRecipients":[{"emailAddress":{"address":"customer@fabrikam.example"}}])";
    CPPUNIT_ASSERT_EQUAL(std::string("ErrorSendAsDenied"),
                         s_.ask("POST", support("/sendMail"), "{\"message\":{" + to + "}}").code());
    s_.world.directory.change_user("support@contoso.example",
                                   [](User& user) { user.send_as = {"agent@contoso.example"}; });
    CPPUNIT_ASSERT_EQUAL(202, s_.ask("POST", support("/sendMail"), "{\"message\":{" + to + "}}").status);
    // Known issue: no upload session on a shared mailbox with a user's token.
    const std::string draft = s_.ask("POST", support("/messages"), "{" + to + "}").body.text("id");
    CPPUNIT_ASSERT_EQUAL(403, s_.ask("POST", support("/messages/" + draft + "/attachments/createUploadSession"),
                                     R"({"AttachmentItem":{"attachmentType":"file","name":"a","size":4000000}})")
                                  .status);
  }

  void users_and_addresses() {
    const Answer alias = s_.get("/users/orders@contoso.example/messages");
    CPPUNIT_ASSERT_EQUAL(404, alias.status);
    CPPUNIT_ASSERT_EQUAL(std::string("ErrorInvalidUser"), alias.code());
    CPPUNIT_ASSERT_EQUAL(200, s_.get("/users/orders.mailbox@contoso.onmicrosoft.example/messages").status);
    s_.world.directory.change_user("orders@contoso.example", [](User& user) { user.found_by_address = true; });
    CPPUNIT_ASSERT_EQUAL(200, s_.get("/users/Orders@contoso.example/messages").status);
    CPPUNIT_ASSERT_EQUAL(std::string("ResourceNotFound"),
                         s_.get("/users/3f0a5f5e-0d3a-4a52-9f5c-000000000000/messages").code());
    // Another tenant's user does not exist here.
    CPPUNIT_ASSERT_EQUAL(404, s_.get("/users/customer@fabrikam.example/messages").status);
    const Answer profile = s_.get(kSupport);
    CPPUNIT_ASSERT_EQUAL(403, profile.status);
    CPPUNIT_ASSERT_EQUAL(std::string("Authorization_RequestDenied"), profile.code());
    CPPUNIT_ASSERT_EQUAL(200, s_.get("/users('support@contoso.example')/mailFolders('inbox')/messages").status);
  }

  void paths_and_methods() {
    CPPUNIT_ASSERT_EQUAL(400, s_.get(support("/nonsense")).status);
    CPPUNIT_ASSERT_EQUAL(405, s_.ask("PUT", support("/messages")).status);
    CPPUNIT_ASSERT_EQUAL(400, s_.get(support("/messages?$foo=1")).status);
    CPPUNIT_ASSERT_EQUAL(400, s_.get(support("/messages?top=1")).status);
    CPPUNIT_ASSERT_EQUAL(200, s_.get(support("/messages?custom=1")).status);
  }

  void folders() {
    const Answer made = s_.ask("POST", support("/mailFolders/inbox/childFolders"), R"({"displayName":"Claims"})");
    CPPUNIT_ASSERT_EQUAL(201, made.status);
    CPPUNIT_ASSERT_EQUAL(
        409, s_.ask("POST", support("/mailFolders/inbox/childFolders"), R"({"displayName":"claims"})").status);
    const std::string id = made.body.text("id");
    CPPUNIT_ASSERT_EQUAL(std::string("Claims"),
                         s_.get(support("/mailFolders/inbox/childFolders/" + id)).body.text("displayName"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, s_.get(support("/mailFolders/inbox/childFolders")).value().size());
    CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, s_.get(support("/mailFolders/inbox")).body.integer("childFolderCount", 0));
    CPPUNIT_ASSERT_EQUAL(200,
                         s_.ask("PATCH", support("/mailFolders/" + id), R"({"displayName":"Reklamaatiot"})").status);
    CPPUNIT_ASSERT_EQUAL(std::string("Reklamaatiot"), s_.get(support("/mailFolders/" + id)).body.text("displayName"));
    CPPUNIT_ASSERT_EQUAL(204, s_.ask("DELETE", support("/mailFolders/" + id)).status);
    CPPUNIT_ASSERT_EQUAL(404, s_.get(support("/mailFolders/" + id)).status);
    CPPUNIT_ASSERT_EQUAL(400, s_.get(support("/mailFolders/nothing")).status);
    CPPUNIT_ASSERT_EQUAL(403, s_.ask("DELETE", support("/mailFolders/inbox")).status);
    const auto hidden = s_.get(support("/mailFolders?includeHiddenFolders=true&$top=100")).value().size();
    CPPUNIT_ASSERT(hidden > s_.get(support("/mailFolders?$top=100")).value().size());
  }

  void finnish_folders() {
    const Answer inbox = s_.get("/users/asiakaspalvelu@contoso.example/mailFolders/inbox");
    CPPUNIT_ASSERT_EQUAL(std::string("Saapuneet"), inbox.body.text("displayName"));
  }

  void lists_and_pages() {
    for (int i = 0; i < 25; ++i) s_.put(numbered_mail(i));
    Answer page = s_.get(support("/mailFolders/inbox/messages?$select=subject&$count=true"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{10}, page.value().size());
    CPPUNIT_ASSERT_EQUAL(std::int64_t{25}, page.body.integer("@odata.count", 0));
    std::size_t total = page.value().size();
    while (page.body.find("@odata.nextLink") != nullptr) {
      page = s_.get(page.body.text("@odata.nextLink"));
      total += page.value().size();
    }
    CPPUNIT_ASSERT_EQUAL(std::size_t{25}, total);
    CPPUNIT_ASSERT_EQUAL(std::string("25"), s_.get(support("/mailFolders/inbox/messages/$count")).text);
    CPPUNIT_ASSERT_EQUAL(std::size_t{25}, s_.get(support("/messages?$top=1000")).value().size());
  }

  void lists_filter_and_order() {
    for (int i = 0; i < 3; ++i) s_.put(numbered_mail(i));
    const Answer found =
        s_.get(support("/messages?$filter=internetMessageId%20eq%20'%3C1@fabrikam.example%3E'&$select=subject"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, found.value().size());
    CPPUNIT_ASSERT_EQUAL(std::string("mail 1"), found.value()[0].text("subject"));
    const Answer order = s_.get(support("/messages?$filter=isRead%20eq%20false&$orderby=receivedDateTime"));
    CPPUNIT_ASSERT_EQUAL(std::string("InefficientFilter"), order.code());
    CPPUNIT_ASSERT_EQUAL(200, s_.get(support("/messages?$filter=receivedDateTime%20ge%202020-01-01%20and%20isRead%20eq%"
                                             "20false&$orderby=receivedDateTime"))
                                  .status);
    CPPUNIT_ASSERT_EQUAL(400, s_.get(support("/messages?$search=%22x%22&$count=true")).status);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, s_.get(support("/messages?$search=%22mail%202%22")).value().size());
    CPPUNIT_ASSERT_EQUAL(std::string("mail 0"),
                         s_.get(support("/messages?$orderby=subject&$select=subject")).value()[0].text("subject"));
  }

  void a_search_that_lags() {
    s_.world.behaviour.search_lag_ms = 5000;
    s_.put(numbered_mail(1));
    const std::string search = support("/messages?$filter=subject%20eq%20'mail%201'");
    CPPUNIT_ASSERT(s_.get(search).value().empty());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, s_.get(support("/messages")).value().size());
    s_.world.clock.advance(std::chrono::seconds(6));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, s_.get(search).value().size());
  }

  void select_and_headers() {
    const std::string id =
        s_.put(simple_mail("Received: by x\r\nFrom: a@b.example\r\nX-Y: 1\r\nMessage-ID: <h@x>\r\n"));
    Answer answer = s_.get(support("/messages/" + id + "?$select=internetMessageHeaders,subject"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{4}, answer.body.find("internetMessageHeaders")->array().size());
    CPPUNIT_ASSERT(answer.body.find("subject")->is_null());
    CPPUNIT_ASSERT(answer.body.find("body") == nullptr);
    CPPUNIT_ASSERT(s_.get(support("/messages/" + id)).body.find("internetMessageHeaders") == nullptr);
    CPPUNIT_ASSERT_EQUAL(400, s_.get(support("/messages/" + id + "?$select=color")).status);
    // A draft never travelled: the member is not there at all.
    const std::string draft = s_.ask("POST", support("/messages"), "{}").body.text("id");
    CPPUNIT_ASSERT(
        s_.get(support("/messages/" + draft + "?$select=internetMessageHeaders")).body.find("internetMessageHeaders") ==
        nullptr);
    answer = s_.get(support("/messages/" + id +
                            "?$select=id&$expand=singleValueExtendedProperties($filter=id%20eq%20'LONG%200x0E08')"));
    const Json& property = answer.body.find("singleValueExtendedProperties")->array().at(0);
    CPPUNIT_ASSERT_EQUAL(std::string("Long 0xe08"), property.text("id"));
    CPPUNIT_ASSERT(property.find("value")->is_string());
  }

  void body_on_request() {
    const std::string id = s_.put(simple_mail("Subject: b\r\nContent-Type: text/html\r\n",
                                              "<p onclick=\"x()\">Hi &amp; bye</p><script>alert(1)</script>"));
    const auto body = [&](testing::HeaderPairs headers) {
      return *s_.get(support("/messages/" + id), headers).body.find("body");
    };
    CPPUNIT_ASSERT_EQUAL(std::string("html"), body({}).text("contentType"));
    CPPUNIT_ASSERT_EQUAL(std::string("<p >Hi &amp; bye</p>"), body({}).text("content"));
    CPPUNIT_ASSERT(body({{"Prefer", "outlook.allow-unsafe-html"}}).text("content").find("<script>") !=
                   std::string::npos);
    CPPUNIT_ASSERT_EQUAL(std::string("Hi & bye"),
                         body({{"Prefer", "outlook.body-content-type=\"text\""}}).text("content"));
    const std::string plain = s_.put(simple_mail("Subject: p\r\n", "just text\r\n"));
    CPPUNIT_ASSERT_EQUAL(std::string("text"),
                         s_.get(support("/messages/" + plain)).body.find("body")->text("contentType"));
  }

  void attachments() {
    const std::string id = s_.put(
        "Subject: a\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n\r\nx\r\n--m\r\nContent-Type: "
        "image/png; name=p.png\r\n"
        "Content-Disposition: inline\r\nContent-ID: <c@x>\r\nContent-Transfer-Encoding: "
        "base64\r\n\r\nAAEC\r\n--m\r\nContent-Type: message/rfc822\r\n\r\n"
        "Subject: inner\r\nFrom: i@x.example\r\n\r\nin\r\n--m--\r\n");
    const std::string base = support("/messages/" + id + "/attachments");
    const Answer list = s_.get(base + "?$select=id,name,size,isInline,microsoft.graph.fileAttachment/contentId");
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, list.value().size());
    CPPUNIT_ASSERT_EQUAL(std::string("c@x"), list.value()[0].text("contentId"));
    CPPUNIT_ASSERT(list.value()[0].find("contentBytes") == nullptr);
    CPPUNIT_ASSERT_EQUAL(std::string("#microsoft.graph.itemAttachment"), list.value()[1].text("@odata.type"));
    CPPUNIT_ASSERT_EQUAL(400, s_.get(base + "?$select=contentId").status);
    const std::string file = list.value()[0].text("id");
    const std::string item = list.value()[1].text("id");
    CPPUNIT_ASSERT_EQUAL(std::string("\0\1\2", 3), s_.get(base + "/" + file + "/$value").text);
    CPPUNIT_ASSERT_EQUAL(std::string("AAEC"), s_.get(base + "/" + file).body.text("contentBytes"));
    CPPUNIT_ASSERT(s_.get(base + "/" + item + "/$value").text.find("Subject: inner") != std::string::npos);
    const Answer opened = s_.get(base + "/" + item + "?$expand=microsoft.graph.itemattachment/item");
    CPPUNIT_ASSERT_EQUAL(std::string("inner"), opened.body.find("item")->text("subject"));
    CPPUNIT_ASSERT_EQUAL(400, s_.get(base + "/" + id).status);
    const Answer made = s_.ask(
        "POST", base,
        R"({"@odata.type":"#microsoft.graph.referenceAttachment","name":"link","sourceUrl":"https://x.example/a"})");
    CPPUNIT_ASSERT_EQUAL(201, made.status);
    CPPUNIT_ASSERT_EQUAL(405, s_.get(base + "/" + made.body.text("id") + "/$value").status);
    CPPUNIT_ASSERT_EQUAL(204, s_.ask("DELETE", base + "/" + made.body.text("id")).status);
    CPPUNIT_ASSERT_EQUAL(404, s_.get(base + "/" + made.body.text("id")).status);
  }

  void mime_value() {
    const std::string mime = simple_mail("Subject: m\r\n", "a\r\n");
    const Answer answer = s_.get(support("/messages/" + s_.put(mime) + "/$value"));
    CPPUNIT_ASSERT_EQUAL(mime, answer.text);
    CPPUNIT_ASSERT_EQUAL(std::string("text/plain"), answer.headers.get("Content-Type"));
  }

  void patch_rules() {
    const std::string url = support("/messages/" + s_.put(numbered_mail(1)));
    CPPUNIT_ASSERT_EQUAL(
        200, s_.ask("PATCH", url, R"({"isRead":true,"categories":["A"],"flag":{"flagStatus":"flagged"}})").status);
    const Answer now = s_.get(url);
    CPPUNIT_ASSERT_EQUAL(std::string("A"), now.body.find("categories")->array().at(0).string());
    CPPUNIT_ASSERT_EQUAL(std::string("flagged"), now.body.find("flag")->text("flagStatus"));
    CPPUNIT_ASSERT_EQUAL(400, s_.ask("PATCH", url, R"({"subject":"new"})").status);
    CPPUNIT_ASSERT_EQUAL(400, s_.ask("PATCH", url, R"({"importance":"urgent"})").status);
    CPPUNIT_ASSERT_EQUAL(400, s_.ask("PATCH", url, R"({"flag":{"flagStatus":"flagged","dueDateTime":{}}})").status);
    CPPUNIT_ASSERT_EQUAL(204, s_.ask("PATCH", url, R"({"isRead":false})", {{"Prefer", "return=minimal"}}).status);
    CPPUNIT_ASSERT_EQUAL(412, s_.ask("PATCH", url, R"({"isRead":true})", {{"If-Match", "W/\"old\""}}).status);
    CPPUNIT_ASSERT(!s_.get(url).body.boolean("isRead", true));
  }

  void read_receipt_on_marking() {
    const std::string mail = simple_mail(
        "From: customer@fabrikam.example\r\nDisposition-Notification-To: customer@fabrikam.example\r\nMessage-ID: "
        "<r@x>\r\n");
    const auto arrived = [&] {
      auto& mailbox = s_.mailbox("customer@fabrikam.example");
      const auto lock = mailbox.lock();
      return mailbox.well_known("inbox")->by_received.size();
    };
    const std::string first = support("/messages/" + s_.put(mail));
    s_.ask("PATCH", first, R"({"isRead":true,"isReadReceiptRequested":false})");
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, arrived());
    s_.ask("PATCH", support("/messages/" + s_.put(mail)), R"({"isRead":true})");
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, arrived());
    s_.world.behaviour.patch_suppresses_receipt = false;
    s_.ask("PATCH", support("/messages/" + s_.put(mail)), R"({"isRead":true,"isReadReceiptRequested":false})");
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, arrived());
    auto& mailbox = s_.mailbox("customer@fabrikam.example");
    const auto lock = mailbox.lock();
    CPPUNIT_ASSERT_EQUAL(std::string("REPORT.IPM.Note.IPNRN"),
                         mailbox.well_known("inbox")->by_received[0]->message_class);
  }

  void deleting() {
    const std::string id = s_.put(numbered_mail(1));
    CPPUNIT_ASSERT_EQUAL(204, s_.ask("DELETE", support("/messages/" + id)).status);
    CPPUNIT_ASSERT_EQUAL(404, s_.ask("DELETE", support("/messages/" + id)).status);
    const Answer bin = s_.get(support("/mailFolders/deleteditems/messages"), {{"Prefer", "IdType=\"ImmutableId\""}});
    const std::string there = bin.value().at(0).text("id");
    CPPUNIT_ASSERT_EQUAL(204, s_.ask("POST", support("/messages/" + there + "/permanentDelete")).status);
    CPPUNIT_ASSERT_EQUAL(404, s_.get(support("/messages/" + there)).status);
    CPPUNIT_ASSERT_EQUAL(std::string("ErrorCannotDeleteObject"),
                         s_.ask("DELETE", support("/messages/" + there)).code());
  }

  void bodies_are_checked() {
    CPPUNIT_ASSERT_EQUAL(400, s_.ask("POST", support("/messages"), "{\"subject\":").status);
    CPPUNIT_ASSERT_EQUAL(400, s_.ask("POST", support("/messages"), "[]").status);
    CPPUNIT_ASSERT_EQUAL(400, s_.ask("POST", support("/messages"), "{\"subject\":1}").status);
    CPPUNIT_ASSERT_EQUAL(400, s_.ask("POST", support("/messages"), "{\"colour\":1}").status);
    CPPUNIT_ASSERT_EQUAL(415, s_.ask("POST", support("/messages"), "x", {{"Content-Type", "application/xml"}}).status);
    CPPUNIT_ASSERT_EQUAL(400,
                         s_.ask("POST", support("/messages"), "*no base64*", {{"Content-Type", "text/plain"}}).status);
    const std::string id = s_.put(numbered_mail(1));
    CPPUNIT_ASSERT_EQUAL(400, s_.ask("POST", support("/messages/" + id + "/move"), "{}").status);
    CPPUNIT_ASSERT_EQUAL(400,
                         s_.ask("POST", support("/messages/" + id + "/move"), R"({"destinationId":"nowhere"})").status);
  }

  void batches() {
    const std::string id = s_.put(numbered_mail(1));
    const Answer answer = s_.ask("POST", "/$batch",
                                 R"({"requests":[
      {"id":"1","method":"GET","url":"/users/support@contoso.example/mailFolders/inbox?$select=totalItemCount"},
      {"id":"2","method":"GET","url":"/users/ceo@contoso.example/messages"},
      {"id":"3","method":"PATCH","url":"/users/support@contoso.example/messages/)" +
                                     id + R"(","headers":{"Content-Type":"application/json"},"body":{"isRead":true}},
      {"id":"4","method":"GET","url":"/users/support@contoso.example/messages/)" +
                                     id + R"(/$value"},
      {"id":"5","method":"GET","url":"/users/support@contoso.example/messages","headers":{"Prefer":"IdType=\"ImmutableId\""}}]})");
    CPPUNIT_ASSERT_EQUAL(200, answer.status);
    const auto& responses = answer.body.find("responses")->array();
    CPPUNIT_ASSERT_EQUAL(std::size_t{5}, responses.size());
    for (const auto& response : responses) {
      const std::string which = response.text("id");
      CPPUNIT_ASSERT_EQUAL_MESSAGE(which, std::int64_t{which == "2" ? 403 : 200}, response.integer("status", 0));
      if (which == "1") CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, response.find("body")->integer("totalItemCount", 0));
      if (which == "4") CPPUNIT_ASSERT(base64_decode(response.text("body"))->find("mail 1") != std::string::npos);
      if (which == "5")
        CPPUNIT_ASSERT_EQUAL(std::size_t{0},
                             response.find("body")->find("value")->array().at(0).text("id").find("AAkALg"));
      CPPUNIT_ASSERT(response.find("headers")->find("request-id") != nullptr);
    }
    const Answer chain = s_.ask("POST", "/$batch", R"({"requests":[
      {"id":"a","method":"GET","url":"/users/ceo@contoso.example/messages"},
      {"id":"b","method":"GET","url":"/users/support@contoso.example/messages","dependsOn":["A"]}]})");
    CPPUNIT_ASSERT_EQUAL(std::int64_t{424}, chain.body.find("responses")->array().at(1).integer("status", 0));
    CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, s_.world.census.report().integer("batches", 0));
  }

  void batches_refused() {
    std::string many = R"({"requests":[)";
    for (int i = 0; i < 21; ++i)
      many += (i > 0 ? "," : "") + std::string(R"({"id":")") + std::to_string(i) + R"(","method":"GET","url":"/me"})";
    for (const std::string& bad :
         {many + "]}", std::string("{}"), std::string(R"({"requests":[]})"),
          std::string(R"({"requests":[{"id":"1","method":"GET","url":"/$batch"}]})"),
          std::string(R"({"requests":[{"id":"a","method":"GET","url":"/me"},{"id":"A","method":"GET","url":"/me"}]})"),
          std::string(R"({"requests":[{"id":"1","method":"PATCH","url":"/me","body":{}}]})"),
          std::string(R"({"requests":[{"id":"1","method":"GET","url":"https://x/me"}]})"),
          std::string(R"({"requests":[{"id":"1","method":"GET","url":"/me","dependsOn":["2"]}]})")}) {
      CPPUNIT_ASSERT_EQUAL_MESSAGE(bad, 400, s_.ask("POST", "/$batch", bad).status);
    }
  }

  void throttling() {
    ThrottleLimits limits;
    limits.requests = 3;
    s_.world.throttle.set_limits(limits);
    for (int i = 0; i < 3; ++i) CPPUNIT_ASSERT_EQUAL(200, s_.get(support("/messages")).status);
    const Answer refused = s_.get(support("/messages"));
    CPPUNIT_ASSERT_EQUAL(429, refused.status);
    CPPUNIT_ASSERT(!refused.headers.get("Retry-After").empty());
    CPPUNIT_ASSERT_EQUAL(std::string("429"), refused.body.find("error")->find("innerError")->text("code"));
    CPPUNIT_ASSERT_EQUAL(200, s_.get("/users/sales@contoso.example/messages").status);  // another mailbox
    s_.world.clock.advance(std::chrono::minutes(11));
    CPPUNIT_ASSERT_EQUAL(200, s_.get(support("/messages")).status);
    // Four at a time.
    std::vector<Throttle::Place> places;
    s_.world.throttle.reset();
    limits.requests = 100;
    s_.world.throttle.set_limits(limits);
    for (int i = 0; i < 4; ++i)
      places.push_back(s_.world.throttle.enter(s_.center.client_id, "support@contoso.example", 0));
    CPPUNIT_ASSERT_EQUAL(std::string("ApplicationThrottled"), s_.get(support("/messages")).code());
    places.pop_back();
    CPPUNIT_ASSERT_EQUAL(200, s_.get(support("/messages")).status);
    CPPUNIT_ASSERT_EQUAL(std::size_t{4}, s_.world.throttle.peaks().at("support@contoso.example"));
    places.clear();
    limits.upload_bytes = 100;
    s_.world.throttle.set_limits(limits);
    s_.ask("POST", support("/messages"), "{\"subject\":\"" + std::string(80, 'x') + "\"}");
    CPPUNIT_ASSERT_EQUAL(429,
                         s_.ask("POST", support("/messages"), "{\"subject\":\"" + std::string(80, 'x') + "\"}").status);
  }

  void mailbox_that_is_not_there() {
    {
      auto& mailbox = s_.mailbox("support@contoso.example");
      const auto lock = mailbox.lock();
      mailbox.options.not_enabled = true;
    }
    const Answer answer = s_.get(support("/messages"));
    CPPUNIT_ASSERT_EQUAL(404, answer.status);
    CPPUNIT_ASSERT_EQUAL(std::string("MailboxNotEnabledForRESTAPI"), answer.code());
  }

  void fault_rules() {
    s_.world.faults.add(parse_json(R"([
      {"match":{"operation":"messages.list","nth":2},"effect":{"status":503,"retry_after":"2.128"}},
      {"match":{"method":"POST","path":"/messages$","count":1},"effect":{"status":504,"work":"done"}},
      {"match":{"path":"mailFolders/drafts"},"effect":{"cut":"before"}},
      {"match":{"mailbox":"sales@contoso.example"},"effect":{"body":"garbage"}},
      {"match":{"path":"mailFolders/sentitems"},"effect":{"cut":"after","close":"clean"}},
      {"match":{"path":"mailFolders/archive"},"effect":{"body":"half","close":"clean"}}])"));
    CPPUNIT_ASSERT_EQUAL(200, s_.get(support("/messages")).status);
    const Answer second = s_.get(support("/messages"));
    CPPUNIT_ASSERT_EQUAL(503, second.status);
    CPPUNIT_ASSERT_EQUAL(std::string("2.128"), second.headers.get("Retry-After"));
    CPPUNIT_ASSERT_EQUAL(200, s_.get(support("/messages")).status);
    CPPUNIT_ASSERT_EQUAL(504, s_.ask("POST", support("/messages"), R"({"subject":"done"})").status);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, s_.get(support("/messages")).value().size());
    CPPUNIT_ASSERT_EQUAL(201, s_.ask("POST", support("/messages"), "{}").status);
    CPPUNIT_ASSERT(s_.get(support("/mailFolders/drafts")).departure == Departure::none);
    CPPUNIT_ASSERT(s_.get(support("/mailFolders/sentitems")).departure == Departure::closed);
    CPPUNIT_ASSERT(s_.get(support("/mailFolders/archive")).departure == Departure::half_then_close);
    CPPUNIT_ASSERT_EQUAL(200, s_.get("/users/sales@contoso.example/messages").status);
    CPPUNIT_ASSERT_THROW(parse_json(s_.get("/users/sales@contoso.example/messages").text), JsonError);
    const Json report = s_.world.faults.report();
    CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, report.array().at(1).integer("hit", 0));
    s_.world.faults.clear();
    CPPUNIT_ASSERT_EQUAL(200, s_.get(support("/mailFolders/drafts")).status);
  }

  void faults_are_checked() {
    for (const char* bad : {"1", "{}", R"({"effect":{"status":500},"what":1})", R"({"match":{"path":"("},"effect":{}})",
                            R"({"match":{},"effect":{"cut":"sideways"}})", R"({"match":{"verb":"GET"},"effect":{}})"}) {
      CPPUNIT_ASSERT_THROW_MESSAGE(bad, s_.world.faults.add(parse_json(bad)), std::runtime_error);
    }
  }

  void every_answer_has_its_ids() {
    for (const char* path : {"/users/support@contoso.example/messages", "/users/nobody/messages", "/nonsense"}) {
      const Answer answer = s_.get(path, {{"client-request-id", "my-own-id"}});
      CPPUNIT_ASSERT(is_guid(answer.headers.get("request-id")));
      CPPUNIT_ASSERT_EQUAL(std::string("my-own-id"), answer.headers.get("client-request-id"));
      CPPUNIT_ASSERT(!answer.headers.get("Date").empty());
    }
  }

 private:
  Simulated s_;
};
CPPUNIT_TEST_SUITE_REGISTRATION(GraphTest);

}  // namespace embedded
