// A request and an answer, as the rooms' handlers see them. No network here.
#ifndef HOST_SIM_M365_HTTP_H_
#define HOST_SIM_M365_HTTP_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace embedded {

// Header fields in order, repeated names kept, compared without case.
class Headers {
 public:
  void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
  void set(std::string_view name, std::string value);
  // The first of that name, or nullptr.
  const std::string* find(std::string_view name) const;
  std::string get(std::string_view name) const;
  std::vector<std::string> all(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& fields() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

struct HttpRequest {
  std::string method;
  std::string target;  // as on the wire: path and query
  Headers headers;
  std::string body;
  bool has_length = false;      // Content-Length or Transfer-Encoding was there
  bool body_too_large = false;  // the body was read to its end and thrown away

  std::string_view path() const;   // still percent-encoded
  std::string_view query() const;  // without '?', still percent-encoded
  // "application/json" of "Application/JSON; charset=utf-8".
  std::string media_type() const;
};

// How an answer leaves. Everything but `whole` ends the connection: faults on request.
enum class Departure {
  whole,
  none,             // connection reset, no answer
  closed,           // close_notify, no answer
  half_then_close,  // half of the body, then close_notify: looks like a clean end
  half_then_cut,    // half of the body, then the socket goes away
};

struct HttpResponse {
  int status = 200;
  Headers headers;
  std::string body;
  // Instead of `body`: bytes that are shared with the store.
  std::shared_ptr<const std::string> shared_body;
  bool chunked = false;
  bool broken = false;  // a fault spoilt the body: it may not be what Content-Type says
  Departure departure = Departure::whole;

  std::string_view content() const { return shared_body ? std::string_view(*shared_body) : std::string_view(body); }
};

// Value of a query or form parameter list, decoded. Order kept.
std::vector<std::pair<std::string, std::string>> parse_form(std::string_view text, bool plus_is_space);

const char* reason_phrase(int status);

}  // namespace embedded

#endif  // HOST_SIM_M365_HTTP_H_
