#include "m365/message/message_row_json.h"

#include <charconv>
#include <cmath>
#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace m365::json {
namespace {

// A parser keeps room for the largest document it has seen (up to 8 times its size, feasibility.md 1.1): after a huge
// one it is given back. One for each worker would be as large as the largest answer that the worker ever saw; but few
// read at the same time, and the last one that was given back is taken first.
class KeptParsers {
 public:
  std::unique_ptr<od::parser> take() {
    {
      const std::lock_guard lock(mutex_);
      if (!free_.empty()) {
        std::unique_ptr<od::parser> parser = std::move(free_.back());
        free_.pop_back();
        return parser;
      }
    }
    return std::make_unique<od::parser>();
  }

  void give_back(std::unique_ptr<od::parser> parser, std::size_t document) {
    constexpr std::size_t huge = 8u << 20, most = 2;
    if (document > huge) return;
    const std::lock_guard lock(mutex_);
    if (free_.size() < most) free_.push_back(std::move(parser));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<od::parser>> free_;  // guarded by mutex_
};

KeptParsers kept_parsers;

[[noreturn]] void throw_unreadable(simdjson::error_code error, mail::Remedy remedy) {
  mail::Fault fault;
  fault.cause = mail::Cause::service_fault;
  fault.remedy = remedy;
  fault.text =
      std::string("Microsoft Graph's answer cannot be read as JSON (") + simdjson::error_message(error) +
      "). It is asked for again by itself; if this lasts, look for a proxy or a filter that changes answers on "
      "their way.";
  throw mail::FaultError(std::move(fault));
}

void append_utf8(std::string& out, std::uint32_t code) {
  const auto put = [&out](std::uint32_t byte) { out += static_cast<char>(static_cast<unsigned char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | (code >> 6));
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | (code >> 12));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | (code >> 18));
    put(0x80 | ((code >> 12) & 0x3F));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

std::optional<std::uint32_t> hex4(std::string_view text, std::size_t at) {
  std::uint32_t code = 0;
  if (at + 4 > text.size()) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data() + at, text.data() + at + 4, code, 16);
  if (error != std::errc() || end != text.data() + at + 4) return std::nullopt;
  return code;
}

// A JSON string token with its quotes, read with U+FFFD for what is not allowed there (lone surrogates, mostly: mails
// cut in the middle of an emoji). The slow way, for the field that simdjson refused.
std::string unescape_leniently(std::string_view token) {
  std::string out;
  out.reserve(token.size());
  for (std::size_t i = 1; i < token.size() && token[i] != '"'; ++i) {
    if (token[i] != '\\' || i + 1 >= token.size()) {
      out += token[i];
      continue;
    }
    const char escape = token[++i];
    switch (escape) {
      case 'b':
        out += '\b';
        break;
      case 'f':
        out += '\f';
        break;
      case 'n':
        out += '\n';
        break;
      case 'r':
        out += '\r';
        break;
      case 't':
        out += '\t';
        break;
      case 'u': {
        const auto high = hex4(token, i + 1);
        if (!high) {
          append_utf8(out, 0xFFFD);
          break;
        }
        i += 4;
        if (*high < 0xD800 || *high > 0xDFFF) {
          append_utf8(out, *high);
          break;
        }
        const bool pair = *high < 0xDC00 && token.substr(i + 1, 2) == "\\u";
        const auto low = pair ? hex4(token, i + 3) : std::nullopt;
        if (low && *low >= 0xDC00 && *low <= 0xDFFF) {
          append_utf8(out, 0x10000 + ((*high - 0xD800) << 10) + (*low - 0xDC00));
          i += 6;
        } else {
          append_utf8(out, 0xFFFD);
        }
        break;
      }
      default:
        out += escape;
        break;  // \" \\ \/, and what is no escape at all
    }
  }
  return out;
}

od::json_type type_of(od::value value) {
  od::json_type type;
  if (const auto error = value.type().get(type)) throw simdjson::simdjson_error(error);
  return type;
}

}  // namespace

void read_document(std::string_view text, mail::Remedy remedy, const std::function<void(od::document&)>& read) {
  std::string copy;
  copy.reserve(text.size() + simdjson::SIMDJSON_PADDING);
  copy = text;
  read_document_in(copy, remedy, read);
}

void read_document_in(std::string& text, mail::Remedy remedy, const std::function<void(od::document&)>& read) {
  std::unique_ptr<od::parser> parser = kept_parsers.take();
  text.reserve(text.size() + simdjson::SIMDJSON_PADDING);
  try {
    od::document document;
    const auto error = parser->iterate(text).get(document);
    if (error) throw simdjson::simdjson_error(error);
    read(document);
  } catch (const simdjson::simdjson_error& error) {
    kept_parsers.give_back(std::move(parser), text.size());
    throw_unreadable(error.error(), remedy);
  }
  kept_parsers.give_back(std::move(parser), text.size());
}

bool is_null(od::value value) {
  bool null = false;
  return type_of(value) == od::json_type::null && value.is_null().get(null) == simdjson::SUCCESS && null;
}

Found read_text(od::value value, std::string& out) {
  const od::json_type type = type_of(value);
  if (type != od::json_type::string) return is_null(value) ? Found::absent : Found::wrong;
  const std::string_view token = value.raw_json_token();
  std::string_view text;
  const auto error = value.get_string().get(text);
  if (error == simdjson::SUCCESS) {
    out.assign(text);
    return Found::good;
  }
  if (error != simdjson::STRING_ERROR) throw simdjson::simdjson_error(error);
  out = unescape_leniently(token);
  return Found::repaired;
}

Found read_text(od::value value, std::optional<std::string>& out) {
  std::string text;
  const Found found = read_text(value, text);
  if (found == Found::good || found == Found::repaired) {
    out = std::move(text);
  } else {
    out.reset();
  }
  return found;
}

Found read_flag(od::value value, std::optional<bool>& out) {
  out.reset();
  switch (type_of(value)) {
    case od::json_type::boolean: {
      bool flag = false;
      if (value.get_bool().get(flag)) return Found::wrong;
      out = flag;
      return Found::good;
    }
    case od::json_type::string: {  // seen in delta (graph-mail.md, section 3)
      std::string text;
      read_text(value, text);
      if (text == "true" || text == "True") out = true;
      if (text == "false" || text == "False") out = false;
      return out ? Found::good : Found::wrong;
    }
    default:
      return is_null(value) ? Found::absent : Found::wrong;
  }
}

Found read_integer(od::value value, std::int64_t& out) {
  switch (type_of(value)) {
    case od::json_type::number: {
      std::int64_t number = 0;
      if (value.get_int64().get(number) == simdjson::SUCCESS) {
        out = number;
        return Found::good;
      }
      double real = 0;
      if (value.get_double().get(real) || !std::isfinite(real) || std::fabs(real) > 9e15) return Found::wrong;
      out = static_cast<std::int64_t>(real);
      return Found::good;
    }
    case od::json_type::string: {  // recorded answers have sizes as strings (what-users-ask.md, section 2)
      std::string text;
      read_text(value, text);
      std::int64_t number = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (error != std::errc() || end != text.data() + text.size() || text.empty()) return Found::wrong;
      out = number;
      return Found::good;
    }
    default:
      return is_null(value) ? Found::absent : Found::wrong;
  }
}

}  // namespace m365::json
