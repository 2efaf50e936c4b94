#include "service/mail_text.h"

#include <algorithm>
#include <array>
#include <utility>

#include "service/ids.h"

namespace bench {
namespace {

std::string json_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

// What customers write, as Outlook writes it.
std::string html_of(std::size_t size) {
  constexpr std::string_view start =
      "<html><head>\r\n<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\"></head><body "
      "lang=\"EN-GB\">\r\n<p class=\"MsoNormal\">Mail {number}</p>\r\n";
  constexpr std::string_view end = "</body></html>\r\n";
  constexpr std::array<std::string_view, 4> paragraphs{
      "<p class=\"MsoNormal\" style=\"margin:0cm; font-size:11pt\">The order has not arrived yet; where is "
      "it?</p>\r\n",
      "<p class=\"MsoNormal\"><span lang=\"FI\">Tilaus ei ole saapunut, vaikka lähetitte sen jo viime "
      "viikolla.</span></p>\r\n",
      "<div style=\"border:none; border-top:solid #E1E1E1 1.0pt\"><b>From:</b> <a "
      "href=\"mailto:support@bench.example\">support</a><br>\r\n</div>\r\n",
      "<p>Could you look &amp; tell me &quot;when&quot; it comes? See <a "
      "href=\"https://www.fabrikam.example/orders?id=4711&amp;lang=en\">the order</a>.&nbsp;</p>\r\n"};
  std::string out(start);
  for (std::size_t i = 0; out.size() + end.size() + paragraphs[i % 4].size() <= size; ++i) out += paragraphs[i % 4];
  while (out.size() + end.size() < size) out += '.';
  return out.append(end);
}

using Headers = std::vector<std::pair<std::string, std::string>>;

Headers headers_of(std::size_t size) {
  Headers headers{
      {"Received",
       "from mx1.fabrikam.example (203.0.113.7) by AM0PR08MB0001.eurprd08.prod.outlook.com (2603:10a6:20b::2) with "
       "Microsoft SMTP Server (version=TLS1_2) id 15.20.8000.1; {received}"},
      {"From", "\"Customer {number}\" <customer{number}@fabrikam.example>"},
      {"To", "<m{box}@bench.example>"},
      {"Subject", "Order {number} arrived {stamp}"},
      {"Date", "{received}"},
      {"Message-ID", "<bench.{box}.{number}@fabrikam.example>"},
      {"MIME-Version", "1.0"},
      {"Content-Type", "text/html; charset=utf-8"},
      {"Return-Path", "customer{number}@fabrikam.example"},
      {"X-MS-Exchange-Organization-SCL", "1"},
      {"X-MS-Exchange-Organization-AuthSource", "AM0PR08MB0001.eurprd08.prod.outlook.com"},
      {"X-MS-Exchange-Organization-AuthAs", "Anonymous"}};
  std::size_t sum = 0;
  for (const auto& [name, value] : headers) sum += name.size() + value.size();
  constexpr std::string_view blob =
      "kQm3v1Tn0b9yq7cWc2Ue8JpTzfQABQ0PdKwAAAHYAAADyZVoHehRAS719R7wmlPN9AAIBH6kAq3oUQEufUe8JpTzfQABEPM0kAA";
  const Headers more{
      {"Received",
       "from AM7EUR03FT042.eop-EUR03.prod.protection.outlook.com (2603:10a6:20b:2be::11) by "
       "AS9PR06CA0013.outlook.office365.com (2603:10a6:20b:462::14) with Microsoft SMTP Server (version=TLS1_2, "
       "cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id 15.20.8000.21 via Frontend Transport; {received}"},
      {"DKIM-Signature",
       "v=1; a=rsa-sha256; c=relaxed/relaxed; d=fabrikam.example; s=selector1; "
       "h=From:Date:Subject:Message-ID:Content-Type:MIME-Version; bh=" +
           std::string(blob.substr(0, 44)) + "; b=" + std::string(blob) + std::string(blob)},
      {"ARC-Message-Signature",
       "i=1; a=rsa-sha256; c=relaxed/relaxed; d=microsoft.com; s=arcselector10001; "
       "h=From:Date:Subject:Message-ID:Content-Type:MIME-Version; bh=" +
           std::string(blob.substr(0, 44)) + "; b=" + std::string(blob) + std::string(blob)},
      {"Authentication-Results",
       "spf=pass (sender IP is 203.0.113.7) smtp.mailfrom=fabrikam.example; dkim=pass (signature was verified) "
       "header.d=fabrikam.example;dmarc=pass action=none header.from=fabrikam.example;compauth=pass reason=100"},
      {"X-Microsoft-Antispam-Message-Info", std::string(blob) + "\\" + std::string(blob) + std::string(blob)}};
  for (std::size_t i = 0; sum < size; ++i) {
    headers.push_back(more[i % more.size()]);
    sum += headers.back().first.size() + headers.back().second.size();
  }
  return headers;
}

std::string row_of(const MailShape& shape) {
  std::string row =
      R"({"@odata.type":"#microsoft.graph.message","@odata.etag":"W/\"CQAAABYAAAC4ofQHEIqCSbQPot83AFcb{number}\"",)"
      R"("id":"{id}","isRead":{is_read},"isDraft":false,"hasAttachments":)";
  row += shape.attachment > 0 ? "true" : "false";
  row += R"(,"isReadReceiptRequested":false,"subject":"Order {number} arrived {stamp}",)"
         R"("internetMessageId":"<bench.{box}.{number}@fabrikam.example>",)"
         R"("conversationId":"AAQkALgAAAAAAHYQDEapmEc2byACqAC-EWg0AEACq3oUQEu9fUe8JpTz{number}=",)"
         R"("parentFolderId":"{folder}","importance":"normal","receivedDateTime":"{received}",)"
         R"("sentDateTime":"{received}","bodyPreview":"Mail {number}",)"
         R"("from":{"emailAddress":{"name":"Customer {number}","address":"customer{number}@fabrikam.example"}},)"
         R"("sender":{"emailAddress":{"name":"Customer {number}","address":"customer{number}@fabrikam.example"}},)"
         R"("toRecipients":[{"emailAddress":{"name":"Support","address":"m{box}@bench.example"}}],"ccRecipients":[],)"
         R"("bccRecipients":[],"replyTo":[],"internetMessageHeaders":[)";
  bool first = true;
  for (const auto& [name, value] : headers_of(shape.headers)) {
    row += first ? R"({"name":")" : R"(,{"name":")";
    row += json_escaped(name) + R"(","value":")" + json_escaped(value) + "\"}";
    first = false;
  }
  return row + R"(],"body":{"contentType":"html","content":")" + json_escaped(html_of(shape.html)) + R"("}})";
}

constexpr std::string_view thin_row =
    R"({"@odata.etag":"W/\"CQAAABYAAAC4ofQHEIqCSbQPot83AFcb{number}\"","id":"{id}","isRead":{is_read},)"
    R"("isDraft":false,"receivedDateTime":"{received}",)"
    R"("internetMessageId":"<bench.{box}.{number}@fabrikam.example>","parentFolderId":"{folder}",)"
    R"("from":{"emailAddress":{"name":"Customer {number}","address":"customer{number}@fabrikam.example"}}})";

constexpr std::string_view change_row =
    R"({"@odata.type":"#microsoft.graph.message","@odata.etag":"W/\"CQAAABYAAAC4ofQHEIqCSbQPot83AFcd{number}\"",)"
    R"("id":"{id}","isRead":{is_read},"parentFolderId":"{folder}"})";

}  // namespace

void append_time(std::string& out, WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
  append_decimal(out, static_cast<std::uint64_t>(static_cast<int>(date.year())), 4);
  out += '-';
  append_decimal(out, static_cast<unsigned>(date.month()), 2);
  out += '-';
  append_decimal(out, static_cast<unsigned>(date.day()), 2);
  out += 'T';
  append_decimal(out, static_cast<std::uint64_t>(clock.hours().count()), 2);
  out += ':';
  append_decimal(out, static_cast<std::uint64_t>(clock.minutes().count()), 2);
  out += ':';
  append_decimal(out, static_cast<std::uint64_t>(clock.seconds().count()), 2);
  out += 'Z';
}

bool parse_time(std::string_view text, WallTime& time) {
  if (text.size() < 19 || text[4] != '-' || text[10] != 'T') return false;
  const auto number = [&](std::size_t at, std::size_t size) {
    return static_cast<int>(first_number(text.substr(at, size)).value_or(0));
  };
  const std::chrono::year_month_day date{std::chrono::year(number(0, 4)),
                                         std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                         std::chrono::day(static_cast<unsigned>(number(8, 2)))};
  time = std::chrono::sys_days(date) + std::chrono::hours(number(11, 2)) + std::chrono::minutes(number(14, 2)) +
         std::chrono::seconds(number(17, 2));
  return date.ok();
}

WallTime wall_now() {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

MailText::MailText(const MailShape& shape)
    : whole_(prepare(row_of(shape))), thin_(prepare(thin_row)), change_(prepare(change_row)) {}

MailText::Text MailText::prepare(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, Slot>, 7> slots{{{"{id}", Slot::id},
                                                                    {"{folder}", Slot::folder},
                                                                    {"{number}", Slot::number},
                                                                    {"{box}", Slot::box},
                                                                    {"{received}", Slot::received},
                                                                    {"{stamp}", Slot::stamp},
                                                                    {"{is_read}", Slot::is_read}}};
  Text pieces(1);
  while (!text.empty()) {
    for (const auto& [name, slot] : slots) {
      if (!text.starts_with(name)) continue;
      pieces.back().slot = slot;
      pieces.emplace_back();
      text.remove_prefix(name.size());
      break;
    }
    if (text.empty()) break;
    const bool slot_next =
        std::any_of(slots.begin(), slots.end(), [&](const auto& s) { return text.starts_with(s.first); });
    if (slot_next) continue;
    pieces.back().text += text.front();
    text.remove_prefix(1);
  }
  return pieces;
}

void MailText::append(std::string& out, const Text& text, const MailFacts& facts) {
  for (const Piece& piece : text) {
    out += piece.text;
    switch (piece.slot) {
      case Slot::none:
        break;
      case Slot::id:
        append_id(out, {Id::Kind::mail, facts.mailbox, facts.number});
        break;
      case Slot::folder:
        append_id(out, {Id::Kind::folder, facts.mailbox, 0});
        break;
      case Slot::number:
        append_decimal(out, facts.number, 8);
        break;
      case Slot::box:
        append_decimal(out, facts.mailbox, 5);
        break;
      case Slot::received:
        append_time(out, facts.received);
        break;
      case Slot::stamp:
        append_decimal(out, static_cast<std::uint64_t>(facts.received.time_since_epoch().count()), 17);
        break;
      case Slot::is_read:
        out += facts.is_read ? "true" : "false";
        break;
    }
  }
}

void MailText::append_whole(std::string& out, const MailFacts& facts) const {
  append(out, whole_, facts);
}
void MailText::append_thin(std::string& out, const MailFacts& facts) const {
  append(out, thin_, facts);
}
void MailText::append_change(std::string& out, const MailFacts& facts) const {
  append(out, change_, facts);
}

}  // namespace bench
