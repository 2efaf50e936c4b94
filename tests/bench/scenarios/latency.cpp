// A backlog over a distance: what limits it.
#include <algorithm>
#include <string>

#include "scenarios/scenario.h"

namespace bench {
namespace {

constexpr std::chrono::milliseconds round_trip(50), work(5);

/// Seconds that the gate of four asks of one mailbox for what was asked of it, and nothing else: a page takes one of
/// four places for a round trip, and the next one follows it, which it names; a batch of marks takes all four for a
/// round trip and its requests, four at a time, so that no page is under way meanwhile.
double gate_seconds(const Counters& counters, std::uint32_t mailboxes, bool marks) {
  const double trip = std::chrono::duration<double>(round_trip).count(),
               each = std::chrono::duration<double>(work).count();
  const double pages = static_cast<double>(counters.pages + counters.lists) / mailboxes;
  double sum = pages * (trip + each);
  if (marks) {
    const double batches = static_cast<double>(counters.calls - counters.pages - counters.lists) / mailboxes;
    const double marked = static_cast<double>(counters.marks) / mailboxes;
    sum += batches * trip + marked / 4 * each;
  }
  return sum;
}

Row measure(const Bench& bench, std::uint32_t mailboxes, std::uint32_t mails, unsigned workers, const char* after) {
  const auto folder = bench.folder("latency");
  WorldShape shape;
  shape.mailboxes = mailboxes;
  shape.mails = mails;
  LoadServer server(shape, {round_trip, work}, ca_of(folder));
  CenterSettings settings;
  settings.mailboxes = mailboxes;
  settings.workers = workers;
  settings.after_fetch = after;
  const Ended ended =
      run_well(host_sim_run(bench, folder, server, settings, {"--until-idle"}), folder / "output", longest_run);
  const double all = static_cast<double>(mailboxes) * mails;
  require(mails_received(folder / "output") == static_cast<std::uint64_t>(all),
          "host-sim did not receive each mail once");
  Row row;
  row.name = std::to_string(mails) + " in each of " + std::to_string(mailboxes) + ", " + after + ", " +
             std::to_string(workers) + " workers";
  row.add("mails/s", all / ended.seconds)
      .add("seconds", ended.seconds)
      .add("the gate asks for s", gate_seconds(server.graph.counters(), mailboxes, std::string(after) == "mark_read"))
      .add("calls at a time", server.most_in_flight())
      .add("cores used", ended.cpu / ended.seconds)
      .add("cores of the server", server.cpu() / ended.seconds);
  return row;
}

Section latency(const Bench& bench) {
  Section section;
  section.name = "latency";
  section.about =
      "Mails of 8 KB html, round trip 50 ms and 5 ms of work a request, four at a time in a batch. Each worker waits "
      "for "
      "one call at a time; four requests at a time go to one mailbox.";
  const auto many = bench.choose<std::uint32_t>(100, 100, 5), each = bench.choose<std::uint32_t>(200, 50, 3);
  const auto few = bench.choose<std::uint32_t>(10, 10, 2);
  const auto one = bench.choose<std::uint32_t>(5'000, 1'000, 40);
  for (const char* const after : {"mark_read", "leave"}) {
    if (bench.size == Size::tiny && after == std::string("leave")) continue;
    section.rows.push_back(measure(bench, 1, one, 8, after));
    section.rows.push_back(measure(bench, many, each, 8, after));
    section.rows.push_back(measure(bench, many, each, 64, after));
    // Few enough for the machine not to be what limits.
    section.rows.push_back(measure(bench, few, one * 2 / 5, 64, after));
  }
  return section;
}

}  // namespace

Scenario latency_scenario() {
  return {"latency", "a backlog at 50 ms round trip, and what limits it", &latency};
}

}  // namespace bench
