// The real state file on a disk that can fail for a while.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include "store/store.h"

namespace fake {

/// Every function that writes throws (state_disk) while `fails`, and has changed nothing.
class FlakyStore final : public store::Store {
 public:
  /// `decisions` counts the transactions that wrote receipts.
  FlakyStore(std::shared_ptr<store::Store> real, std::atomic<bool>& fails, std::atomic<unsigned>& decisions)
      : real_(std::move(real)), fails_(fails), decisions_(decisions) {}

  store::StreamId stream(const store::StreamKey& key) override { return real_->stream(key); }
  store::Cursor cursor(store::StreamId id) override { return real_->cursor(id); }
  void save_cursor(store::StreamId id, const store::Cursor& c) override { writing().save_cursor(id, c); }
  std::optional<store::Receipt> receipt(store::StreamId id, std::string_view m) override {
    return real_->receipt(id, m);
  }
  std::optional<store::Receipt> receipt_like(const store::Fingerprint& f) override { return real_->receipt_like(f); }
  std::vector<std::optional<store::Receipt>> receipts_like(const std::vector<store::Fingerprint>& f) override {
    return real_->receipts_like(f);
  }
  std::vector<bool> receipts_known(store::StreamId id, const std::vector<std::string>& m) override {
    return real_->receipts_known(id, m);
  }
  void decide(const store::Receipt& r) override {
    writing().decide(r);
    ++decisions_;
  }
  void decide_all(const std::vector<store::Receipt>& r) override {
    writing().decide_all(r);
    ++decisions_;
  }
  void marked(store::StreamId id, const std::vector<store::Mark>& m) override { writing().marked(id, m); }
  void set_gone(store::StreamId id, std::string_view m, bool gone) override { writing().set_gone(id, m, gone); }
  std::vector<store::Mark> to_mark(store::StreamId id, std::size_t most) override { return real_->to_mark(id, most); }
  std::size_t to_mark_count(store::StreamId id, std::size_t most) override { return real_->to_mark_count(id, most); }
  std::vector<store::Receipt> receipts_after(store::StreamId id, std::string_view a, std::size_t most) override {
    return real_->receipts_after(id, a, most);
  }
  std::string receipt_somewhere(store::StreamId id, std::uint64_t random) override {
    return real_->receipt_somewhere(id, random);
  }
  bool seen_missing(store::StreamId id, std::string_view m) override { return writing().seen_missing(id, m); }
  void set_aside(const store::SetAside& m) override { writing().set_aside(m); }
  void set_aside_all(const std::vector<store::SetAside>& m) override { writing().set_aside_all(m); }
  std::optional<store::SetAside> aside(store::StreamId id, std::string_view m) override { return real_->aside(id, m); }
  std::vector<std::optional<store::SetAside>> asides_of(store::StreamId id,
                                                        const std::vector<std::string>& m) override {
    return real_->asides_of(id, m);
  }
  std::vector<store::SetAside> asides(store::StreamId id) override { return real_->asides(id); }
  void drop_aside(store::StreamId id, std::string_view m) override { writing().drop_aside(id, m); }
  std::optional<store::Submission> submission(std::string_view s, std::string_view k) override {
    return real_->submission(s, k);
  }
  void save_submission(const store::Submission& s) override { writing().save_submission(s); }
  bool submissions_lost() override { return real_->submissions_lost(); }
  std::optional<store::Submission> submission_sent_as(std::string_view m) override {
    return real_->submission_sent_as(m);
  }
  std::vector<store::Submission> late_drafts(std::string_view s, store::WallTime now, std::size_t most) override {
    return real_->late_drafts(s, now, most);
  }
  void late_drafts_seen(const store::Submission& s) override { writing().late_drafts_seen(s); }
  void forget_submissions(store::WallTime before) override { writing().forget_submissions(before); }
  std::optional<std::string> note_automatic(const store::AutomaticAnswer& a, unsigned limit,
                                            std::chrono::milliseconds window) override {
    return writing().note_automatic(a, limit, window);
  }
  bool password_refused(std::string_view a, std::string_view p) override { return real_->password_refused(a, p); }
  void remember_refused_password(std::string_view a, std::string_view p) override {
    writing().remember_refused_password(a, p);
  }
  void forget_refused_password(std::string_view a) override { writing().forget_refused_password(a); }

 private:
  store::Store& writing() {
    if (fails_) {
      throw mail::FaultError({mail::Cause::state_disk, mail::Remedy::administrator, "the disk is full", "", "",
                              std::chrono::milliseconds(0), false});
    }
    return *real_;
  }

  const std::shared_ptr<store::Store> real_;
  std::atomic<bool>& fails_;
  std::atomic<unsigned>& decisions_;
};

}  // namespace fake
