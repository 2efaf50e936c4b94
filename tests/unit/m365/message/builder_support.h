// What tests of the mail builder share: a Graph that answers from a table and keeps the questions.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "m365/environment.h"
#include "m365/graph/graph_client.h"
#include "m365/message/mail_builder.h"
#include "support/capturing_log.h"
#include "support/fixed_random.h"
#include "support/manual_clock.h"
#include "support/scripted_transport.h"

namespace support {

/// The body of a mail as the service would stream it; breaks off after `cut_at` bytes when that is set.
class TextExchange final : public http::Exchange {
 public:
  TextExchange(std::string body, std::optional<std::size_t> cut_at, std::size_t* open)
      : body_(std::move(body)), cut_at_(cut_at), open_(open) {
    ++*open_;
  }
  ~TextExchange() override { --*open_; }
  int status() const override { return 200; }
  const http::Headers& headers() const override { return headers_; }
  std::size_t read(char* buffer, std::size_t capacity) override {
    const std::size_t end = cut_at_ ? std::min(*cut_at_, body_.size()) : body_.size();
    const std::size_t count = std::min(capacity, end - at_);
    if (count == 0 && cut_at_) throw http::TransportError(http::TransportError::Kind::cut, true, "cut");
    std::memcpy(buffer, body_.data() + at_, count);
    at_ += count;
    return count;
  }

 private:
  const std::string body_;
  const std::optional<std::size_t> cut_at_;
  http::Headers headers_;
  std::size_t at_ = 0;
  std::size_t* const open_;
};

struct BuilderWorld {
  CapturingLog log;
  ManualClock clock;
  FixedRandom random;
  m365::Environment environment{log, clock, random, "unused",
                                [](const http::TransportOptions&) { return std::make_shared<ScriptedTransport>(); }};
};

/// Answers by the end of the path; several answers for one path are given in turn, the last one stays.
class FakeGraph final : public m365::GraphClient {
 public:
  struct Answer {
    int status = 200;
    std::string body;  ///< of an error: its code
    std::optional<std::size_t> cut_at = std::nullopt;
  };

  explicit FakeGraph(BuilderWorld& world) : m365::GraphClient(world.environment, tenant(), nullptr, "test") {}

  void on(const std::string& path_end, Answer answer) { answers_[path_end].push_back(std::move(answer)); }
  /// What open() of such a path gives instead of an answer of the table.
  void on_open(const std::string& path_end, std::function<std::unique_ptr<http::Exchange>()> make) {
    opened_[path_end] = std::move(make);
  }
  const std::vector<std::string>& asked() const { return asked_; }  ///< paths
  std::size_t open_exchanges() const { return open_; }

  http::Response send(const m365::GraphRequest& request, std::stop_token) override {
    return {200, {}, take(request).body};
  }
  std::unique_ptr<http::Exchange> open(const m365::GraphRequest& request, std::stop_token) override {
    for (const auto& [path_end, make] : opened_) {
      if (request.path.ends_with(path_end)) return make();
    }
    const Answer answer = take(request);
    return std::make_unique<TextExchange>(answer.body, answer.cut_at, &open_);
  }

 private:
  static m365::TenantSettings tenant() {
    m365::TenantSettings settings;
    settings.graph_origin = "https://graph.test";
    return settings;
  }

  Answer take(const m365::GraphRequest& request) {
    asked_.push_back(request.path);
    for (auto& [path_end, answers] : answers_) {
      if (!request.path.ends_with(path_end)) continue;
      const Answer answer = answers.front();
      if (answers.size() > 1) answers.pop_front();
      if (answer.status < 400) return answer;
      const http::Response response{answer.status, {}, R"({"error":{"code":")" + answer.body + R"(","message":"m"}})"};
      throw m365::graph_error(response, {request.mailbox, request.operation, false}, "");
    }
    throw std::logic_error("not expected: " + request.path);
  }

  std::map<std::string, std::deque<Answer>> answers_;
  std::map<std::string, std::function<std::unique_ptr<http::Exchange>()>> opened_;
  std::vector<std::string> asked_;
  std::size_t open_ = 0;
};

/// One mailbox, one folder; the mail's own settings can be changed before build().
struct BuilderFixture {
  BuilderFixture() {
    mailbox.address = "support@contoso.com";
    mailbox.user = "support@contoso.com";
    row.id = "AAMk=";
    row.received = mail::WallTime{std::chrono::milliseconds{1'000}};
    row.has_attachments = false;
    row.body_type = "text";
    row.body = "hello";
    row.from = mail::Address{"Ann", "ann@customer.example"};
    row.to = {{"Support", "Support@Contoso.com"}};
    row.has_headers = true;
  }
  m365::BuiltMail build() {
    const m365::MailContext context{graph, mailbox, "Inbox", "stable", {}, [this](const std::string& id) {
                                      const auto found = sent.find(id);
                                      return found == sent.end() ? std::string() : found->second;
                                    }};
    return m365::build_mail(context, row);
  }

  BuilderWorld world;
  FakeGraph graph{world};
  m365::MailboxSettings mailbox;
  m365::MessageRow row;
  std::map<std::string, std::string> sent;  ///< Message-ID -> key
};

inline std::string read_all(const mail::Part& part) {
  const auto source = part.open();
  std::string text;
  char block[7];
  while (const std::size_t count = source->read(block, sizeof block)) text.append(block, count);
  return text;
}

inline std::vector<const mail::Part*> parts_of(const mail::Mail& mail, mail::PartKind kind) {
  std::vector<const mail::Part*> parts;
  for (const mail::Part& part : mail.parts) {
    if (part.kind == kind) parts.push_back(&part);
  }
  return parts;
}

inline bool has(const mail::Mail& mail, mail::Flag flag) {
  return (mail.flags & flag) != 0;
}

/// A file of the reference material that lies beside the repository; nullopt where it does not. ctest names the folder.
inline std::optional<std::string> shared_file(const std::string& path) {
  const char* const folder = std::getenv("MAILPLUGIN_SHARED");
  if (!folder) return std::nullopt;
  std::ifstream file(std::filesystem::path(folder) / path, std::ios::binary);
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace support
