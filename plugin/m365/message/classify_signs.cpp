#include "m365/message/classify_signs.h"

#include <algorithm>
#include <array>

#include "m365/message/classify.h"
#include "m365/message/classify_text.h"
#include "mime/header.h"

namespace m365 {
namespace {

// The first word of a header value in lower case: "auto-replied (vacation)" -> "auto-replied".
std::string keyword(std::string_view value) {
  value = mime::trim(value);
  return mime::lower(value.substr(0, value.find_first_of(" \t;(")));
}

template <typename Test>
bool any_header(const HeaderList& headers, std::string_view name, Test test) {
  return std::any_of(headers.begin(), headers.end(), [&](const auto& field) {
    return mime::same_name(field.first, name) && test(std::string_view(field.second));
  });
}

bool present(const HeaderList& headers, std::string_view name) {
  return find_header(headers, name) != nullptr;
}

// Forwarding rules set the loop header as well, and X-Auto-Response-Suppress stands on many ordinary mails; with a null
// return path they are Exchange's out of office, which carries no Auto-Submitted (what-users-ask.md, section 3).
bool exchange_out_of_office(const HeaderList& headers) {
  const bool suppresses_all =
      any_header(headers, "X-Auto-Response-Suppress", [](std::string_view value) { return keyword(value) == "all"; });
  return suppresses_all && present(headers, "X-MS-Exchange-Inbox-Rules-Loop") && has_null_return_path(headers);
}

std::string local_part(const std::optional<mail::Address>& address) {
  return address ? mime::lower(address->address.substr(0, address->address.find('@'))) : std::string();
}

// Subjects of bounces in the languages of Exchange, and of the common transports. Never evidence by themselves.
bool subject_tells_failure(std::string_view subject) {
  static constexpr std::array<std::string_view, 46> words{"undeliverable",
                                                          "undelivered",
                                                          "delivery status notification",
                                                          "delivery has failed",
                                                          "delivery failure",
                                                          "delivery failed",
                                                          "mail delivery",
                                                          "mail failure",
                                                          "returned mail",
                                                          "failure notice",
                                                          "non-delivery",
                                                          "could not be delivered",
                                                          "delayed mail",
                                                          "delivery delayed",
                                                          "message delayed",
                                                          "mail system error",
                                                          "Non remis",
                                                          "Non recapitabile",
                                                          "Unzustellbar",
                                                          "Onbestelbaar",
                                                          "Kan niet worden bezorgd",
                                                          "No entregado",
                                                          "No se puede entregar",
                                                          "No se pudo entregar",
                                                          "Não é possível entregar",
                                                          "Não entregue",
                                                          "Olevererbart",
                                                          "Kan ikke leveres",
                                                          "Kan inte levereras",
                                                          "Olevererad",
                                                          "Ei toimitettavissa",
                                                          "Ei voi toimittaa",
                                                          "Toimittaminen epäonnistui",
                                                          "Niedostarczalne",
                                                          "Nie można dostarczyć",
                                                          "Nedoručitelné",
                                                          "Kézbesíthetetlen",
                                                          "Teslim edilemedi",
                                                          "Teslim Edilemeyen",
                                                          "Не удается доставить",
                                                          "Недоставлен",
                                                          "配信不能",
                                                          "配信できません",
                                                          "无法送达",
                                                          "無法傳遞",
                                                          "배달되지 않음"};
  return std::any_of(words.begin(), words.end(),
                     [subject](std::string_view word) { return contains_text(subject, word); });
}

}  // namespace

bool has_null_return_path(const HeaderList& headers) {
  return any_header(headers, "Return-Path", [](std::string_view value) {
    value = mime::trim(value);
    return value.empty() || value == "<>";
  });
}

bool says_automatic(const HeaderList& headers) {
  const auto not_no = [](std::string_view value) {
    const std::string word = keyword(value);
    return !word.empty() && word != "no";
  };
  if (any_header(headers, "Auto-Submitted", not_no) || any_header(headers, "X-Autoreply", not_no) ||
      any_header(headers, "X-Autorespond", not_no)) {
    return true;
  }
  if (any_header(headers, "X-MS-Exchange-Generated-Message-Source",
                 [](std::string_view value) { return contains_text(value, "Mailbox Rules Agent"); })) {
    return true;
  }
  if (any_header(headers, "Precedence", [](std::string_view value) {
        const std::string word = keyword(value);
        return word == "auto_reply" || word == "auto-reply";
      })) {
    return true;
  }
  return exchange_out_of_office(headers);
}

bool says_mass_mail(const HeaderList& headers) {
  return present(headers, "List-Id") || present(headers, "List-Unsubscribe");
}

bool says_precedence(const HeaderList& headers) {
  return any_header(headers, "Precedence", [](std::string_view value) {
    const std::string word = keyword(value);
    return word == "bulk" || word == "list" || word == "junk";
  });
}

bool looks_like_bounce(const MessageRow& row) {
  // The first one is empty on real NDRs: being there is the sign.
  if (present(row.headers, "X-MS-Exchange-Message-Is-Ndr") || present(row.headers, "X-Failed-Recipients")) return true;
  const std::string from = local_part(row.from), sender = local_part(row.sender);
  const auto either = [&](std::string_view name) { return from == name || sender == name; };
  if (either("mailer-daemon") || either("microsoftexchange329e71ec88ae4615bbc36ab6ce41109e")) return true;
  const std::string_view subject = row.subject ? std::string_view(*row.subject) : std::string_view();
  if (either("postmaster")) {
    // NDRs flattened to text: a person at postmaster@ seldom writes status codes.
    return subject_tells_failure(subject) || (row.body && !find_status_code(*row.body).empty());
  }
  return has_null_return_path(row.headers) && subject_tells_failure(subject);
}

std::string find_status_code(std::string_view text) {
  const auto digit = [&](std::size_t at) { return at < text.size() && text[at] >= '0' && text[at] <= '9'; };
  for (std::size_t dot = text.find('.'); dot != std::string_view::npos; dot = text.find('.', dot + 1)) {
    if (dot == 0 || (text[dot - 1] != '4' && text[dot - 1] != '5')) continue;
    if (dot >= 2 && (digit(dot - 2) || text[dot - 2] == '.' || text[dot - 2] == '-')) continue;
    std::size_t at = dot + 1;
    const std::size_t subject_at = at;
    while (digit(at)) ++at;
    if (at == subject_at || at - subject_at > 3 || at >= text.size() || text[at] != '.') continue;
    const std::size_t detail_at = ++at;
    while (digit(at)) ++at;
    if (at == detail_at || at - detail_at > 3) continue;
    if (at < text.size() && text[at] == '.' && digit(at + 1)) continue;  // an IP address or a version
    return std::string(text.substr(dot - 1, at - dot + 1));
  }
  return {};
}

}  // namespace m365
