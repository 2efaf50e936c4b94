// $batch: graph-mail.md section 14.
#include <atomic>
#include <map>
#include <system_error>
#include <thread>

#include "m365/graph/graph.h"
#include "m365/mime/text.h"
#include "m365/world/world.h"

namespace embedded {
namespace {

constexpr std::size_t kBatchLimit = 20;
constexpr std::size_t kAtOnce = 4;

struct Item {
  std::string id;
  const Json* source = nullptr;
  std::vector<std::size_t> after;
  std::string answer;  // as JSON
  int status = 0;
  Departure departure = Departure::whole;
};

GraphError malformed(const std::string& why) {
  return {400, "BadRequest", "Invalid batch payload: " + why};
}

std::vector<Item> read_items(const Json& body) {
  const Json* requests = body.find("requests");
  if (requests == nullptr || !requests->is_array()) throw malformed("the requests property is missing or is no array.");
  const auto& list = requests->array();
  if (list.empty()) throw malformed("there are no requests.");
  if (list.size() > kBatchLimit) {
    throw GraphError(400, "MaximumValueExceeded", "Number of batch request steps exceeds the maximum value of 20.");
  }
  std::vector<Item> items(list.size());
  std::map<std::string, std::size_t> by_id;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Json& source = list[i];
    const std::string id = source.text("id");
    const std::string url = source.text("url");
    if (id.empty()) throw malformed("a request has no id.");
    if (source.text("method").empty()) throw malformed("request '" + id + "' has no method.");
    if (url.empty() || starts_with_ignoring_case(url, "http"))
      throw malformed("request '" + id + "' has no relative url.");
    if (lower(url).find("$batch") != std::string::npos) throw malformed("batches cannot be nested.");
    if (!by_id.emplace(lower(id), i).second) throw malformed("the id '" + id + "' is used twice.");
    const Json* headers = source.find("headers");
    if (headers != nullptr && !headers->is_object())
      throw malformed("the headers of request '" + id + "' are no object.");
    bool typed = false;
    if (headers != nullptr) {
      for (const auto& header : headers->object()) typed = typed || equal_ignoring_case(header.first, "Content-Type");
    }
    if (const Json* content = source.find("body"); content != nullptr && !content->is_null() && !typed) {
      throw malformed("request '" + id + "' has a body but no Content-Type header.");
    }
    items[i].id = id;
    items[i].source = &source;
  }
  for (auto& item : items) {
    const Json* after = item.source->find("dependsOn");
    if (after == nullptr || after->is_null()) continue;
    if (!after->is_array()) throw malformed("dependsOn of request '" + item.id + "' is no array.");
    for (const auto& name : after->array()) {
      const auto found = name.is_string() ? by_id.find(lower(name.string())) : by_id.end();
      // A request may only wait for one above it: then nothing can wait in a ring.
      if (found == by_id.end() || found->second >= static_cast<std::size_t>(&item - items.data())) {
        throw malformed("dependsOn of request '" + item.id + "' names a request that is not before it.");
      }
      item.after.push_back(found->second);
    }
  }
  return items;
}

}  // namespace

HttpResponse Graph::batch(const HttpRequest& request) {
  FaultSubject subject{request.method, request.target, "batch", {}};
  const auto fault = world_.faults.match(subject);
  HttpResponse response;
  if (fault && fault->delay_ms > 0) world_.stop.pause(Milliseconds(fault->delay_ms));
  if (fault && fault->cut == FaultEffect::Cut::before) {
    response.departure = departure_of_cut(*fault);
    return response;
  }
  if (fault && fault->work == Work::later) {
    world_.scheduler.after(Milliseconds(fault->later_ms), [this, request] { batch_body(request); });
  }
  if (!fault || fault->work == Work::done || (fault->work == Work::none && fault->status == 0))
    response = batch_body(request);
  add_standard_headers(request, response);
  if (fault) apply_fault(*fault, response);
  return response;
}

HttpResponse Graph::batch_body(const HttpRequest& request) {
  try {
    if (request.method != "POST")
      throw GraphError(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.");
    Call call;
    call.request = &request;
    authenticate(call);
    const Json body = call.json_body();
    std::vector<Item> items = read_items(body);
    world_.census.count_batch(items.size());

    const auto run = [&](Item& item) {
      for (const auto before : item.after) {
        if (items[before].status < 200 || items[before].status >= 300) {
          item.status = 424;
          const Json error =
              Json::Object{{"error", Json::Object{{"code", "FailedDependency"},
                                                  {"message", "The request depends on one that failed."}}}};
          item.answer =
              Json(Json::Object{{"id", item.id}, {"status", 424}, {"headers", Json::Object{}}, {"body", error}}).dump();
          return;
        }
      }
      HttpResponse raw;
      item.answer = inner_response(request, *item.source, raw);
      item.status = raw.status;
      item.departure = raw.departure;
    };
    bool chained = false;
    for (const auto& item : items) chained = chained || !item.after.empty();
    if (chained) {
      for (auto& item : items) run(item);  // one after the other
    } else {
      std::atomic<std::size_t> next{0};
      const auto work = [&] {
        for (std::size_t i = next++; i < items.size(); i = next++) run(items[i]);
      };
      std::vector<std::thread> helpers;
      try {
        for (std::size_t i = 1; i < std::min(kAtOnce, items.size()); ++i) helpers.emplace_back(work);
      } catch (const std::system_error&) {  // fewer at once, then
      }
      work();
      for (auto& helper : helpers) helper.join();
    }
    std::string out = "{\"responses\":[";
    HttpResponse response;
    for (const auto& item : items) {
      if (&item != &items.front()) out += ',';
      out += item.answer;
      if (item.departure != Departure::whole) response.departure = item.departure;
    }
    const Departure departure = response.departure;
    response = json_response(200, out + "]}");
    response.departure = departure;
    return response;
  } catch (const GraphError& error) {
    return refusal(error);
  }
}

std::string Graph::inner_response(const HttpRequest& outer, const Json& item, HttpResponse& raw) {
  HttpRequest inner;
  inner.method = item.text("method");
  for (char& c : inner.method) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  const std::string url = item.text("url");
  inner.target = std::string("/v1.0") + (url[0] == '/' ? "" : "/") + url;
  // Only the sign-in is the outer one's; preferences must stand in the inner headers.
  inner.headers.add("Authorization", outer.headers.get("Authorization"));
  if (const Json* headers = item.find("headers")) {
    for (const auto& [name, value] : headers->object()) {
      if (value.is_string() && !equal_ignoring_case(name, "Authorization")) inner.headers.add(name, value.string());
    }
  }
  inner.has_length = true;  // the batch always knows it
  if (const Json* body = item.find("body"); body != nullptr && !body->is_null()) {
    inner.body = body->is_string() ? base64url_decode(body->string()).value_or(std::string()) : body->dump();
  }
  raw = handle_one(inner);
  Json headers{Json::Object{}};
  for (const auto& [name, value] : raw.headers.fields()) {
    if (name == "Strict-Transport-Security" || name == "x-ms-ags-diagnostic") continue;
    if (const Json* present = headers.find(name)) {
      headers.set(name, present->string() + ", " + value);
    } else {
      headers.set(name, value);
    }
  }
  std::string answer = "{\"id\":";
  append_json_string(answer, item.text("id"));
  answer += ",\"status\":" + std::to_string(raw.status) + ",\"headers\":" + headers.dump();
  const auto content = raw.content();
  if (!content.empty()) {
    answer += ",\"body\":";
    if (contains_ignoring_case(raw.headers.get("Content-Type"), "json") && !raw.broken) {
      answer += content;
    } else {
      append_json_string(answer, base64_encode(content));
    }
  }
  return answer + '}';
}

}  // namespace embedded
