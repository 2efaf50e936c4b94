#include "m365/graph/faults.h"

#include <array>
#include <stdexcept>

#include "m365/mime/text.h"

namespace embedded {
namespace {

void check_names(const Json& object, std::initializer_list<std::string_view> known, const std::string& where) {
  for (const auto& member : object.object()) {
    bool found = false;
    for (const auto name : known) found = found || name == member.first;
    if (!found) throw std::runtime_error(where + ": unknown member '" + member.first + "'");
  }
}

std::string text_of(const Json& object, std::string_view name) {
  const Json* value = object.find(name);
  if (value == nullptr || value->is_null()) return {};
  if (value->is_string()) return value->string();
  return value->dump();  // "retry_after": 2 or 2.5
}

int number_of(const Json& object, std::string_view name) {
  const auto value = object.integer(name, 0);
  if (value < 0 || value > 86'400'000) throw std::runtime_error("effect." + std::string(name) + ": out of range");
  return static_cast<int>(value);
}

template <typename Enum, std::size_t N>
Enum choice(const Json& object, std::string_view name, const std::array<std::pair<std::string_view, Enum>, N>& known) {
  const std::string text = object.text(name, known.front().first);
  for (const auto& [word, value] : known) {
    if (word == text) return value;
  }
  throw std::runtime_error("effect." + std::string(name) + ": '" + text + "' is none of the known words");
}

FaultEffect parse_effect(const Json& source) {
  check_names(source,
              {"status", "code", "message", "retry_after", "location", "work", "delay_ms", "later_ms",
               "work_done_ms_later", "cut", "body", "close"},
              "effect");
  FaultEffect effect;
  effect.status = number_of(source, "status");
  effect.code = text_of(source, "code");
  effect.message = text_of(source, "message");
  effect.retry_after = text_of(source, "retry_after");
  effect.location = text_of(source, "location");
  effect.delay_ms = number_of(source, "delay_ms");
  effect.later_ms = number_of(source, "later_ms");
  effect.work = choice(source, "work",
                       std::array<std::pair<std::string_view, Work>, 3>{
                           {{"none", Work::none}, {"done", Work::done}, {"later", Work::later}}});
  if (source.find("work_done_ms_later") != nullptr) {
    effect.work = Work::later;
    effect.later_ms = number_of(source, "work_done_ms_later");
  }
  // What is not done yet has no answer of its own.
  if (effect.work == Work::later && effect.status == 0) effect.status = 504;
  using Cut = FaultEffect::Cut;
  effect.cut = choice(
      source, "cut",
      std::array<std::pair<std::string_view, Cut>, 3>{{{"", Cut::no}, {"before", Cut::before}, {"after", Cut::after}}});
  using Body = FaultEffect::Body;
  effect.body = choice(source, "body",
                       std::array<std::pair<std::string_view, Body>, 5>{{{"whole", Body::whole},
                                                                         {"half", Body::half},
                                                                         {"garbage", Body::garbage},
                                                                         {"html", Body::html},
                                                                         {"empty", Body::empty}}});
  effect.clean_close =
      choice(source, "close", std::array<std::pair<std::string_view, bool>, 2>{{{"abrupt", false}, {"clean", true}}});
  return effect;
}

std::string default_code(int status) {
  switch (status) {
    case 400:
      return "BadRequest";
    case 401:
      return "InvalidAuthenticationToken";
    case 403:
      return "ErrorAccessDenied";
    case 404:
      return "ErrorItemNotFound";
    case 410:
      return "SyncStateNotFound";
    case 429:
      return "TooManyRequests";
    case 503:
      return "ServiceUnavailable";
    default:
      return "UnknownError";
  }
}

}  // namespace

Faults::Rule Faults::parse(const Json& source) {
  if (!source.is_object()) throw std::runtime_error("a rule is an object with match and effect");
  check_names(source, {"match", "effect", "nth", "every", "count"}, "rule");
  Rule rule;
  rule.source = source;
  static const Json nothing{Json::Object{}};
  const Json* match = source.find("match");
  if (match == nullptr) match = &nothing;
  if (!match->is_object()) throw std::runtime_error("match: an object is expected");
  check_names(*match, {"method", "path", "operation", "mailbox", "nth", "every", "count"}, "match");
  rule.method = match->text("method");
  rule.operation = match->text("operation");
  rule.mailbox = lower(match->text("mailbox"));
  if (const std::string path = match->text("path"); !path.empty()) {
    try {
      rule.path.emplace(path, std::regex::ECMAScript | std::regex::icase);
    } catch (const std::regex_error& error) {
      throw std::runtime_error("match.path: " + std::string(error.what()));
    }
  }
  const auto count_of = [&](std::string_view name) {
    return static_cast<std::size_t>(std::max<std::int64_t>(match->integer(name, source.integer(name, 0)), 0));
  };
  rule.nth = count_of("nth");
  rule.every = count_of("every");
  rule.count = count_of("count");
  const Json* effect = source.find("effect");
  if (effect == nullptr || !effect->is_object()) throw std::runtime_error("effect: an object is expected");
  rule.effect = parse_effect(*effect);
  return rule;
}

void Faults::add(const Json& rules) {
  std::vector<Rule> fresh;
  if (rules.is_array()) {
    for (const auto& rule : rules.array()) fresh.push_back(parse(rule));
  } else {
    fresh.push_back(parse(rules));
  }
  const std::lock_guard lock(mutex_);
  for (auto& rule : fresh) rules_.push_back(std::move(rule));
}

void Faults::clear() {
  const std::lock_guard lock(mutex_);
  rules_.clear();
}

Json Faults::report() const {
  const std::lock_guard lock(mutex_);
  Json all{Json::Array{}};
  for (const auto& rule : rules_) {
    Json entry = rule.source;
    entry.set("met", rule.met);
    entry.set("hit", rule.hit);
    all.push(std::move(entry));
  }
  return all;
}

std::optional<FaultEffect> Faults::match(const FaultSubject& subject) {
  const std::lock_guard lock(mutex_);
  for (auto& rule : rules_) {
    if (!rule.method.empty() && !equal_ignoring_case(rule.method, subject.method)) continue;
    if (!rule.operation.empty() && rule.operation != subject.operation) continue;
    if (!rule.mailbox.empty() && rule.mailbox != lower(subject.mailbox)) continue;
    if (rule.path && !std::regex_search(subject.target, *rule.path)) continue;
    ++rule.met;
    if (rule.nth != 0 && rule.met != rule.nth) continue;
    if (rule.every != 0 && rule.met % rule.every != 0) continue;
    if (rule.count != 0 && rule.hit >= rule.count) continue;
    ++rule.hit;
    return rule.effect;
  }
  return std::nullopt;
}

Departure departure_of_cut(const FaultEffect& effect) {
  return effect.clean_close ? Departure::closed : Departure::none;
}

void apply_fault(const FaultEffect& effect, HttpResponse& response) {
  if (effect.status != 0) {
    response.status = effect.status;
    response.shared_body.reset();
    response.chunked = false;
    const std::string code = effect.code.empty() ? default_code(effect.status) : effect.code;
    response.body =
        Json(Json::Object{{"error", Json::Object{{"code", code},
                                                 {"message", effect.message},
                                                 {"innerError",
                                                  Json::Object{{"request-id", response.headers.get("request-id")}}}}}})
            .dump();
    response.headers.set("Content-Type", "application/json");
    if (effect.status == 401) response.headers.set("WWW-Authenticate", "Bearer realm=\"\"");
  }
  if (!effect.retry_after.empty()) response.headers.set("Retry-After", effect.retry_after);
  if (!effect.location.empty()) response.headers.set("Location", effect.location);
  switch (effect.body) {
    case FaultEffect::Body::whole:
      break;
    case FaultEffect::Body::half:
      response.departure = effect.clean_close ? Departure::half_then_close : Departure::half_then_cut;
      break;
    case FaultEffect::Body::garbage:
      response.shared_body.reset();
      response.broken = true;
      response.body = "\x1f\x8b\x08 this is no JSON {\"value\":[";
      break;
    case FaultEffect::Body::html:
      response.shared_body.reset();
      response.broken = true;
      response.headers.set("Content-Type", "text/html");
      response.body =
          "<html><head><title>Bad Gateway</title></head><body><h2>Our services aren't available right now"
          "</h2></body></html>";
      break;
    case FaultEffect::Body::empty:
      response.shared_body.reset();
      response.body.clear();
      break;
  }
  if (effect.cut != FaultEffect::Cut::no) response.departure = departure_of_cut(effect);
}

}  // namespace embedded
