// What Microsoft's own clients ask for and the plugin does not: counts, folder trees, searches, multi-value properties,
// the account in a token answer. tests/clients drives the same with those clients themselves.
#include <cppunit/extensions/HelperMacros.h>

#include "simulated.h"

namespace embedded {

using testing::Answer;
using testing::kSupport;
using testing::simple_mail;
using testing::Simulated;

class OfficialClientsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(OfficialClientsTest);
  CPPUNIT_TEST(counts);
  CPPUNIT_TEST(folders_are_filtered_and_expanded);
  CPPUNIT_TEST(a_folder_moves);
  CPPUNIT_TEST(a_folder_is_copied);
  CPPUNIT_TEST(a_folder_does_not_go_everywhere);
  CPPUNIT_TEST(searches);
  CPPUNIT_TEST(multi_value_properties);
  CPPUNIT_TEST(enumerations_without_case);
  CPPUNIT_TEST(the_account_of_a_token);
  CPPUNIT_TEST_SUITE_END();

  std::string support(const std::string& rest) const { return kSupport + rest; }

  std::string make_folder(const std::string& parent, const std::string& name) {
    const Answer made = s_.ask("POST", support("/mailFolders/" + parent + "/childFolders"),
                               Json(Json::Object{{"displayName", name}}).dump());
    CPPUNIT_ASSERT_EQUAL(201, made.status);
    return made.body.text("id");
  }

  std::size_t found(const std::string& search) {
    const Answer answer = s_.get(support("/messages?$search=" + percent_encode(search)));
    CPPUNIT_ASSERT_EQUAL(200, answer.status);
    return answer.value().size();
  }

  std::string user_token(const std::string& scope, const std::string& more) {
    const auto agent = s_.world.directory.recipient("agent@contoso.example");
    const Answer answer = s_.token(
        "client_id=5b1f0c52-9a55-4c52-8a19-74a2cf6f0d22&grant_type=password&username=agent%40contoso.example"
        "&password=" +
        percent_encode(agent->password) + "&scope=" + percent_encode(scope) + more);
    CPPUNIT_ASSERT_EQUAL(200, answer.status);
    return answer.text;
  }

 public:
  void counts() {
    const std::string id = s_.put(
        simple_mail("From: a@fabrikam.example\r\nTo: support@contoso.example\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
                    "Content-Type: application/pdf; name=a.pdf\r\nContent-Disposition: attachment\r\n"));
    const Answer attachments = s_.get(support("/messages/" + percent_encode(id) + "/attachments/$count"));
    CPPUNIT_ASSERT_EQUAL(std::string("1"), attachments.text);
    CPPUNIT_ASSERT_EQUAL(std::string("text/plain"), attachments.headers.get("Content-Type"));
    const std::string top = s_.get(support("/mailFolders/$count")).text;
    CPPUNIT_ASSERT_EQUAL(top, s_.get(support("/mailFolders/msgfolderroot")).body.find("childFolderCount")->dump());
    make_folder("inbox", "Claims");
    CPPUNIT_ASSERT_EQUAL(std::string("1"), s_.get(support("/mailFolders/inbox/childFolders/$count")).text);
  }

  void folders_are_filtered_and_expanded() {
    make_folder("inbox", "O'Neill");
    make_folder("inbox", "Claims");
    const auto names = [&](const std::string& filter) {
      std::string text;
      const Answer answer = s_.get(support("/mailFolders/inbox/childFolders?$filter=" + percent_encode(filter)));
      CPPUNIT_ASSERT_EQUAL(200, answer.status);
      for (const auto& folder : answer.value()) text += folder.text("displayName") + ";";
      return text;
    };
    CPPUNIT_ASSERT_EQUAL(std::string("O'Neill;"), names("displayName eq 'o''neill'"));
    CPPUNIT_ASSERT_EQUAL(std::string("Claims;"), names("startswith(displayName,'cla')"));
    CPPUNIT_ASSERT_EQUAL(std::string("O'Neill;"), names("contains(displayName, 'Neil')"));
    CPPUNIT_ASSERT_EQUAL(400, s_.get(support("/mailFolders?$filter=isHidden%20eq%20true")).status);
    const Answer tree = s_.get(support("/mailFolders/inbox?$expand=childFolders"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, tree.body.find("childFolders")->array().size());
    CPPUNIT_ASSERT_EQUAL(400, s_.get(support("/mailFolders?$expand=messages")).status);
  }

  void a_folder_moves() {
    const std::string id = make_folder("inbox", "Claims");
    const Answer moved = s_.ask("POST", support("/mailFolders/" + id + "/move"), R"({"destinationId":"archive"})");
    CPPUNIT_ASSERT_EQUAL(200, moved.status);  // not 201, as of a message
    CPPUNIT_ASSERT_EQUAL(id, moved.body.text("id"));
    CPPUNIT_ASSERT_EQUAL(s_.get(support("/mailFolders/archive")).body.text("id"), moved.body.text("parentFolderId"));
    CPPUNIT_ASSERT_EQUAL(std::string("0"), s_.get(support("/mailFolders/inbox/childFolders/$count")).text);
  }

  void a_folder_is_copied() {
    const std::string id = make_folder("inbox", "Claims");
    make_folder(id, "Below");
    const std::string mail = s_.put(simple_mail("From: a@fabrikam.example\r\nSubject: x\r\n"));
    CPPUNIT_ASSERT_EQUAL(201, s_.ask("POST", support("/messages/" + percent_encode(mail) + "/move"),
                                     R"({"destinationId":")" + id + "\"}")
                                  .status);
    const Answer copied = s_.ask("POST", support("/mailFolders/" + id + "/copy"), R"({"destinationId":"archive"})");
    CPPUNIT_ASSERT_EQUAL(200, copied.status);
    CPPUNIT_ASSERT(copied.body.text("id") != id);
    CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, copied.body.integer("totalItemCount", -1));
    CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, copied.body.integer("childFolderCount", -1));
    CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, s_.get(support("/mailFolders/" + id)).body.integer("totalItemCount", -1));
  }

  void a_folder_does_not_go_everywhere() {
    const std::string id = make_folder("inbox", "Claims");
    const std::string below = make_folder(id, "Below");
    const auto move = [&](const std::string& what, const std::string& to) {
      return s_.ask("POST", support("/mailFolders/" + what + "/move"), R"({"destinationId":")" + to + "\"}").status;
    };
    CPPUNIT_ASSERT_EQUAL(400, move(id, below));
    CPPUNIT_ASSERT_EQUAL(400, move(id, id));
    CPPUNIT_ASSERT_EQUAL(403, move("inbox", "archive"));
    make_folder("archive", "claims");
    CPPUNIT_ASSERT_EQUAL(409, move(id, "archive"));
    CPPUNIT_ASSERT_EQUAL(std::string("1"), s_.get(support("/mailFolders/inbox/childFolders/$count")).text);
  }

  void searches() {
    s_.put(simple_mail(
        "From: Ann <ann@fabrikam.example>\r\nTo: support@contoso.example\r\nSubject: Pallet of bananas\r\n"));
    s_.put(simple_mail("From: Bob <bob@fabrikam.example>\r\nTo: support@contoso.example\r\nSubject: Crate\r\n",
                       "no pallet here\r\n"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, found("\"pallet\""));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, found("\"subject:pallet\""));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, found("\"from:bob\""));
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, found("\"to:support\""));
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, found("\"subject:pallet from:bob\""));
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, found("\"subject:bananas OR from:bob\""));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, found(R"("subject:\"of bananas\"")"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, found("\"hasAttachments:true\""));
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, found("\"unknown:pallet\""));
  }

  void multi_value_properties() {
    const std::string id = "StringArray {66f5a359-4659-4830-9070-00049ec6ac6e} Name Palette";
    const Answer made = s_.ask("POST", support("/messages"),
                               R"({"multiValueExtendedProperties":[{"id":")" + id + R"(","value":["Green","Aqua"]}]})");
    CPPUNIT_ASSERT_EQUAL(201, made.status);
    CPPUNIT_ASSERT(made.body.find("multiValueExtendedProperties") == nullptr);
    const std::string path = support("/messages/" + percent_encode(made.body.text("id")));
    const auto expand = [&](const std::string& wanted) {
      return s_.get(path + "?$expand=multiValueExtendedProperties($filter=id%20eq%20'" + percent_encode(wanted) + "')");
    };
    const Answer read = expand(id);
    CPPUNIT_ASSERT_EQUAL(std::string(R"(["Green","Aqua"])"),
                         read.body.find("multiValueExtendedProperties")->array().at(0).find("value")->dump());
    CPPUNIT_ASSERT_EQUAL(400, expand("String {66f5a359-4659-4830-9070-00049ec6ac6e} Name Palette").status);
    CPPUNIT_ASSERT_EQUAL(
        400, s_.ask("PATCH", path, R"({"multiValueExtendedProperties":[{"id":")" + id + R"(","value":"x"}]})").status);
  }

  void enumerations_without_case() {
    const Answer made =
        s_.ask("POST", support("/messages"), R"({"importance":"High","flag":{"flagStatus":"FLAGGED"}})");
    CPPUNIT_ASSERT_EQUAL(std::string("high"), made.body.text("importance"));
    CPPUNIT_ASSERT_EQUAL(std::string("flagged"), made.body.find("flag")->text("flagStatus"));
    CPPUNIT_ASSERT_EQUAL(400, s_.ask("POST", support("/messages"), R"({"importance":"urgent"})").status);
  }

  void the_account_of_a_token() {
    const Json plain = parse_json(user_token("https://graph.microsoft.com/Mail.Send openid", ""));
    CPPUNIT_ASSERT_EQUAL(std::string("openid Mail.Send"), plain.text("scope"));
    CPPUNIT_ASSERT(plain.find("client_info") == nullptr);
    const Json asked = parse_json(user_token(s_.world.origin + "/Mail.Send", "&client_info=1"));
    CPPUNIT_ASSERT_EQUAL(s_.world.origin + "/Mail.Send", asked.text("scope"));
    const Json account = parse_json(base64url_decode(asked.text("client_info")).value());
    CPPUNIT_ASSERT_EQUAL(std::string("3f0a5f5e-0d3a-4a52-9f5c-5b4b8f6a1004"), account.text("uid"));
    CPPUNIT_ASSERT_EQUAL(std::string("8d8a8ab6-5d6f-4b61-8b8b-0f6b3c5d1f10"), account.text("utid"));
    const Json all = parse_json(user_token(s_.world.origin + "/.default", ""));
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, all.text("scope").find(s_.world.origin + "/.default "));
  }

 private:
  Simulated s_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(OfficialClientsTest);

}  // namespace embedded
