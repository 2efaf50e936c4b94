// A store in a folder of its own, with a clock that tests move.
#pragma once

#include <memory>
#include <string>

#include "store/sqlite_store.h"
#include "support/capturing_log.h"
#include "support/manual_clock.h"
#include "temp_dir.h"

class StoreFixture {
 public:
  StoreFixture() {
    options.lock_patience = std::chrono::milliseconds(0);
    options.busy = std::chrono::milliseconds(0);
    options.password_iterations = 100'000;
  }

  void open() {
    store.reset();
    store = store::open_store(
        state_dir(), log, [this] { return clock.wall(); }, options);
  }
  store::StreamId stream(const std::string& folder = "AAMkInbox") { return store->stream({"contoso", folder}); }
  std::filesystem::path state_dir() const { return dir.path(); }
  std::filesystem::path file() const { return dir / "m365.db"; }
  store::WallTime at(int minutes) const { return clock.wall() + std::chrono::minutes(minutes); }

  store::Receipt receipt(store::StreamId stream, const std::string& message_id) const {
    store::Receipt r;
    r.stream = stream;
    r.message_id = message_id;
    r.fingerprint = {"Support@contoso.com", "<" + message_id + "@example.com>", "Anna@Example.com", at(-5)};
    r.decided = at(0);
    return r;
  }

  TempDir dir;
  support::CapturingLog log;
  support::ManualClock clock;
  store::Options options;
  std::shared_ptr<store::Store> store;
};

/// What is read back of `receipt`: its fingerprint is kept as a hash only.
inline store::Receipt as_read(store::Receipt receipt) {
  receipt.fingerprint = {};
  return receipt;
}
