// One submission after another against the mailbox, without threads: what waits is done at once, by moving the clock.
#pragma once

#include <cppunit/extensions/HelperMacros.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "m365/outgoing/outgoing_mailbox.h"
#include "m365/outgoing/submission_run.h"

namespace outgoing {

struct World {
  World()
      : store(clock),
        environment(log, clock, random, std::filesystem::temp_directory_path(),
                    [](const http::TransportOptions&) { return std::make_shared<support::ScriptedTransport>(); }),
        tokens(std::make_shared<FakeTokens>()),
        mailbox(environment, clock, tokens),
        limits(clock),
        context{mailbox,
                store,
                limits,
                clock,
                random,
                log,
                "contoso.com/app",
                "outgoing contoso.com",
                std::filesystem::temp_directory_path(),
                {}} {}

  /// Until its fate is known. The process may die on the way (Killed): then a new one goes on with the same store.
  mail::Outcome send(const mail::Mail& mail, int most_moves = 100) {
    for (int life = 0; life < 3; ++life) {
      try {
        m365::SubmissionRun run(context, mail, "support@contoso.com");
        for (int i = 0; i < most_moves; ++i) {
          const m365::NextMove move = run.advance({});
          if (move.fault) last_fault = move.fault;
          if (move.kind == m365::NextMove::Kind::finished) return move.outcome;
          CPPUNIT_ASSERT(move.kind != m365::NextMove::Kind::interrupted);
          waited += move.wait;
          clock.advance(move.wait);
        }
        CPPUNIT_FAIL("it never ends");
      } catch (const Killed&) {
        ++deaths;
      }
    }
    CPPUNIT_FAIL("it died too often");
    return {};
  }

  /// As a host does: submits again what is given back.
  mail::Outcome send_until_told(const mail::Mail& mail) {
    mail::Outcome outcome;
    for (int i = 0; i < 5; ++i) {
      outcome = send(mail);
      if (outcome.verdict != mail::Verdict::retry_later) break;
      clock.advance(outcome.retry_after);
    }
    return outcome;
  }

  store::Submission record(const std::string& key = "out-1") {
    return store.submission("contoso.com/app", key).value();
  }

  support::ManualClock clock;
  support::FixedRandom random;
  support::CapturingLog log;
  MemoryStore store;
  m365::Environment environment;
  std::shared_ptr<FakeTokens> tokens;
  Mailbox mailbox;
  m365::SendLimits limits;
  m365::SubmissionContext context;
  std::chrono::milliseconds waited{0};
  std::optional<mail::Fault> last_fault;
  int deaths = 0;
};

inline void assert_accepted(const mail::Outcome& outcome) {
  CPPUNIT_ASSERT_EQUAL_MESSAGE(outcome.reason, static_cast<int>(mail::Verdict::accepted),
                               static_cast<int>(outcome.verdict));
}

inline void assert_verdict(mail::Verdict expected, const mail::Outcome& outcome) {
  CPPUNIT_ASSERT_EQUAL_MESSAGE(outcome.reason, static_cast<int>(expected), static_cast<int>(outcome.verdict));
}

}  // namespace outgoing
