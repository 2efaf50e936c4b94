// What a System Configurator hands over: KEY=VALUE lines, read as each of the plugin's three forms.
#include <algorithm>
#include <string>

#include "m365/settings/forms.h"
#include "m365/settings/server_settings.h"
#include "require.h"

namespace {

// Fields whose value a sentence must not repeat.
constexpr std::string_view secrets[] = {"secret", "password", "email_password", "proxy"};

class Told final : public mail::Problems {
 public:
  explicit Told(const mail::Settings& settings) : settings_(settings) {}
  void add(std::string_view, std::string_view sentence) override {
    require(!sentence.empty(), "a problem has words");
    ++count;
    for (const std::string_view key : secrets) {
      const auto found = settings_.find(key);
      // Shorter ones stand in any sentence, and "with the password of" in one of ours.
      const auto of_a_sentence = [](char c) { return c == ' ' || (c >= 'a' && c <= 'z'); };
      if (found == settings_.end() || found->second.size() < 12) continue;
      if (std::all_of(found->second.begin(), found->second.end(), of_a_sentence)) continue;
      if (stands_elsewhere(found->second, key)) continue;
      require(sentence.find(found->second) == std::string_view::npos, "a secret is never repeated");
    }
  }
  std::size_t count = 0;

 private:
  // What is also the name of a field or in another's value may be repeated as that.
  bool stands_elsewhere(const std::string& secret, std::string_view of) const {
    return std::any_of(settings_.begin(), settings_.end(), [&](const auto& field) {
      return field.first.find(secret) != std::string::npos ||
             (field.first != of && field.second.find(secret) != std::string::npos);
    });
  }

  const mail::Settings& settings_;
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
  for (const std::string& warning : tenant.warnings) {
    require(tenant.secret.size() < 12 || warning.find(tenant.secret) == std::string::npos,
            "a secret is never repeated");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const mail::Settings settings = read(as_text(data, size));
  Told told(settings);
  const auto told_of = [&](auto reader) {
    told.count = 0;
    const auto result = reader();
    require(result.has_value() == (told.count == 0), "refused, and told why; or neither");
    return result;
  };
  if (const auto incoming = told_of([&] { return m365::read_incoming(settings, told); })) {
    require_tenant(incoming->tenant);
    require(incoming->poll >= std::chrono::seconds(1), "a poll has its pause");
  }
  if (const auto outgoing = told_of([&] { return m365::read_outgoing(settings, told); })) {
    require_tenant(outgoing->tenant);
    require(!outgoing->tenant.secret.empty(), "an app has a secret");
  }
  for (const m365::SignIn sign_in : {m365::SignIn::service, m365::SignIn::user}) {
    const auto mailbox = told_of([&] { return m365::read_mailbox(settings, sign_in, told); });
    if (!mailbox) continue;
    require(mailbox->user.find_first_of(std::string_view(" \r\n\0", 4)) == std::string::npos, "a user has no blanks");
    require(m365::folder_path(mailbox->folder).has_value(), "a folder is a path");
    require((mailbox->after_fetch.kind == m365::AfterFetch::Kind::move) == !mailbox->after_fetch.folder.empty(),
            "a move has its folder");
  }
  return 0;
}
