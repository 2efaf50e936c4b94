#include "commands/web_client.h"

#include <Poco/Net/Context.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/HTTPSClientSession.h>
#include <Poco/Net/RejectCertificateHandler.h>
#include <Poco/StreamCopier.h>
#include <Poco/URI.h>

#include <stdexcept>

namespace commands {

struct WebClient::Impl {
  Poco::Net::Context::Ptr context;
};

WebClient::WebClient(const std::filesystem::path& ca_file) : impl_(new Impl) {
  using Poco::Net::Context;
  impl_->context = new Context(Context::TLS_CLIENT_USE, "", "", ca_file.string(), Context::VERIFY_STRICT, 9, false);
  // Without a handler of its own another module's could decide about certificates.
  impl_->context->setInvalidCertificateHandler(new Poco::Net::RejectCertificateHandler(false));
}

WebClient::~WebClient() = default;

WebClient::Answer WebClient::ask(const std::string& method, const std::string& url,
                                 const std::map<std::string, std::string>& headers, const std::string& body) {
  try {
    const Poco::URI uri(url);
    Poco::Net::HTTPSClientSession session(uri.getHost(), uri.getPort(), impl_->context);
    session.setTimeout(Poco::Timespan(10, 0));
    Poco::Net::HTTPRequest request(method, uri.getPathAndQuery(), Poco::Net::HTTPRequest::HTTP_1_1);
    for (const auto& [name, value] : headers) request.set(name, value);
    request.setContentLength64(static_cast<Poco::Int64>(body.size()));
    session.sendRequest(request) << body;
    Poco::Net::HTTPResponse response;
    Answer answer;
    Poco::StreamCopier::copyToString(session.receiveResponse(response), answer.body);
    answer.status = response.getStatus();
    return answer;
  } catch (const Poco::Exception& error) {
    throw std::runtime_error(method + " " + url + ": " + error.displayText());
  }
}

base::Json WebClient::json(const std::string& method, const std::string& url, const base::Json& body) {
  const bool empty = body.is_null();
  const Answer answer = ask(method, url,
                            empty ? std::map<std::string, std::string>()
                                  : std::map<std::string, std::string>{{"Content-Type", "application/json"}},
                            empty ? "" : body.dump());
  if (answer.status < 200 || answer.status > 299) {
    throw std::runtime_error(method + " " + url + ": " + std::to_string(answer.status) + " " +
                             answer.body.substr(0, 300));
  }
  return answer.body.empty() ? base::Json() : base::Json::parse(answer.body);
}

}  // namespace commands
