// Replies leave while a backlog is fetched, and without one.
#include <string>

#include "scenarios/scenario.h"

namespace bench {
namespace {

Row measure(const Bench& bench, bool backlog) {
  const auto mailboxes = bench.choose<std::uint32_t>(50, 50, 5), replies = bench.choose<std::uint32_t>(1'000, 200, 10);
  const auto folder = bench.folder("replies");
  WorldShape shape;
  shape.mailboxes = mailboxes;
  shape.mails = backlog ? bench.choose<std::uint32_t>(2'000, 500, 20) : replies / mailboxes;
  const std::chrono::milliseconds round_trip(50);
  LoadServer server(shape, {round_trip, round_trip / 10}, ca_of(folder));
  CenterSettings settings;
  settings.mailboxes = mailboxes;
  std::vector<std::string> more{
      "--replies", std::to_string(replies), "--reply-mailboxes", std::to_string(mailboxes), "--replies-a-second", "20"};
  more.emplace_back(backlog ? "--replies-are-all" : "--replies-when-idle");
  const Ended ended = run_well(counting_host(bench, folder, server, settings, more), folder / "output", longest_run);
  const double fetched = counted(folder / "output", "mails");
  require(counted(folder / "output", "failed") == 0, "a reply was not sent");
  if (backlog && bench.size != Size::tiny)
    require(server.graph.unread() > 0, "the backlog ended before the replies did: its figures say nothing");
  Row row;
  row.name = backlog ? "while a backlog is fetched" : "nothing else";
  row.add("replies", counted(folder / "output", "sent"))
      .add("median ms", counted(folder / "output", "reply_median"))
      .add("p99 ms", counted(folder / "output", "reply_p99"))
      .add("mails fetched/s", backlog ? fetched / ended.seconds : 0)
      .add("server CPU %", server.cpu() / ended.seconds * 100);
  return row;
}

Section replies(const Bench& bench) {
  Section section;
  section.name = "replies";
  section.about =
      "Small replies from 50 mailboxes, 20 a second, each to a mail that stands there (found, answered, filled, sent, "
      "its "
      "Message-ID read back: six requests), by 16 workers; round trip 50 ms and 5 ms of work a request. From submit to "
      "on_sent, "
      "plugin "
      "with a host that only counts.";
  section.rows.push_back(measure(bench, false));
  section.rows.push_back(measure(bench, true));
  return section;
}

}  // namespace

Scenario replies_scenario() {
  return {"replies", "1,000 replies over 50 mailboxes, with and without a backlog beside them", &replies};
}

}  // namespace bench
