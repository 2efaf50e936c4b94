// A backlog: many mails wait; host-sim, the plugin alone, and a bare loop fetch them.
#include <string>
#include <string_view>

#include "children/floor.h"
#include "scenarios/scenario.h"

namespace bench {
namespace {

struct Backlog {
  std::string name;
  std::uint32_t mailboxes = 1, mails = 0;
  std::size_t headers = 0;
  std::string after_fetch;
  std::chrono::milliseconds round_trip{0};
  unsigned workers = 8;
};

WorldShape shape_of(const Backlog& backlog) {
  WorldShape shape;
  shape.mailboxes = backlog.mailboxes;
  shape.mails = backlog.mails;
  shape.mail.headers = backlog.headers;
  return shape;
}

CenterSettings center_of(const Backlog& backlog) {
  CenterSettings settings;
  settings.mailboxes = backlog.mailboxes;
  settings.after_fetch = backlog.after_fetch;
  settings.workers = backlog.workers;
  return settings;
}

/// What starting, signing in and stopping cost, with as many mailboxes and no mail in them.
Ended empty_run(const Bench& bench, Backlog backlog, bool whole) {
  backlog.mails = 0;
  const auto folder = bench.folder("empty");
  LoadServer server(shape_of(backlog), {}, ca_of(folder));
  const CenterSettings settings = center_of(backlog);
  return run_well(whole ? host_sim_run(bench, folder, server, settings, {"--until-idle"})
                        : counting_host(bench, folder, server, settings, {}),
                  folder / "output", longest_run);
}

struct Measured {
  Ended ended;
  Counters counters;
  double server_cpu = 0;
  std::vector<std::string> requests;
};

Measured fetch_with_host_sim(const Bench& bench, const Backlog& backlog) {
  const auto folder = bench.folder("host-sim");
  LoadServer server(shape_of(backlog), {backlog.round_trip, backlog.round_trip / 10}, ca_of(folder));
  Measured measured;
  measured.ended = run_well(host_sim_run(bench, folder, server, center_of(backlog), {"--until-idle"}),
                            folder / "output", longest_run);
  measured.counters = server.graph.counters();
  measured.server_cpu = server.cpu();
  const std::uint64_t all = std::uint64_t{backlog.mailboxes} * backlog.mails;
  require(mails_received(folder / "output") == all, "host-sim did not receive each mail once");
  require(backlog.after_fetch == "leave" || server.graph.unread() == 0, "mails were left unread");
  return measured;
}

Measured fetch_with_plugin_alone(const Bench& bench, const Backlog& backlog) {
  const auto folder = bench.folder("plugin");
  LoadServer server(shape_of(backlog), {}, ca_of(folder));
  server.graph.record(true);
  const std::uint64_t all = std::uint64_t{backlog.mailboxes} * backlog.mails;
  Measured measured;
  measured.ended = run_well(counting_host(bench, folder, server, center_of(backlog), {"--expect", std::to_string(all)}),
                            folder / "output", longest_run);
  measured.server_cpu = server.cpu();
  measured.requests = server.graph.recorded();
  require(counted(folder / "output", "mails") == static_cast<double>(all), "the plugin did not give each mail once");
  return measured;
}

/// CPU seconds.
double fetch_with_bare_loop(const Bench& bench, const Backlog& backlog, const std::vector<std::string>& requests) {
  const auto folder = bench.folder("floor");
  LoadServer server(shape_of(backlog), {}, ca_of(folder));
  const auto cpu_of = [&](const std::vector<std::string>& these) {
    const std::string file = (folder / "requests").string();
    write_requests(file, these);
    const std::vector<std::string> command{bench.self, "floor", file, std::to_string(server.port()),
                                           ca_of(folder).string()};
    return run_well(command, folder / "output", longest_run).cpu;
  };
  const double empty = cpu_of({requests.front()});  // the handshake, the token
  return cpu_of(requests) - empty;
}

Row measure(const Bench& bench, const Backlog& backlog) {
  const double all = static_cast<double>(backlog.mailboxes) * backlog.mails;
  const Ended host_idle = empty_run(bench, backlog, true), plugin_idle = empty_run(bench, backlog, false);
  const Measured host = fetch_with_host_sim(bench, backlog);
  const Measured plugin = fetch_with_plugin_alone(bench, backlog);
  const double floor_cpu = fetch_with_bare_loop(bench, backlog, plugin.requests) * 1000 / all;
  const double plugin_cpu = (plugin.ended.cpu - plugin_idle.cpu) * 1000 / all;
  Row row;
  row.name = backlog.name;
  row.add("mails/s", all / host.ended.seconds)
      .add("CPU ms/mail", (host.ended.cpu - host_idle.cpu) * 1000 / all)
      .add("plugin alone", plugin_cpu)
      .add("floor", floor_cpu)
      .add("plugin / floor", plugin_cpu / floor_cpu)
      .add("requests/mail", static_cast<double>(host.counters.requests) / all)
      .add("calls/mail", static_cast<double>(host.counters.calls) / all)
      .add("idle MB", mb(host_idle.peak_kb))
      .add("peak MB", mb(host.ended.peak_kb))
      .add("server CPU ms/mail", host.server_cpu * 1000 / all);
  return row;
}

double figure(const Row& row, const std::string& name) {
  for (const auto& [each, value] : row.figures) {
    if (each == name) return value;
  }
  return 0;
}

constexpr const char* columns =
    "CPU of host-sim with the plugin, its own storing (fsync before ACCEPTED) included; of the plugin alone in a host "
    "that only counts; of a bare loop that makes the same requests over OpenSSL and reads the answers into one buffer. "
    "Each less what a run on empty mailboxes costs. Requests count the inner ones of a batch, calls the batch as one.";

Section backlogs(const Bench& bench) {
  Section section;
  section.name = "backlog";
  section.about =
      std::string(
          "Mails of 8 KB html, without and with 10 KB of transport headers; no latency. In one mailbox fewer "
          "are marked: the service takes 10,000 requests of a mailbox in 10 minutes, and a mark is one. ") +
      columns;
  const auto marked_in_one = bench.choose<std::uint32_t>(9'000, 2'000, 60),
             left_in_one = bench.choose<std::uint32_t>(20'000, 2'000, 60),
             in_each = bench.choose<std::uint32_t>(200, 20, 3);
  const auto many = bench.choose<std::uint32_t>(100, 100, 5);
  for (const std::size_t headers : {std::size_t{0}, std::size_t{10'000}}) {
    for (const bool one : {true, false}) {
      for (const char* const after : {"mark_read", "leave"}) {
        if (bench.size == Size::tiny && (headers == 0) != one) continue;
        const bool reads = after == std::string_view("mark_read");
        const std::uint32_t in_one = reads ? marked_in_one : left_in_one;
        Backlog backlog;
        backlog.mailboxes = one ? 1 : many;
        backlog.mails = one ? in_one : in_each;
        backlog.headers = headers;
        backlog.after_fetch = after;
        backlog.name = (one ? std::to_string(in_one) + " in one"
                            : std::to_string(in_each) + " in each of " + std::to_string(many)) +
                       (headers > 0 ? ", 10 KB headers, " : ", ") + after;
        section.rows.push_back(measure(bench, backlog));
        const Row& row = section.rows.back();
        if (headers == 0 && reads)
          section.targets.push_back({row.name + ": CPU ms/mail of host-sim", figure(row, "CPU ms/mail"), 0.25});
        if (headers == 0)
          section.targets.push_back({row.name + ": plugin alone / floor", figure(row, "plugin / floor"), 2.5});
        section.targets.push_back({row.name + ": requests/mail", figure(row, "requests/mail"), reads ? 1.05 : 0.03});
      }
    }
  }
  return section;
}

Section two_thousand(const Bench& bench) {
  Section section;
  section.name = "two-thousand";
  section.about = std::string("2,000 mails of 8 KB html with 10 KB of transport headers, one mailbox. ") + columns;
  for (const char* const after : {"mark_read", "leave"}) {
    if (bench.size == Size::tiny && after == std::string("leave")) continue;
    Backlog backlog;
    backlog.mails = bench.choose<std::uint32_t>(2'000, 2'000, 40);
    backlog.headers = 10'000;
    backlog.name = backlog.after_fetch = after;
    section.rows.push_back(measure(bench, backlog));
  }
  return section;
}

}  // namespace

Scenario backlog_scenario() {
  return {"backlog", "many mails wait in one mailbox, and some in each of many", &backlogs};
}

Scenario two_thousand_scenario() {
  return {"two-thousand", "2,000 mails with long headers in one mailbox", &two_thousand};
}

}  // namespace bench
