#include "m365/sign_in/token_answer.h"

#include <openssl/evp.h>
#include <simdjson.h>

#include <algorithm>

#include "m365/settings/server_settings_values.h"

namespace m365 {
namespace {

namespace dom = simdjson::dom;
using std::chrono::seconds;

// Entra always says how long; these are for an endpoint that does not, or that speaks nonsense.
constexpr seconds assumed_life{600}, least_life{1}, longest_life{7 * 86'400};

std::string_view view_of(const dom::object& object, std::string_view key) {
  std::string_view text;
  return object[key].get(text) == simdjson::SUCCESS ? text : std::string_view();
}

std::string text_of(const dom::object& object, std::string_view key) {
  return std::string(view_of(object, key));
}

// A document whose texts do not outlive it.
struct WipedDocument {
  WipedDocument() = default;
  WipedDocument(const WipedDocument&) = delete;
  WipedDocument& operator=(const WipedDocument&) = delete;
  // For so many bytes of JSON the buffer has room for 5/3 as many: each text gets 5 bytes in place of the 3 around it.
  ~WipedDocument() {
    if (value.string_buf) mail::wipe(value.string_buf.get(), value.capacity() / 3 * 5);
  }
  dom::document value;
};

seconds life_of(const dom::object& object) {
  std::optional<std::uint64_t> value;
  dom::element element;
  if (object["expires_in"].get(element) == simdjson::SUCCESS) {
    std::uint64_t number = 0;
    double fraction = 0;
    std::string_view text;
    if (element.get(number) == simdjson::SUCCESS) {
      value = number;
    } else if (element.get(text) == simdjson::SUCCESS) {
      value = parse_number(trimmed(text));
    } else if (element.get(fraction) == simdjson::SUCCESS && fraction >= 0 && fraction < 1e9) {
      value = static_cast<std::uint64_t>(fraction);
    }
  }
  if (!value || *value == 0) return assumed_life;
  const std::uint64_t bounded = std::min(*value, static_cast<std::uint64_t>(longest_life.count()));
  return std::max(seconds(bounded), least_life);
}

// "AADSTS7000215: ..." Older and foreign answers lack error_codes.
void read_codes_from(std::string_view description, std::vector<int>& codes) {
  constexpr std::string_view mark = "AADSTS";
  for (std::size_t at = description.find(mark); at != description.npos; at = description.find(mark, at + 1)) {
    const std::string_view rest = description.substr(at + mark.size());
    const std::size_t end = std::min(rest.find_first_not_of("0123456789"), rest.size());
    if (end > 9) continue;  // no code of Entra's
    const auto number = parse_number(rest.substr(0, end));
    if (number && *number > 0) codes.push_back(static_cast<int>(*number));
  }
}

// base64url without padding (RFC 4648, section 5), as JSON Web Tokens have it.
std::optional<std::string> decode_base64url(std::string_view text) {
  std::string padded;
  const mail::WipedAtEnd end(padded);  // a piece of a token
  padded.reserve(text.size() + 4);
  padded = text;
  for (char& c : padded) {
    if (c == '-') c = '+';
    if (c == '_') c = '/';
  }
  const std::size_t padding = (4 - padded.size() % 4) % 4;
  padded.append(padding, '=');
  std::string result(padded.size() / 4 * 3, '\0');
  const int size =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(result.data()),
                      reinterpret_cast<const unsigned char*>(padded.data()), static_cast<int>(padded.size()));
  if (size < 0 || static_cast<std::size_t>(size) < padding) return std::nullopt;
  result.resize(static_cast<std::size_t>(size) - padding);
  return result;
}

}  // namespace

std::optional<GrantedToken> read_granted_token(std::string_view json) {
  // simdjson reads beyond the end and, asked for no copy, leaves one of each text in the document only.
  std::string padded;
  const mail::WipedAtEnd end(padded);
  padded.reserve(json.size() + simdjson::SIMDJSON_PADDING);
  padded.append(json);
  dom::parser parser;
  WipedDocument document;
  dom::object object;
  if (parser.parse_into_document(document.value, padded).get(object) != simdjson::SUCCESS) return std::nullopt;
  GrantedToken token;
  token.access_token = view_of(object, "access_token");
  token.refresh_token = view_of(object, "refresh_token");
  token.life = life_of(object);
  // It goes into a header: a line break in it would be somebody else's header.
  const auto odd = [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f; };
  const std::string_view access = token.access_token;
  if (access.empty() || std::any_of(access.begin(), access.end(), odd)) {
    return std::nullopt;
  }
  return token;
}

EntraRefusal read_refusal(std::string_view json) {
  EntraRefusal refusal;
  dom::parser parser;
  dom::object object;
  if (parser.parse(json).get(object) != simdjson::SUCCESS) {
    read_codes_from(json, refusal.codes);  // an HTML page names its number too
    return refusal;
  }
  refusal.error = text_of(object, "error");
  refusal.suberror = text_of(object, "suberror");
  refusal.description = text_of(object, "error_description");
  refusal.trace_id = text_of(object, "trace_id");
  refusal.correlation_id = text_of(object, "correlation_id");
  refusal.timestamp = text_of(object, "timestamp");
  dom::array codes;
  if (object["error_codes"].get(codes) == simdjson::SUCCESS) {
    for (const dom::element code : codes) {
      std::int64_t number = 0;
      if (code.get(number) == simdjson::SUCCESS && number > 0 && number < 1'000'000'000) {
        refusal.codes.push_back(static_cast<int>(number));
      }
    }
  }
  if (refusal.codes.empty()) read_codes_from(refusal.description, refusal.codes);
  return refusal;
}

std::string permissions_in(std::string_view access_token) {
  const std::size_t first = access_token.find('.');
  if (first == std::string_view::npos) return {};
  const std::size_t second = access_token.find('.', first + 1);
  if (second == std::string_view::npos) return {};
  const auto payload = decode_base64url(access_token.substr(first + 1, second - first - 1));
  dom::parser parser;
  dom::object claims;
  if (!payload || parser.parse(*payload).get(claims) != simdjson::SUCCESS) return {};
  std::string permissions = text_of(claims, "scp");
  dom::array roles;
  if (claims["roles"].get(roles) == simdjson::SUCCESS) {
    for (const dom::element role : roles) {
      std::string_view name;
      if (role.get(name) != simdjson::SUCCESS) continue;
      if (!permissions.empty()) permissions += ' ';
      permissions += name;
    }
  }
  return permissions.empty() ? "none" : permissions;
}

}  // namespace m365
