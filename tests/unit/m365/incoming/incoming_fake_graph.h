// A small Microsoft Graph in memory, for the streams' tests: folders, messages, delta with generations, lists, marking.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "m365/environment.h"
#include "m365/graph/graph_client.h"

namespace fake {

struct Message {
  std::string id, folder, subject = "a question", from = "ann@example.com", internet_id;
  mail::WallTime received{};
  bool read = false, draft = false, wants_receipt = false;
  int receipts_sent = 0;
  bool sparse = false;                     ///< delta shows id and isRead only
  std::string attachments;                 ///< the "value" array of its attachment list; empty: none
  std::uint64_t changed = 0, arrived = 0;  ///< sequence numbers
};

struct Folder {
  std::string id, name, parent;
  bool deleted = false;
  bool hidden = false;
};

struct Reply {
  int status = 200;
  std::string body;
  http::Headers headers;
};

/// The state; outlives clients. Any thread.
class World {
 public:
  explicit World(mail::Clock& clock);

  /// Into the inbox unless told otherwise; returns the id.
  std::string put(const std::string& user = "support@contoso.com", Message message = {},
                  const std::string& folder = "inbox");
  void move(const std::string& user, const std::string& id, const std::string& folder);
  void remove(const std::string& user, const std::string& id);
  void change(const std::string& user, const std::string& id, const std::function<void(Message&)>& how);
  std::optional<Message> find(const std::string& user, const std::string& id);
  std::vector<Message> in_folder(const std::string& user, const std::string& folder);
  void add_folder(const std::string& user, Folder folder);
  void change_folder(const std::string& user, const std::string& id, const std::function<void(Folder&)>& how);
  std::optional<Folder> folder_named(const std::string& user, const std::string& name);
  void lose_delta_state();  ///< every token given out so far is answered 410

  /// Asked before each request (inner ones of a batch too); an answer given replaces the real one. Under the lock.
  std::function<std::optional<Reply>(const m365::GraphRequest&)> intercept;
  /// Asked before a batch as a whole.
  std::function<std::optional<Reply>(const std::vector<m365::GraphRequest>&)> intercept_batch;
  /// How long the service takes for a request, on the test's clock; a batch takes as long as its slowest. To be set
  /// before start.
  std::function<std::chrono::milliseconds(const m365::GraphRequest&)> delay;
  void set_intercept(std::function<std::optional<Reply>(const m365::GraphRequest&)> how);

  Reply answer(const m365::GraphRequest& request);
  std::size_t count(const std::string& operation);  ///< requests with this operation so far
  std::size_t batches = 0;
  bool batches_offered = true;
  bool delta_offered = true;
  bool same_patch_is_too_late = false;  ///< for keeping a read receipt back
  std::size_t delta_page = 0;           ///< 0: as Prefer says

  std::recursive_mutex mutex;

 private:
  struct Mailbox {
    std::map<std::string, Folder> folders;
    std::map<std::string, Message> messages;
    struct Tombstone {
      std::string folder, id;
      std::uint64_t at;
    };
    std::vector<Tombstone> left;
  };
  Mailbox& mailbox(const std::string& user);
  Folder* folder(Mailbox& box, const std::string& id_or_name);
  Reply real_answer(const m365::GraphRequest& request);
  Reply folders(const m365::GraphRequest& request, Mailbox& box, const std::vector<std::string>& path,
                const std::map<std::string, std::string>& query);
  Reply delta(const m365::GraphRequest& request, Mailbox& box, const std::string& folder,
              const std::map<std::string, std::string>& query);
  std::vector<std::string> changes(const Mailbox& box, const std::string& folder, std::uint64_t since,
                                   const std::string& filter);
  Reply list(Mailbox& box, const std::string& folder, const std::map<std::string, std::string>& query,
             const std::string& path);
  Reply message(const m365::GraphRequest& request, Mailbox& box, const std::vector<std::string>& path);

  mail::Clock& clock_;
  std::map<std::string, Mailbox> boxes_;
  std::map<std::string, std::size_t> counts_;
  std::vector<std::vector<std::string>> series_;  ///< rows of each round, as they were when it began
  std::uint64_t sequence_ = 0, next_id_ = 0, generation_ = 1;
};

class Tokens final : public m365::TokenSource {
 public:
  mail::Secret current(std::stop_token) override;
  void forget(std::string_view) override {}
  std::chrono::milliseconds refresh_if_due(std::stop_token) override { return std::chrono::minutes(50); }
  void set_credential(const mail::Secret& secret, const mail::Secret& password) override;
  bool wants_credential() const override;
  std::optional<mail::Fault> fault() const override;
  std::string permissions() const override { return "Mail.ReadWrite"; }

  void refuse_all_but(const std::string& secret);  ///< the present one is refused

 private:
  mutable std::mutex mutex_;
  std::optional<std::string> wanted_;
  std::optional<mail::Fault> fault_;
};

class Graph final : public m365::GraphClient {
 public:
  Graph(m365::Environment& environment, const m365::TenantSettings& tenant, std::shared_ptr<Tokens> tokens,
        std::shared_ptr<World> world);
  http::Response send(const m365::GraphRequest& request, std::stop_token stop) override;
  std::unique_ptr<http::Exchange> open(const m365::GraphRequest& request, std::stop_token stop) override;
  std::vector<m365::BatchAnswer> batch(const std::vector<m365::GraphRequest>& requests, std::stop_token stop) override;
  bool batches() const override;

 private:
  const std::shared_ptr<Tokens> tokens_;
  void wait(std::chrono::milliseconds time, const std::stop_token& stop) const;

  mail::Clock& clock_;
  const std::shared_ptr<World> world_;
};

/// The JSON of an error answer.
Reply error(int status, const std::string& code);
std::string encoded(const std::string& text);

}  // namespace fake
