// The disk is full, the process is killed, many come at once.
#include <cppunit/extensions/HelperMacros.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <latch>
#include <thread>

#include "fixture.h"
#include "sql.h"

namespace {

// No file of this process may grow beyond a size: a write then fails as on a broken disk.
// As long as Graph's: short ones take another way through the store.
std::string id_of(int group, int number) {
  return std::string(120, 'A') + std::to_string(100'000 + group) + "." + std::to_string(1'000'000 + number);
}

class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    handler_ = ::signal(SIGXFSZ, SIG_IGN);
    const rlimit now{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int) = nullptr;
};

}  // namespace

class StoreFaultsTest : public CppUnit::TestFixture, StoreFixture {
  CPPUNIT_TEST_SUITE(StoreFaultsTest);
  CPPUNIT_TEST(a_full_disk_changes_nothing_and_heals);
  CPPUNIT_TEST(a_write_that_fails_changes_nothing_and_heals);
  CPPUNIT_TEST(another_program_that_writes_is_waited_for_or_told);
  CPPUNIT_TEST(a_copy_that_another_program_makes_disturbs_nobody);
  CPPUNIT_TEST(killed_at_any_moment_keeps_what_was_acknowledged);
  CPPUNIT_TEST(many_threads_at_once);
  CPPUNIT_TEST(the_same_stream_made_by_many_is_one);
  CPPUNIT_TEST_SUITE_END();

 public:
  void a_full_disk_changes_nothing_and_heals() {
    options.most_pages = 40;
    open();
    const auto inbox = stream();
    int written = 0;
    const auto fault = fill_until_fault(inbox, written);
    CPPUNIT_ASSERT(mail::Cause::state_disk == fault.cause);
    CPPUNIT_ASSERT(mail::Remedy::wait == fault.remedy);
    CPPUNIT_ASSERT_MESSAGE(fault.text, fault.text.find("make room") != std::string::npos);
    CPPUNIT_ASSERT(fault.text.find(file().string()) != std::string::npos);
    expect_exactly(inbox, written);
    store->set_gone(inbox, "0", true);  // what needs no room goes on
    store->forget_submissions(at(1));   // makes room
    store->decide(big(inbox, written++));
    expect_exactly(inbox, written);
    open();
    expect_exactly(inbox, written);
  }

  void a_write_that_fails_changes_nothing_and_heals() {
    open();
    const auto inbox = stream();
    int written = 0;
    {
      const FileSizeLimit limit(256 * 1024);
      const auto fault = fill_until_fault(inbox, written);
      CPPUNIT_ASSERT(mail::Cause::state_disk == fault.cause);
      CPPUNIT_ASSERT(mail::Remedy::wait == fault.remedy);
      expect_exactly(inbox, written);
    }
    store->decide(big(inbox, written++));
    expect_exactly(inbox, written);
    open();
    expect_exactly(inbox, written);
    CPPUNIT_ASSERT(log.lines().empty());
  }

  void another_program_that_writes_is_waited_for_or_told() {
    open();
    const auto inbox = stream();
    sqlite3* other = nullptr;
    sqlite3_open(file().c_str(), &other);
    CPPUNIT_ASSERT_EQUAL(SQLITE_OK, sqlite3_exec(other, "begin immediate", nullptr, nullptr, nullptr));
    try {
      store->decide(receipt(inbox, "a"));
      CPPUNIT_FAIL("no fault");
    } catch (const mail::FaultError& error) {
      CPPUNIT_ASSERT(mail::Remedy::wait == error.fault().remedy);
      CPPUNIT_ASSERT_MESSAGE(error.what(), error.fault().text.find("held by another program") != std::string::npos);
    }
    CPPUNIT_ASSERT(!store->receipt(inbox, "a"));  // who only looks is not held up
    sqlite3_exec(other, "rollback", nullptr, nullptr, nullptr);
    sqlite3_close(other);
    store->decide(receipt(inbox, "a"));
    CPPUNIT_ASSERT(store->receipt(inbox, "a"));
  }

  void a_copy_that_another_program_makes_disturbs_nobody() {
    open();
    const auto inbox = stream();
    sqlite3* other = nullptr;
    sqlite3_open(file().c_str(), &other);
    sqlite3_exec(other, "begin; select * from receipt", nullptr, nullptr, nullptr);
    store->decide(receipt(inbox, "a"));
    CPPUNIT_ASSERT(store->receipt(inbox, "a"));
    sqlite3_close(other);
  }

  // A child tells each receipt that decide() has returned for; killed, it leaves at least those.
  void killed_at_any_moment_keeps_what_was_acknowledged() {
    int told_before_kill = 1;
    for (int round = 0; round < 5; ++round, told_before_kill += 37) {
      int pipe[2];
      CPPUNIT_ASSERT_EQUAL(0, ::pipe2(pipe, O_CLOEXEC));
      store.reset();
      const pid_t child = ::fork();
      if (child == 0) write_for_ever(round, pipe[1]);
      ::close(pipe[1]);
      std::vector<int> told;
      for (int number; ::read(pipe[0], &number, sizeof number) == static_cast<ssize_t>(sizeof number);) {
        told.push_back(number);
        if (static_cast<int>(told.size()) == told_before_kill) ::kill(child, SIGKILL);
      }
      ::close(pipe[0]);
      int status = 0;
      ::waitpid(child, &status, 0);
      CPPUNIT_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
      CPPUNIT_ASSERT(static_cast<int>(told.size()) >= told_before_kill);

      open();
      CPPUNIT_ASSERT(log.lines().empty());
      const auto inbox = stream();
      for (const int number : told) {
        const std::string id = id_of(round, number);
        CPPUNIT_ASSERT_MESSAGE(id, store->receipt(inbox, id));
        CPPUNIT_ASSERT_MESSAGE(id, !store->aside(inbox, id));
      }
      // A receipt and the end of its set-aside row are one: the mail that was not told is wholly before or after.
      const std::string next = id_of(round, told.back() + 1);
      CPPUNIT_ASSERT(!(store->receipt(inbox, next) && store->aside(inbox, next)));
    }
  }

  void many_threads_at_once() {
    open();
    constexpr int threads = 6, each = 40;
    const auto inbox = stream();
    std::latch together(threads);
    std::vector<std::future<void>> all;
    for (int t = 0; t < threads; ++t) {
      all.push_back(std::async(std::launch::async, [&, t] {
        together.arrive_and_wait();
        const auto own = stream("folder" + std::to_string(t % 3));
        for (int i = 0; i < each; ++i) {
          const std::string id = id_of(t, i);
          store->decide(receipt(own, id));
          if (!store->receipt(own, id)) throw std::runtime_error("own write not seen: " + id);
          store->receipts_after(own, "", 5);
          store->save_cursor(own, {id, "", at(0), "all", true, at(0), at(0)});
          store->decide(receipt(inbox, id));
        }
      }));
    }
    for (auto& one : all) one.get();
    CPPUNIT_ASSERT_EQUAL(std::size_t{threads * each}, store->receipts_after(inbox, "", 9'999).size());
  }

  void the_same_stream_made_by_many_is_one() {
    open();
    std::latch together(4);
    std::vector<std::future<store::StreamId>> all;
    for (int t = 0; t < 4; ++t) {
      all.push_back(std::async(std::launch::async, [&] {
        together.arrive_and_wait();
        return stream("new");
      }));
    }
    const auto id = stream("new");
    for (auto& one : all) CPPUNIT_ASSERT_EQUAL(id, one.get());
  }

 private:
  store::Receipt big(store::StreamId stream, int number) const {
    store::Receipt r = receipt(stream, std::to_string(number));
    r.attachments_digest = std::string(2'000, 'x');
    return r;
  }

  mail::Fault fill_until_fault(store::StreamId inbox, int& written) {
    store::Submission old;
    old.server = "contoso/app";
    old.step = store::Step::done;
    old.reason = std::string(20'000, 'x');
    store->save_submission(old);
    try {
      for (; written < 10'000; ++written) store->decide(big(inbox, written));
    } catch (const mail::FaultError& error) {
      return error.fault();
    }
    CPPUNIT_FAIL("never full");
    return {};
  }

  void expect_exactly(store::StreamId inbox, int written) {
    CPPUNIT_ASSERT(written > 0);
    CPPUNIT_ASSERT_EQUAL(static_cast<std::size_t>(written), store->receipts_after(inbox, "", 99'999).size());
    CPPUNIT_ASSERT(store->receipt(inbox, std::to_string(written - 1)));
    CPPUNIT_ASSERT(!store->receipt(inbox, std::to_string(written)));
  }

  [[noreturn]] void write_for_ever(int round, int to) {
    try {
      open();
      const auto inbox = stream();
      for (int number = 0;; ++number) {
        const std::string id = id_of(round, number);
        store->set_aside({inbox, id, "offered", at(0), at(0), 0, true});
        store->decide(receipt(inbox, id));
        if (::write(to, &number, sizeof number) < 0) break;
      }
    } catch (const std::exception&) {
    }
    ::_exit(1);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(StoreFaultsTest);
