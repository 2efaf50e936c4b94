// Requests and answers, as the rooms behind http/ see them. No library shows here.
#pragma once

#include <chrono>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace http {

/// Header fields in wire order, repeated names kept; names compare without case (RFC 9110, section 5.1).
class Headers {
 public:
  struct Field {
    std::string name, value;
  };
  Headers() = default;
  Headers(std::initializer_list<Field> fields) : fields_(fields) {}
  void add(std::string name, std::string value) { fields_.push_back({std::move(name), std::move(value)}); }
  void set(std::string name, std::string value);         ///< replaces all of that name
  void wipe(std::string_view name);                      ///< overwrites the values of that name, and removes them
  const std::string* find(std::string_view name) const;  ///< the first, nullptr when absent
  std::string get(std::string_view name) const;          ///< the first, empty when absent
  const std::vector<Field>& all() const { return fields_; }

 private:
  std::vector<Field> fields_;
};

/// Who waits for the answer. Replies go ahead of bulk fetching at the gate (architecture, section 2.4).
enum class Urgency { send, fetch };

struct Request {
  std::string method = "GET";
  std::string url;   ///< absolute, "https://host[:port]/path?query"; path and query go to the wire unchanged
  Headers headers;   ///< without Host, Content-Length, Authorization: the pipeline sets those
  std::string body;  ///< sent with Content-Length whenever the method is not GET or DELETE, also when empty
  // Not on the wire:
  std::string operation;  ///< how the log names it ("delta", "createUploadSession"); never a URL
  std::vector<std::string>
      mailboxes;  ///< gate keys, one for each request inside (a batch has up to 20); empty: no gate
  Urgency urgency = Urgency::fetch;
  bool authorize = true;          ///< a bearer token is added; only for the Graph root's origin
  bool confidential = false;      ///< the bodies of question and answer hold secrets: the question's is wiped when sent
  bool repeatable = true;         ///< may be repeated after an unclear outcome without doing harm
  bool fresh_connection = false;  ///< not over a kept one; the pipeline's repeats after 503 or a lost connection set it
};

struct Response {
  int status = 0;
  Headers headers;
  std::string body;
  std::string request_id() const;  ///< "request-id" header, else empty
  /// Retry-After as integer or decimal seconds, or as an HTTP date against `Date` of the answer (else `now`); nullopt
  /// when absent or unreadable; never negative, at most an hour.
  std::optional<std::chrono::milliseconds> retry_after(std::chrono::system_clock::time_point now) const;
};

/// Response::retry_after() for an answer whose body is still to be read.
std::optional<std::chrono::milliseconds> retry_after(const Headers& headers, std::chrono::system_clock::time_point now);

/// scheme://host:port of a URL, lower case, port always written; empty when it is not an absolute http(s) URL,
/// or has a user in it.
std::string origin_of(std::string_view url);
/// Percent-encodes everything but RFC 3986 unreserved characters.
std::string percent_encode(std::string_view text);
void percent_encode(std::string_view text, std::string& to);  ///< appends, at most three bytes a byte

}  // namespace http
