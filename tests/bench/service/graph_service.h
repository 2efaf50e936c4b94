// The small part of Entra and Microsoft Graph that fetching and answering mail needs, as the reference sheets have it
// (graph-mail.md, entra-oauth.md). Nobody is refused anything: it is there to be fast.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "service/https_server.h"
#include "service/world.h"

namespace bench {

/// Since the last reset. `calls` are HTTP requests, `requests` count the inner ones of a batch in place of it.
struct Counters {
  std::uint64_t calls = 0, requests = 0, bytes_in = 0, bytes_out = 0;
  std::uint64_t pages = 0, lists = 0, marks = 0, opened = 0, sends = 0, attachments = 0, uploaded = 0;
  std::uint32_t mailboxes_polled = 0;                                   ///< different ones
  std::chrono::steady_clock::time_point first_poll{}, last_new_poll{};  ///< of a mailbox not polled before
};

class GraphService final : public HttpHandler {
 public:
  /// `work`: what the service needs for one request, beside the round trip; four at a time in a batch.
  GraphService(const WorldShape& shape, std::chrono::microseconds work);

  void set_port(int port);

  // Any thread:
  Counters counters() const;
  void reset_counters();
  void arrive(std::uint32_t mailbox);
  std::uint64_t unread() const;
  /// Delta links given out before are answered with 410 once the mailbox is named here.
  void lose_delta_state(std::uint32_t mailbox);
  /// Keeps every request as it came, for replay().
  void record(bool on);
  std::vector<std::string> recorded() const;

  void answer(const HttpRequest& request, HttpAnswer& answer) override;

 private:
  struct Ask {
    std::string_view method, path, query, prefer, body;
    std::uint32_t mailbox = 0;
  };
  struct Draft {
    std::uint32_t mailbox = 0;
    bool sent = false;
  };
  struct Upload {
    std::uint64_t size = 0;
  };

  void batch(std::string_view body, HttpAnswer& answer);
  /// One request to Graph; `url` begins behind "/v1.0". Appends the body and returns the status.
  int one(std::string_view method, std::string_view url, std::string_view prefer, std::string_view body,
          std::string& out, HttpAnswer* whole);
  int folder(const Ask& ask, std::string_view rest, std::string& out);
  int delta(const Ask& ask, std::string& out);
  int list(const Ask& ask, std::string& out);
  int message(const Ask& ask, std::string_view rest, std::string& out, HttpAnswer* whole);
  int draft(const Ask& ask, std::uint32_t number, std::string_view rest, std::string& out);
  int mail(const Ask& ask, std::uint32_t number, std::string_view rest, std::string& out, HttpAnswer* whole);
  int new_draft(std::uint32_t mailbox, std::string& out);
  void append_draft(std::uint32_t number, std::string& out) const;
  int put_piece(const HttpRequest& request, std::string& out);
  void token(std::string& out) const;
  std::string link(const Ask& ask) const;
  void note_poll(std::uint32_t mailbox);

  const std::chrono::microseconds work_;
  const MailText text_;
  const std::uint64_t attachment_;
  const std::string block_;  ///< what attachments are made of

  mutable std::mutex mutex_;
  // Everything below is guarded by mutex_.
  std::string origin_;
  World world_;
  Counters counters_;
  std::vector<bool> polled_;
  std::vector<std::uint32_t> generation_;  ///< of each mailbox's delta state
  std::vector<Draft> drafts_;
  std::vector<Upload> uploads_;
  bool recording_ = false;
  std::vector<std::string> recorded_;
};

}  // namespace bench
