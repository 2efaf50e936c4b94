#include "m365/message/safe_links.h"

#include <algorithm>
#include <array>
#include <set>

#include "m365/message/classify_text.h"
#include "mime/charset.h"
#include "mime/header.h"
#include "mime/transfer.h"

namespace m365 {
namespace {

constexpr std::size_t most_links = 1'000;
constexpr int most_nested = 5;
// The second one is the US government's.
constexpr std::array<std::string_view, 2> hosts{"safelinks.protection.outlook.com",
                                                "safelinks.protection.office365.us"};
constexpr std::string_view marker = "safelinks.protection.";

// "https://host[:port]/...": the host in lower case; empty for everything else, also with a user name in it.
std::string host_of(std::string_view url) {
  const std::size_t scheme_end = url.find("://");
  if (scheme_end == std::string_view::npos) return {};
  const std::string scheme = mime::lower(url.substr(0, scheme_end));
  if (scheme != "http" && scheme != "https") return {};
  const std::string_view rest = url.substr(scheme_end + 3);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  if (authority.find('@') != std::string_view::npos) return {};
  return mime::lower(authority.substr(0, authority.find(':')));
}

bool is_safe_link(std::string_view url) {
  const std::string host = host_of(url);
  return std::any_of(hosts.begin(), hosts.end(), [&host](std::string_view known) {
    return host == known ||
           (host.size() > known.size() && host.ends_with(known) && host[host.size() - known.size() - 1] == '.');
  });
}

std::string url_parameter(std::string_view url) {
  const std::size_t query_at = url.find('?');
  if (query_at == std::string_view::npos) return {};
  std::string_view query = url.substr(query_at + 1);
  query = query.substr(0, query.find('#'));
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    if (pair.size() > 4 && mime::same_name(pair.substr(0, 4), "url=")) return mime::decode_percent(pair.substr(4));
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return {};
}

bool acceptable(std::string_view url) {
  const std::string start = mime::lower(url.substr(0, 8));
  if (!start.starts_with("http://") && start != "https://" && !start.starts_with("mailto:")) return false;
  // A line break in a URL serves an attack, not a reader.
  return mime::is_utf8(url) &&
         std::none_of(url.begin(), url.end(), [](char c) { return static_cast<unsigned char>(c) < 32 || c == 127; });
}

// "&amp;" is what a writer of html makes of "&"; its numeric forms are seen too.
std::string decode_references(std::string_view text) {
  static constexpr std::array<std::string_view, 4> forms{"&amp;", "&#38;", "&#x26;", "&#X26;"};
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto form =
        std::find_if(forms.begin(), forms.end(), [&](std::string_view f) { return text.substr(i).starts_with(f); });
    out += text[i];
    i += form == forms.end() ? 1 : form->size();
  }
  return out;
}

// Where the URL begins whose host has the marker at `at`: host names are short, so not far before it.
std::size_t start_of_url(std::string_view body, std::size_t at, std::size_t not_before) {
  const std::size_t from = std::max(not_before, at > 80 ? at - 80 : 0);
  const std::size_t slashes = body.substr(from, at - from).rfind("://");
  if (slashes == std::string_view::npos) return std::string_view::npos;
  for (const std::size_t length : {std::size_t{5}, std::size_t{4}}) {  // https, http
    const std::size_t scheme_at = from + slashes;
    if (scheme_at < from + length) continue;
    const std::string_view scheme = body.substr(scheme_at - length, length);
    if (mime::same_name(scheme, length == 5 ? "https" : "http")) return scheme_at - length;
  }
  return std::string_view::npos;
}

}  // namespace

std::string safe_link_original(std::string_view url) {
  if (!is_safe_link(url)) return {};
  std::string original(url);
  for (int nested = 0; nested < most_nested && is_safe_link(original); ++nested) original = url_parameter(original);
  return acceptable(original) && !is_safe_link(original) ? original : std::string();
}

SafeLinks find_safe_links(std::string_view body, bool html) {
  SafeLinks found;
  std::set<std::string> seen;
  std::size_t done = 0;
  for (std::size_t at = find_fast(body, marker); at != std::string_view::npos;
       at = find_fast(body, marker, std::max(done, at + 1))) {
    const std::size_t begin = start_of_url(body, at, done);
    if (begin == std::string_view::npos) continue;
    const std::size_t end = std::min(body.find_first_of("\"'<> \t\r\n", at), body.size());
    std::string_view raw = body.substr(begin, end - begin);
    if (!html) {  // the end of a sentence or a bracket around it
      while (!raw.empty() && std::string_view(".,;:!?)]}").find(raw.back()) != std::string_view::npos)
        raw.remove_suffix(1);
    }
    done = end;
    std::string shown = html ? decode_references(raw) : std::string(raw);
    if (!is_safe_link(shown)) continue;
    found.rewritten = true;
    std::string original = safe_link_original(shown);
    if (original.empty() || found.links.size() == most_links || !seen.insert(shown).second) continue;
    found.links.emplace_back(std::move(shown), std::move(original));
  }
  return found;
}

}  // namespace m365
