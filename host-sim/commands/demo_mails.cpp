#include "commands/demo_mails.h"

namespace commands {
namespace {

using base::Json;

// One red point as PNG, in base64.
constexpr const char* kPicture =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==\r\n";

std::string head(const std::string& from, const std::string& to, const std::string& subject, const std::string& id) {
  return "From: " + from + "\r\nTo: " + to + "\r\nSubject: " + subject + "\r\nMessage-ID: <" + id +
         "@fabrikam.example>\r\nDate: Mon, 02 Nov 2026 09:12:44 +0200\r\nMIME-Version: 1.0\r\n";
}

std::string text_mail(const std::string& header, const std::string& charset, const std::string& body) {
  return header + "Content-Type: text/plain; charset=" + charset + "\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
         base64(body, true);
}

std::string encoded_part(const std::string& headers, const std::string& content) {
  return "--edge\r\n" + headers + "\r\nContent-Transfer-Encoding: base64\r\n\r\n" + content;
}

std::string part(const std::string& headers, const std::string& content) {
  return encoded_part(headers, base64(content, true));
}

std::string with_attachments() {
  return head("Bob Baker <bob@fabrikam.example>", "Support <support@contoso.example>",
              "=?utf-8?Q?The_machine_leaks_=E2=80=93_pictures?=", "leak-1") +
         "Content-Type: multipart/related; boundary=\"edge\"\r\n\r\n" +
         part("Content-Type: text/html; charset=utf-8",
              "<html><body><p>Hello,</p><p>the machine of order <b>4711</b> leaks. See the picture:<br>"
              "<img src=\"cid:drip\" alt=\"drip\"></p><ul><li>bought in May</li><li>used twice</li></ul>"
              "<p>Our <a href=\"https://fabrikam.example/terms\">terms</a> apply.</p><p>Bob &amp; "
              "team</p></body></html>") +
         encoded_part(
             "Content-Type: image/png; name=\"drip.png\"\r\nContent-ID: <drip>\r\nContent-Disposition: inline; "
             "filename=\"drip.png\"",
             kPicture) +
         part(
             "Content-Type: application/pdf; name=\"invoice.pdf\"\r\nContent-Disposition: attachment; "
             "filename=\"invoice.pdf\"",
             "%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n") +
         part(
             "Content-Type: text/csv; name=\"readings.csv\"\r\nContent-Disposition: attachment; "
             "filename*=utf-8''Messwerte%20%C3%BC.csv",
             "day,litres\n1,0.2\n2,0.4\n") +
         "--edge--\r\n";
}

// "Would you please send an estimate?" in ISO-2022-JP, as Japanese programs still write it.
std::string japanese() {
  const std::string subject = "\x1b$B8+@Q$j$N$*4j$$\x1b(B";
  const std::string body = "\x1b$B$*@$OC$K$J$C$F$*$j$^$9!#\x1b(B\r\n\x1b$B8+@Q$j$r$*4j$$$7$^$9!#\x1b(B\r\nKenji\r\n";
  return text_mail(head("Kenji Sato <kenji@fabrikam.example>", "asiakaspalvelu@contoso.example",
                        "=?ISO-2022-JP?B?" + base64(subject, false) + "?=", "mitsumori-1"),
                   "ISO-2022-JP", body);
}

Json user(const std::string& upn, const std::string& name, bool shared) {
  Json json = Json::object({{"upn", upn}, {"name", name}});
  if (shared) {
    json.set("shared", true);
  } else {
    json.set("password", "demo-" + name);
  }
  return json;
}

}  // namespace

std::string base64(const std::string& bytes, bool lines) {
  constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  constexpr std::size_t kLine = 76;
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t left = bytes.size() - i;
    const auto byte = [&](std::size_t n) { return n < left ? static_cast<unsigned char>(bytes[i + n]) : 0u; };
    const unsigned group = byte(0) << 16 | byte(1) << 8 | byte(2);
    out.push_back(digits[group >> 18 & 63]);
    out.push_back(digits[group >> 12 & 63]);
    out.push_back(left > 1 ? digits[group >> 6 & 63] : '=');
    out.push_back(left > 2 ? digits[group & 63] : '=');
    if (lines && (i / 3 + 1) % (kLine / 4) == 0) out += "\r\n";
  }
  if (lines && !out.ends_with("\r\n")) out += "\r\n";
  return out;
}

DemoMail demo_question(const std::string& from, const std::string& to, const std::string& subject) {
  const std::string id = base64(subject + from, false).substr(0, 40);
  return {from, text_mail(head(from, to, subject, id), "utf-8", "Hello,\r\n\r\n" + subject + "\r\n")};
}

std::string demo_unwanted() {
  return text_mail(
      head(std::string("Your Prize <") + kDemoUnwanted + ">", "support@contoso.example", "You have won", "prize-1"),
      "us-ascii", "Answer today.\r\n");
}

std::string demo_automatic_reply() {
  return text_mail(head("Bob Baker <bob@fabrikam.example>", "Support <support@contoso.example>",
                        "Automatic reply: Your newsletter", "away-1") +
                       "Auto-Submitted: auto-replied\r\nX-Auto-Response-Suppress: All\r\nPrecedence: auto_reply\r\n",
                   "utf-8", "I am away until Friday.\r\n");
}

std::vector<DemoMail> demo_mails() {
  return {
      {"anna@fabrikam.example",
       text_mail(head("Anna Adler <anna@fabrikam.example>", "Support <support@contoso.example>",
                      "Where is my order 4711?", "order-4711"),
                 "utf-8",
                 "Hello,\r\n\r\nI ordered on Monday and heard nothing since. When will it come?\r\n\r\nAnna\r\n")},
      {"bob@fabrikam.example", with_attachments()},
      {"anna@fabrikam.example", text_mail(head("Anna Adler <anna@fabrikam.example>", "claims@contoso.example",
                                               "=?iso-8859-1?Q?Beschwerde_=FCber_Rechnung_12?=", "claim-12"),
                                          "iso-8859-1",
                                          "Guten Tag,\r\n\r\ndie Rechnung 12 kam doppelt. Bitte pr\xfc"
                                          "fen Sie das.\r\n")},
      {"mikko@fabrikam.example",
       text_mail(head("=?utf-8?B?" + base64("Mikko Mäkinen", false) + "?= <mikko@fabrikam.example>",
                      "asiakaspalvelu@contoso.example",
                      "=?utf-8?B?" + base64("Missä tilaukseni viipyy?", false) + "?=", "tilaus-1"),
                 "utf-8", "Hyvää päivää,\r\n\r\ntilasin viikko sitten. Missä pakettini on?\r\n\r\nMikko\r\n")},
      {"kenji@fabrikam.example", japanese()},
  };
}

Json demo_tenants() {
  const Json policy = Json::object(
      {{"right", "RestrictAccess"},
       {"mailboxes", Json::array({Json("support@contoso.example"), Json("asiakaspalvelu@contoso.example")})}});
  const auto roles = [] { return Json::array({Json("Mail.ReadWrite"), Json("Mail.Send")}); };
  const Json contoso = Json::object(
      {{"id", "8d8a8ab6-5d6f-4b61-8b8b-0f6b3c5d1f10"},
       {"name", "Contoso"},
       {"domains", Json::array({Json("contoso.example")})},
       {"apps", Json::array({Json::object({{"client_id", "e7e4dbfc-046f-4074-9b3b-2ae8f144f59b"},
                                           {"name", "Contact Center Mail"},
                                           {"roles", roles()},
                                           {"policies", Json::array({policy})}})})},
       {"users", Json::array({user("support@contoso.example", "Support", true)
                                  .set("addresses",
                                       Json::array({Json("support@contoso.example"), Json("claims@contoso.example")})),
                              user("asiakaspalvelu@contoso.example", "Asiakaspalvelu", true).set("language", "fi"),
                              user("ceo@contoso.example", "Chief Executive", false)})}});
  Json customers = Json::array();
  for (const auto& [address, name] :
       std::vector<std::pair<std::string, std::string>>{{"anna@fabrikam.example", "Anna Adler"},
                                                        {"bob@fabrikam.example", "Bob Baker"},
                                                        {"mikko@fabrikam.example", "Mikko Mäkinen"},
                                                        {"kenji@fabrikam.example", "Kenji Sato"}}) {
    customers.push(user(address, name, false));
  }
  const Json fabrikam = Json::object(
      {{"id", "b4d0c8f2-71a5-4d0e-8d1e-6a3c2f9e7b20"},
       {"name", "Fabrikam"},
       {"domains", Json::array({Json("fabrikam.example")})},
       {"apps",
        Json::array({Json::object(
            {{"client_id", "9d2c6b7e-3f41-4c0a-8a52-1e0f4b6d8c33"}, {"name", "Fabrikam Mail"}, {"roles", roles()}})})},
       {"users", customers}});
  return Json::object(
      {{"tenants", Json::array({contoso, fabrikam})},
       {"queues", Json::array({Json::object({{"name", "Support"}, {"address", "support@contoso.example"}})})}});
}

}  // namespace commands
