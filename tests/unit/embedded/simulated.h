// A simulated world without a network: requests go straight into the rooms' classes.
#ifndef TESTS_UNIT_EMBEDDED_SIMULATED_H_
#define TESTS_UNIT_EMBEDDED_SIMULATED_H_

#include <initializer_list>
#include <string>
#include <utility>

#include "m365/graph/graph.h"
#include "m365/json.h"
#include "m365/mime/text.h"
#include "m365/world/mailbox.h"
#include "m365/world/tenant_file.h"
#include "m365/world/world.h"

namespace embedded::testing {

using HeaderPairs = std::initializer_list<std::pair<const char*, const char*>>;

struct Answer {
  int status = 0;
  Json body;         // null when the answer is no JSON
  std::string text;  // the body as it is
  Headers headers;
  Departure departure = Departure::whole;

  std::string code() const {
    const Json* error = body.find("error");
    return error == nullptr ? std::string() : error->text("code");
  }
  const Json::Array& value() const { return body.find("value")->array(); }
};

class Simulated {
 public:
  Simulated() : center(load_built_in(world)), graph(world) {
    world.origin = "https://localhost:1";
    world.upload_origin = "https://localhost:2";
    world.entra.set_origin(world.origin);
    bearer = token("client_id=" + center.client_id + "&client_secret=" + percent_encode(center.secret) +
                   "&grant_type=client_credentials&scope=" + percent_encode(world.origin + "/.default"))
                 .body.text("access_token");
  }

  Answer token(const std::string& form, const std::string& tenant = "contoso.example",
               const char* type = "application/x-www-form-urlencoded") {
    HttpRequest request;
    request.method = "POST";
    request.target = "/" + tenant + "/oauth2/v2.0/token";
    request.headers.add("Content-Type", type);
    request.body = form;
    return read(world.entra.handle(request));
  }

  // A Graph request below /v1.0; a body that is not empty is JSON unless a Content-Type is given.
  Answer ask(const std::string& method, const std::string& path, const std::string& body = {},
             HeaderPairs headers = {}) {
    HttpRequest request;
    request.method = method;
    request.target = starts_with_ignoring_case(path, "https://") ? path.substr(path.find('/', 8)) : "/v1.0" + path;
    request.body = body;
    request.has_length = true;
    if (!bearer.empty()) request.headers.add("Authorization", "Bearer " + bearer);
    for (const auto& [name, value] : headers) request.headers.set(name, value);
    if (!body.empty() && request.headers.find("Content-Type") == nullptr)
      request.headers.add("Content-Type", "application/json");
    return read(graph.handle(request));
  }

  Answer get(const std::string& path, HeaderPairs headers = {}) { return ask("GET", path, {}, headers); }

  Mailbox& mailbox(const std::string& address) { return *world.directory.recipient(address)->mailbox; }

  // Puts a mail into the inbox of support and answers its ordinary id.
  std::string put(const std::string& mime, const std::string& address = "support@contoso.example") {
    const auto user = world.directory.recipient(address);
    const auto number = world.transport.put(*user, mime);
    const auto lock = user->mailbox->lock();
    return user->mailbox->id_of(*user->mailbox->find(number), IdForm::ordinary);
  }

  static Answer read(HttpResponse response) {
    Answer answer;
    answer.status = response.status;
    answer.text = std::string(response.content());
    answer.headers = response.headers;
    answer.departure = response.departure;
    if (contains_ignoring_case(response.headers.get("Content-Type"), "json") && !response.broken)
      answer.body = parse_json(answer.text);
    return answer;
  }

  World world;
  ContactCenter center;
  Graph graph;
  std::string bearer;
};

// A mail of one line; every header line ends with CRLF.
inline std::string simple_mail(const std::string& headers, const std::string& body = "Hello\r\n") {
  return headers + "\r\n" + body;
}

inline std::string numbered_mail(int number) {
  const std::string n = std::to_string(number);
  return simple_mail("From: a@fabrikam.example\r\nTo: support@contoso.example\r\nSubject: mail " + n +
                     "\r\nMessage-ID: <" + n + "@fabrikam.example>\r\n");
}

inline const char* const kSupport = "/users/support@contoso.example";

}  // namespace embedded::testing

#endif  // TESTS_UNIT_EMBEDDED_SIMULATED_H_
