#include "boundary/check_bridge.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

#include "boundary/guard.h"
#include "boundary/settings_reader.h"
#include "boundary/text.h"

namespace boundary {
namespace {

/// Requests a stop once the time is over. Real time, as with stop(): a host waits for it.
class Deadline {
 public:
  explicit Deadline(std::chrono::milliseconds time)
      : watch_([this, time](std::stop_token ended) {
          std::unique_lock lock(mutex_);
          passed_.wait_for(lock, ended, time, [] { return false; });
          if (!ended.stop_requested()) stop_.request_stop();
        }) {}
  std::stop_token token() const { return stop_.get_token(); }

 private:
  std::stop_source stop_;
  std::mutex mutex_;
  std::condition_variable_any passed_;
  std::jthread watch_;  // last: it uses the others
};

class HostFindings final : public mail::Findings {
 public:
  HostFindings(const mailplugin_findings& host, mail::Log& log) : host_(host), log_(log) {}
  void add(const mail::Finding& finding) override {
    mailplugin_finding told{};
    told.struct_size = sizeof told;
    told.result = static_cast<std::uint32_t>(finding.result);
    told.cause = static_cast<std::uint32_t>(finding.cause);
    told.step = finding.step.c_str();
    told.message = finding.text.c_str();
    told.code = or_null(finding.code);
    told.request_id = or_null(finding.request_id);
    called_host(log_, "findings.add", [&] { host_.add(&host_, &told); });
  }

 private:
  const mailplugin_findings& host_;
  mail::Log& log_;
};

static_assert(static_cast<int>(mail::Finding::Result::passed) == MAILPLUGIN_FINDING_PASSED);
static_assert(static_cast<int>(mail::Finding::Result::warning) == MAILPLUGIN_FINDING_WARNING);
static_assert(static_cast<int>(mail::Finding::Result::failed) == MAILPLUGIN_FINDING_FAILED);
static_assert(static_cast<int>(mail::Finding::Result::unknown) == MAILPLUGIN_FINDING_UNKNOWN);

}  // namespace

mailplugin_status check(mail::Server& server, mail::Log& log, const mailplugin_settings* mailbox,
                        std::uint32_t deadline_ms, const mailplugin_findings* findings,
                        const mailplugin_problems* problems) {
  if (findings == nullptr || !MAILPLUGIN_CAN(findings, mailplugin_findings, add)) {
    log.write(mail::Level::misuse, "look", "mailplugin_findings with add are needed");
    return MAILPLUGIN_E_ARGUMENT;
  }
  return guarded(log, "look", [&]() -> mailplugin_status {
    HostFindings told(*findings, log);
    HostProblems faults(problems, log);
    ReadSettings settings;
    if (mailbox != nullptr && !read_settings(mailbox, settings.values, faults)) return MAILPLUGIN_E_ARGUMENT;
    const Deadline deadline{std::chrono::milliseconds(deadline_ms)};
    if (mailbox == nullptr) {
      server.check(deadline.token(), told);
      return MAILPLUGIN_OK;
    }
    return server.check_mailbox(settings.values, deadline.token(), told, faults) ? MAILPLUGIN_OK : MAILPLUGIN_E_CONFIG;
  });
}

}  // namespace boundary
