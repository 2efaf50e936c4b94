#include "m365/sign_in/token_source.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>
#include <variant>

#include "m365/digest.h"
#include "m365/environment.h"
#include "m365/settings/cloud.h"
#include "m365/settings/server_settings_values.h"
#include "m365/sign_in/entra_errors.h"
#include "m365/sign_in/token_answer.h"
#include "m365/sign_in/token_request.h"

namespace m365 {
namespace {

using mail::SteadyTime;
using std::chrono::milliseconds;
using namespace std::chrono_literals;

constexpr milliseconds refresh_ahead = 5min;  // of expiry; a tenth of a short life (entra-oauth.md, section 11)
constexpr milliseconds probe_pause = 15min;   // after a refusal that needs an administrator
constexpr milliseconds slow_pause = 10min;    // locked account, throttled tenant
constexpr milliseconds longest_lock_pause = 1h;
constexpr milliseconds first_pause = 5s, longest_pause = 2min;  // after transient failures
constexpr milliseconds unclear_password_pause =
    1min;                                   // an attempt whose answer was lost counts towards a lock-out, too
constexpr milliseconds forget_pause = 10s;  // between fresh tokens after refusals by Graph
constexpr milliseconds look_pause = 10s;    // an administrator may be entering a new credential just now
constexpr milliseconds idle_pause = 1h;
constexpr std::size_t answer_limit = 1 << 20;
constexpr std::string_view public_graph = "https://graph.microsoft.com";
constexpr SteadyTime never = SteadyTime::max();

// What changes when an administrator repairs something.
struct Credential {
  mail::Secret secret, password;
  bool operator==(const Credential&) const = default;
};

struct Granted {
  GrantedToken token;
  Grant grant;
};
struct Refused {
  SignInFailure failure;
  bool refresh_token_void = false;
};
using Outcome = std::variant<Granted, Refused>;

// One question to Entra, without any state of its own.
class SignInDesk {
 public:
  SignInDesk(Environment& environment, TenantSettings tenant, std::string user,
             std::shared_ptr<http::Transport> transport)
      : environment_(environment),
        tenant_(std::move(tenant)),
        user_(std::move(user)),
        account_(lower(tenant_.login_origin + "/" + tenant_.tenant + "/" + user_)),
        resource_(tenant_.graph_origin),
        pipeline_(parts(std::move(transport))) {}

  // Throws TransportError::cancelled on stop; every other failure is an outcome. One thread at a time.
  Outcome sign_in(const Credential& credential, const mail::Secret& refresh_token, std::stop_token stop) {
    Outcome outcome = sign_in_for(resource_, credential, refresh_token, stop);
    // A Graph root of no cloud of Microsoft's can be known to its login under its own name (entra-oauth.md, section 7),
    // or under the public one that the documents show. Not so where either host is Microsoft's: a token that is good
    // for the real Graph goes nowhere else.
    const std::string public_name(public_graph);
    if (!foreign_ || resource_ == public_name || !refuses_resource(outcome)) return outcome;
    Outcome other = sign_in_for(public_name, credential, refresh_token, stop);
    if (refuses_resource(other)) return outcome;
    if (std::holds_alternative<Granted>(other)) resource_ = public_name;
    return other;
  }

 private:
  static bool refuses_resource(const Outcome& outcome) {
    const Refused* refused = std::get_if<Refused>(&outcome);
    return refused != nullptr && refused->failure.resource_refused;
  }

  static bool is_foreign(const TenantSettings& tenant) {
    const auto login = split_url(tenant.login_origin), graph = split_url(tenant.graph_origin);
    return login && graph && cloud_of_login_host(login->host) == nullptr && cloud_of_graph_host(graph->host) == nullptr;
  }

  Outcome sign_in_for(const std::string& resource, const Credential& credential, const mail::Secret& refresh_token,
                      std::stop_token stop) {
    TenantSettings tenant = tenant_;
    tenant.secret = credential.secret;
    tenant.graph_origin = resource;  // the scope
    if (tenant.sign_in == SignIn::service) {
      return ask(TokenRequest::client_credentials(tenant, credential.secret), tenant, credential, "", stop);
    }
    bool refresh_token_void = false;
    if (!refresh_token.empty()) {
      Outcome outcome =
          ask(TokenRequest::refresh(tenant, credential.secret, refresh_token), tenant, credential, refresh_token, stop);
      const Refused* refused = std::get_if<Refused>(&outcome);
      if (refused == nullptr || refused->failure.retry != Retry::sign_in_again) return outcome;
      refresh_token_void = true;
    }
    Outcome outcome = with_password(tenant, credential, stop);
    if (Refused* refused = std::get_if<Refused>(&outcome)) refused->refresh_token_void = refresh_token_void;
    return outcome;
  }

  http::PipelineParts parts(std::shared_ptr<http::Transport> transport) const {
    http::PipelineParts parts;
    parts.transport = std::move(transport);
    parts.clock = &environment_.clock();
    parts.random = &environment_.random();
    parts.log = &environment_.log();
    parts.source = "sign-in";
    parts.retry = {1, 1s, 3s};  // as Microsoft's own library: one repetition (section 11)
    parts.limits.silence = 30s;
    parts.limits.total = 60s;
    return parts;
  }

  Outcome with_password(const TenantSettings& tenant, const Credential& credential, std::stop_token stop) {
    const SignInContext context{tenant, Grant::password, user_, {}};
    try {
      if (environment_.store()->password_refused(account_, credential.password)) {
        return Refused{password_known_as_refused(context)};
      }
      Outcome outcome = ask(TokenRequest::password(tenant, credential.secret, user_, credential.password), tenant,
                            credential, "", stop);
      const Refused* refused = std::get_if<Refused>(&outcome);
      if (refused != nullptr && refused->failure.remember) {
        environment_.store()->remember_refused_password(account_, credential.password);
      }
      return outcome;
    } catch (const mail::FaultError& error) {
      // The disk. Without a look at what was refused before, no password is tried.
      SignInFailure failure;
      failure.fault = error.fault();
      return Refused{std::move(failure)};
    }
  }

  Outcome ask(const TokenRequest& question, const TenantSettings& tenant, const Credential& credential,
              const mail::Secret& refresh_token, std::stop_token stop) {
    const SignInContext context{
        tenant, question.grant(), user_, {credential.secret, credential.password, refresh_token}};
    environment_.log().write(mail::Level::debug, "sign-in",
                             "token request to " + tenant.login_origin + ": " + question.for_trace());
    http::Request request;
    request.method = "POST";
    request.url = tenant.login_origin + "/" + tenant.tenant + "/oauth2/v2.0/token";
    request.headers.set("Content-Type", "application/x-www-form-urlencoded");
    request.headers.set("Accept", "application/json");
    request.headers.set("return-client-request-id", "true");
    request.body = question.for_wire();
    request.operation = "sign in";
    request.authorize = false;
    request.confidential = true;
    request.repeatable = question.grant() != Grant::password;
    try {
      http::Response response = pipeline_.send(std::move(request), stop, answer_limit);
      const mail::WipedAtEnd end(response.body);
      if (response.status == 200) {
        if (auto token = read_granted_token(response.body)) return Granted{std::move(*token), question.grant()};
      }
      return Refused{sign_in_failure(response, context, environment_.clock().wall())};
    } catch (const http::TransportError& error) {
      if (error.kind() == http::TransportError::Kind::cancelled) throw;
      return Refused{sign_in_failure(error, context)};
    }
  }

  Environment& environment_;
  const TenantSettings tenant_;  // its secret is not used: the credential's is
  const std::string user_;
  const std::string account_;  // how the store knows whose password was refused
  const bool foreign_ = is_foreign(tenant_);
  std::string resource_;  // whose scope is asked for
  http::Pipeline pipeline_;
};

[[noreturn]] void throw_cancelled() {
  mail::Fault fault;
  fault.remedy = mail::Remedy::cancelled;
  fault.text = "The work was stopped.";
  throw mail::FaultError(std::move(fault));
}

class EntraTokenSource final : public TokenSource {
 public:
  EntraTokenSource(Environment& environment, const TenantSettings& tenant, const std::string& user,
                   const mail::Secret& password, std::shared_ptr<http::Transport> transport)
      : log_(environment.log()),
        clock_(environment.clock()),
        random_(environment.random()),
        name_("tenant " + tenant.tenant + ", app " + tenant.client_id + (user.empty() ? "" : ", user " + user)),
        desk_(environment, tenant, user, std::move(transport)),
        credential_{tenant.secret, password} {}

  mail::Secret current(std::stop_token stop) override {
    std::unique_lock lock(mutex_);
    // Look, wait, look again: however many come, one asks Entra and the others share what it got.
    for (;;) {
      if (stop.stop_requested()) throw_cancelled();
      if (usable()) return token_;
      if (const auto fault = standing_fault()) throw mail::FaultError(*fault);
      if (fetching_) {
        fetched_.wait(lock, stop, [this] { return !fetching_; });
      } else {
        fetch(lock, stop);
      }
    }
  }

  void forget(std::string_view token) override {
    const std::lock_guard lock(mutex_);
    if (token != token_.view()) return;  // somebody else has renewed it meanwhile
    const SteadyTime now = clock_.now();
    // Where Graph refuses every token, a fresh one for each request would only make Entra refuse, too.
    if (forgotten_ && now - *forgotten_ < std::min(forget_pause, life_)) return;
    forgotten_ = now;
    token_.clear();
  }

  milliseconds refresh_if_due(std::stop_token stop) override {
    std::unique_lock lock(mutex_);
    if (!fetching_ && clock_.now() >= next_due()) {
      try {
        fetch(lock, stop);
      } catch (const mail::FaultError&) {
        // Stopped: the caller sees that by itself.
      } catch (const std::exception& error) {
        log_.write(mail::Level::error, "sign-in", name_ + ": " + error.what());
        return first_pause;
      }
    }
    if (fetching_) return 1s;  // another thread is at it
    const SteadyTime::duration most = refusal_ && refusal_->failure.credential ? look_pause : idle_pause;
    const auto left = std::min(next_due() - clock_.now(), most);
    return std::max(std::chrono::ceil<milliseconds>(left), milliseconds(1s));
  }

  void set_credential(const mail::Secret& secret, const mail::Secret& password) override {
    const std::lock_guard lock(mutex_);
    Credential credential{secret, password};
    if (credential == credential_) return;
    credential_ = std::move(credential);
    ++credential_version_;
    refusal_.reset();
    failures_ = 0;
  }

  bool wants_credential() const override {
    const std::lock_guard lock(mutex_);
    return refusal_ && refusal_->failure.credential;
  }

  std::optional<mail::Fault> fault() const override {
    const std::lock_guard lock(mutex_);
    if (!refusal_) return std::nullopt;
    return with_time_left(*refusal_);
  }

  std::string permissions() const override {
    mail::Secret token;
    {
      const std::lock_guard lock(mutex_);
      token = token_;
    }
    return permissions_in(token);
  }

 private:
  struct Refusal {
    SignInFailure failure;
    SteadyTime again;  ///< when the same may be asked again
  };

  bool usable() const { return !token_.empty() && clock_.now() < expires_; }

  std::optional<mail::Fault> standing_fault() const {
    if (!refusal_ || clock_.now() >= refusal_->again) return std::nullopt;
    return with_time_left(*refusal_);
  }

  mail::Fault with_time_left(const Refusal& refusal) const {
    mail::Fault fault = refusal.failure.fault;
    fault.retry_after = milliseconds(0);
    if (refusal.again != never) {
      const auto left = std::chrono::ceil<milliseconds>(refusal.again - clock_.now());
      fault.retry_after = std::max(left, milliseconds(0));
    }
    return fault;
  }

  SteadyTime next_due() const {
    if (refusal_) return refusal_->again;
    return token_.empty() ? clock_.now() : renew_;
  }

  // Callers hold `lock`; it is given up while Entra is asked.
  void fetch(std::unique_lock<std::mutex>& lock, std::stop_token stop) {
    fetching_ = true;
    const Credential credential = credential_;
    const mail::Secret refresh_token = refresh_token_;
    const std::uint64_t version = credential_version_;
    std::optional<Outcome> outcome;
    std::exception_ptr broken;
    lock.unlock();
    try {
      outcome = desk_.sign_in(credential, refresh_token, stop);
    } catch (const http::TransportError&) {  // cancelled
    } catch (...) {
      broken = std::current_exception();
    }
    lock.lock();
    fetching_ = false;
    fetched_.notify_all();
    if (broken) std::rethrow_exception(broken);
    if (!outcome) throw_cancelled();
    if (auto* granted = std::get_if<Granted>(&*outcome)) {
      take(std::move(*granted));
    } else if (version == credential_version_) {  // else the refusal is of a credential that is replaced already
      take(std::get<Refused>(std::move(*outcome)));
    }
  }

  void take(Granted granted) {
    const SteadyTime now = clock_.now();
    const milliseconds life = granted.token.life;
    token_ = std::move(granted.token.access_token);
    life_ = life;
    expires_ = now + life;
    renew_ = now + life - std::min(refresh_ahead, life / 10);
    // Each use brings a new one; where none came the old one stays good (section 6).
    if (!granted.token.refresh_token.empty()) refresh_token_ = std::move(granted.token.refresh_token);
    refusal_.reset();
    failures_ = 0;
    log_.write(mail::Level::debug, "sign-in",
               name_ + ": signed in for " + std::to_string(granted.token.life.count()) +
                   " s; permissions: " + permissions_in(token_));
  }

  void take(Refused refused) {
    if (refused.refresh_token_void) refresh_token_.clear();
    ++failures_;
    const auto pause = pause_after(refused.failure);
    refusal_ = Refusal{std::move(refused.failure), pause ? clock_.now() + *pause : never};
  }

  std::optional<milliseconds> pause_after(const SignInFailure& failure) const {
    switch (failure.retry) {
      case Retry::never:
        return std::nullopt;
      case Retry::probe:
      case Retry::sign_in_again:
        return probe_pause;
      case Retry::slow:
        return std::max(slow_pause, failure.fault.retry_after);
      case Retry::locked:
        return doubled(slow_pause, longest_lock_pause);
      case Retry::soon:
        break;
    }
    milliseconds pause = doubled(first_pause, longest_pause);
    // A quarter of jitter, so that many sources do not come back at once.
    pause += milliseconds(static_cast<milliseconds::rep>(random_.below(static_cast<std::uint64_t>(pause.count() / 4))));
    if (failure.fault.maybe_done && failure.password_sent) pause = std::max(pause, unclear_password_pause);
    return std::max(pause, failure.fault.retry_after);
  }

  milliseconds doubled(milliseconds pause, milliseconds most) const {
    for (unsigned i = 1; i < failures_ && pause < most; ++i) pause *= 2;
    return std::min(pause, most);
  }

  mail::Log& log_;
  mail::Clock& clock_;
  mail::Random& random_;
  const std::string name_;
  SignInDesk desk_;
  // Everything below is guarded by mutex_.
  mutable std::mutex mutex_;
  std::condition_variable_any fetched_;
  bool fetching_ = false;
  Credential credential_;
  std::uint64_t credential_version_ = 0;
  mail::Secret token_, refresh_token_;
  SteadyTime expires_{}, renew_{};
  milliseconds life_{forget_pause};  // of the present token
  std::optional<SteadyTime> forgotten_;
  std::optional<Refusal> refusal_;
  unsigned failures_ = 0;  // since the last success
};

}  // namespace

std::shared_ptr<TokenSource> token_source_for(Environment& environment, const TenantSettings& tenant,
                                              const std::string& user, const mail::Secret& password) {
  // Credentials are part of the key, as a digest: two servers with different secrets must not share a token.
  std::string key;
  for (const std::string& part : {tenant.login_origin, tenant.tenant, tenant.client_id, tenant.graph_origin, user,
                                  tenant.ca_file, digest(tenant.proxy), digest(tenant.secret), digest(password)}) {
    key += part;
    key += '\0';
  }
  // Taken before: the environment is locked while the source is made.
  http::TransportOptions options;
  options.ca_file = tenant.ca_file;
  options.proxy = tenant.proxy;
  const auto transport = environment.transport(options);
  return environment.token_source(
      key, [&] { return std::make_shared<EntraTokenSource>(environment, tenant, user, password, transport); });
}

}  // namespace m365
