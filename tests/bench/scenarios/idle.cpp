// Nothing new: what so many mailboxes cost that are only polled.
#include <array>
#include <string>

#include "scenarios/scenario.h"

namespace bench {
namespace {

constexpr std::uint32_t mails_each = 2;  // so that every mailbox has had some

struct Idle {
  Usage usage;
  double cpu = 0, seconds = 0;
  Counters counters;
};

Idle watch(const Bench& bench, bool whole, const CenterSettings& settings, std::chrono::seconds window) {
  const auto folder = bench.folder("idle");
  WorldShape shape;
  shape.mailboxes = settings.mailboxes;
  shape.mails = mails_each;
  LoadServer server(shape, {}, ca_of(folder));
  const std::vector<std::string> forever{"--for", "100000"};
  Child child(whole ? host_sim_run(bench, folder, server, settings, forever)
                    : counting_host(bench, folder, server, settings, forever),
              folder / "output");
  wait_until(child, "reading every mailbox", longest_run, [&] { return server.graph.unread() == 0; });
  // The marks show in the next round; the one after it is quiet.
  child.pass(std::chrono::seconds(2 * settings.poll_seconds + (bench.size == Size::tiny ? 0 : 2)));
  const auto begun = std::chrono::steady_clock::now();
  const double before = child.usage().cpu;
  server.graph.reset_counters();
  child.pass(window);
  Idle idle;
  idle.usage = child.usage();
  idle.cpu = idle.usage.cpu - before;
  idle.counters = server.graph.counters();
  idle.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  child.ask_to_end();
  require(child.wait(std::chrono::seconds(60)).code == 0, "it did not end well");
  return idle;
}

Section idles(const Bench& bench) {
  Section section;
  section.name = "idle";
  const unsigned poll = bench.choose(10u, 10u, 1u);
  const std::chrono::seconds window(bench.choose(30, 20, 1));
  section.about = "Mailboxes with " + std::to_string(mails_each) + " mails that were fetched before, polled every " +
                  std::to_string(poll) + " s, watched for " + std::to_string(window.count()) +
                  " s. CPU in percent of one core; memory is resident, of a mailbox: what it adds to that of ten.";
  const std::vector<std::uint32_t> counts = bench.size == Size::tiny ? std::vector<std::uint32_t>{2, 20}
                                            : bench.size == Size::quick
                                                ? std::vector<std::uint32_t>{10, 1'000}
                                                : std::vector<std::uint32_t>{10, 100, 1'000, 10'000};
  for (const bool whole : {true, false}) {
    if (!whole && bench.size == Size::tiny) continue;
    Usage least;
    for (const std::uint32_t count : counts) {
      CenterSettings settings;
      settings.mailboxes = count;
      settings.poll_seconds = poll;
      const Idle idle = watch(bench, whole, settings, window);
      if (count == counts.front()) least = idle.usage;
      // A round: each mailbox was asked once.
      const double rounds = static_cast<double>(idle.counters.requests) / count;
      const double percent = idle.cpu / idle.seconds * 100;
      const double calls = static_cast<double>(idle.counters.calls) / rounds;
      const double kb = count == counts.front() ? 0
                                                : static_cast<double>(idle.usage.resident_kb - least.resident_kb) /
                                                      (count - counts.front());
      Row row;
      row.name = std::to_string(count) + (whole ? ", host-sim" : ", plugin alone");
      row.add("CPU %", percent)
          .add("calls/round", calls)
          .add("s/round", idle.seconds / rounds)
          .add("MB", mb(idle.usage.resident_kb))
          .add("KB/mailbox", kb)
          .add("threads", idle.usage.threads);
      section.rows.push_back(row);
      if (!whole || count < 1'000) continue;
      const double thousands = count / 1'000.0;
      section.targets.push_back({row.name + ": CPU %", percent, 1 * thousands});
      section.targets.push_back({row.name + ": calls/round", calls, 50 * thousands});
      section.targets.push_back({row.name + ": KB/mailbox", kb, 100});
      section.targets.push_back(
          {row.name + ": threads", static_cast<double>(idle.usage.threads), static_cast<double>(least.threads)});
    }
  }
  return section;
}

}  // namespace

Scenario idle_scenario() {
  return {"idle", "10 to 10,000 mailboxes with nothing new", &idles};
}

}  // namespace bench
