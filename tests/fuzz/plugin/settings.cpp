// What a System Configurator hands over: KEY=VALUE lines, read as each of the plugin's three forms.
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "m365/settings/forms.h"
#include "m365/settings/server_settings.h"
#include "require.h"

namespace {

// Fields whose value a sentence must not repeat.
constexpr std::string_view secrets[] = {"secret", "password", "email_password", "proxy"};

class Told final : public mail::Problems {
 public:
  void add(std::string_view, std::string_view sentence) override {
    require(!sentence.empty(), "a problem has words");
    sentences.emplace_back(sentence);
  }
  std::vector<std::string> sentences;
};

mail::Settings read(std::string_view text) {
  mail::Settings settings;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    const std::size_t equals = std::min(line.find('='), line.size());
    settings.emplace(line.substr(0, equals), line.substr(std::min(equals + 1, line.size())));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return settings;
}

void require_tenant(const m365::TenantSettings& tenant) {
  for (const std::string* origin : {&tenant.login_origin, &tenant.graph_origin}) {
    require(origin->starts_with("https://") && origin->back() != '/', "origins are https");
    require(std::all_of(origin->begin(), origin->end(), [](unsigned char c) { return c > ' ' && c < 0x7f; }),
            "an origin has no blanks");
  }
  require(tenant.workers >= 1 && tenant.workers <= 64, "workers are bounded");
  require(!tenant.client_id.empty() && !tenant.tenant.empty(), "who signs in where is known");
}

// Another secret of the same form.
std::string another(std::string secret) {
  for (char& c : secret) {
    if ((c >= 'a' && c < 'z') || (c >= 'A' && c < 'Z') || (c >= '0' && c < '9')) ++c;
  }
  return secret;
}

// What was said, warnings included.
template <typename Reader>
std::vector<std::string> said(const mail::Settings& settings, Reader reader) {
  Told told;
  const auto result = reader(settings, told);
  require(result.has_value() == told.sentences.empty(), "refused, and told why; or neither");
  if constexpr (requires { result->tenant.warnings; }) {
    if (result) return result->tenant.warnings;
  }
  return told.sentences;
}

// A sentence that holds a secret and stays as it is with another secret has its words from us or from another field.
template <typename Reader>
void require_silence(const mail::Settings& settings, Reader reader) {
  const std::vector<std::string> sentences = said(settings, reader);
  for (const std::string_view key : secrets) {
    const auto found = settings.find(key);
    if (found == settings.end() || found->second.size() < 12) continue;  // shorter ones stand in any sentence
    std::optional<std::vector<std::string>> with_another;
    for (const std::string& sentence : sentences) {
      if (sentence.find(found->second) == std::string::npos) continue;
      if (!with_another) {
        mail::Settings changed = settings;
        changed.insert_or_assign(found->first, another(found->second));
        with_another = said(changed, reader);
      }
      require(std::find(with_another->begin(), with_another->end(), sentence) != with_another->end(),
              "a secret is never repeated");
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const mail::Settings settings = read(as_text(data, size));
  const auto told_of = [&](auto reader) {
    require_silence(settings, reader);
    Told told;
    return reader(settings, told);
  };
  const auto read_incoming = [](const mail::Settings& from, Told& told) { return m365::read_incoming(from, told); };
  if (const auto incoming = told_of(read_incoming)) {
    require_tenant(incoming->tenant);
    require(incoming->poll >= std::chrono::seconds(1), "a poll has its pause");
  }
  const auto read_outgoing = [](const mail::Settings& from, Told& told) { return m365::read_outgoing(from, told); };
  if (const auto outgoing = told_of(read_outgoing)) {
    require_tenant(outgoing->tenant);
    require(!outgoing->tenant.secret.empty(), "an app has a secret");
  }
  for (const m365::SignIn sign_in : {m365::SignIn::service, m365::SignIn::user}) {
    const auto mailbox =
        told_of([sign_in](const mail::Settings& from, Told& told) { return m365::read_mailbox(from, sign_in, told); });
    if (!mailbox) continue;
    require(mailbox->user.find_first_of(std::string_view(" \r\n\0", 4)) == std::string::npos, "a user has no blanks");
    require(m365::folder_path(mailbox->folder).has_value(), "a folder is a path");
    require((mailbox->after_fetch.kind == m365::AfterFetch::Kind::move) == !mailbox->after_fetch.folder.empty(),
            "a move has its folder");
  }
  return 0;
}
