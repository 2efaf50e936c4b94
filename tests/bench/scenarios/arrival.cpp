// Mail arrives in one of many mailboxes: how long until host-sim has it safely.
#include <simdjson.h>

#include <fstream>
#include <random>
#include <string>
#include <thread>

#include "children/percentiles.h"
#include "scenarios/scenario.h"
#include "service/ids.h"

namespace bench {
namespace {

struct Arrival {
  std::uint32_t mailboxes = 1;
  double a_second = 0;
  unsigned poll_seconds = 10;
  std::chrono::milliseconds round_trip{0};
  std::chrono::seconds time{0};
};

/// "2026-01-31T08:00:00.123Z" in milliseconds since 1970.
double event_time_ms(std::string_view text) {
  WallTime time;
  require(parse_time(text, time), "an event without a time");
  double ms = std::chrono::duration<double, std::milli>(time.time_since_epoch()).count();
  if (text.size() > 23 && text[19] == '.') ms += static_cast<double>(first_number(text.substr(20, 3)).value_or(0));
  return ms;
}

/// From being there to the event that host-sim writes once the mail is safe, of each mail.
std::vector<double> ages_ms(const std::filesystem::path& events) {
  std::vector<double> ages;
  simdjson::dom::parser parser;
  std::ifstream in(events);
  for (std::string line; std::getline(in, line);) {
    simdjson::dom::object event;
    std::string_view kind, time, subject;
    if (parser.parse(line).get(event) || event["event"].get(kind) || kind != "message") continue;
    if (event["time"].get(time) || event["subject"].get(subject)) continue;
    const auto stamp = first_number(subject.substr(subject.rfind(' ') + 1));
    require(stamp.has_value(), "a mail without its time of arrival");
    ages.push_back(event_time_ms(time) - static_cast<double>(*stamp) / 1000);
  }
  return ages;
}

Row measure(const Bench& bench, const Arrival& arrival) {
  const auto folder = bench.folder("arrival");
  WorldShape shape;
  shape.mailboxes = arrival.mailboxes;
  LoadServer server(shape, {arrival.round_trip, arrival.round_trip / 10}, ca_of(folder));
  CenterSettings settings;
  settings.mailboxes = arrival.mailboxes;
  settings.poll_seconds = arrival.poll_seconds;
  const auto events = folder / "events";
  Child child(host_sim_run(bench, folder, server, settings, {"--events", events.string(), "--for", "100000"}),
              folder / "output");
  wait_until(child, "opening every mailbox", longest_run,
             [&] { return server.graph.counters().mailboxes_polled == arrival.mailboxes; });
  child.pass(std::chrono::seconds(arrival.poll_seconds));

  server.graph.reset_counters();
  const double cpu_before = child.usage().cpu;
  std::mt19937 random(1);
  const auto begun = std::chrono::steady_clock::now();
  const auto number = static_cast<std::uint64_t>(arrival.a_second * static_cast<double>(arrival.time.count()));
  for (std::uint64_t i = 0; i < number; ++i) {
    std::this_thread::sleep_until(begun +
                                  std::chrono::duration_cast<std::chrono::nanoseconds>(
                                      std::chrono::duration<double>(static_cast<double>(i) / arrival.a_second)));
    server.graph.arrive(static_cast<std::uint32_t>(random() % arrival.mailboxes));
  }
  wait_until(child, "fetching what arrived", std::chrono::seconds(120), [&] { return server.graph.unread() == 0; });
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  const double cpu = child.usage().cpu - cpu_before;
  child.ask_to_end();
  require(child.wait(std::chrono::seconds(60)).code == 0, "host-sim did not end well");
  const std::vector<double> ages = ages_ms(events);
  require(ages.size() == number, "host-sim did not receive each mail once");
  const Percentiles found = percentiles(ages);
  Row row;
  row.name = std::to_string(arrival.mailboxes) + " mailboxes";
  row.add("mails", static_cast<double>(number))
      .add("median s", found.median / 1000)
      .add("p99 s", found.p99 / 1000)
      .add("longest s", found.most / 1000)
      .add("CPU %", cpu / seconds * 100)
      .add("server CPU %", server.cpu() / seconds * 100);
  return row;
}

Section arrivals(const Bench& bench) {
  Arrival arrival;
  arrival.mailboxes = bench.choose<std::uint32_t>(1'000, 1'000, 30);
  arrival.a_second = bench.choose(20.0, 20.0, 10.0);
  arrival.poll_seconds = bench.choose(10u, 10u, 1u);
  arrival.round_trip = std::chrono::milliseconds(bench.choose(100, 100, 10));
  arrival.time = std::chrono::seconds(bench.choose(120, 30, 2));
  Section section;
  section.name = "arrival";
  section.about =
      "20 mails a second somewhere among them, polled every " + std::to_string(arrival.poll_seconds) +
      " s; round trip " + std::to_string(arrival.round_trip.count()) +
      " ms, and a tenth of it for the service's work on each request (four at a time in a batch). From being "
      "there to the event that host-sim writes once the mail is safe.";
  section.rows.push_back(measure(bench, arrival));
  const auto& figures = section.rows.back().figures;
  const double round_trip = static_cast<double>(arrival.round_trip.count()) / 1000;
  section.targets.push_back({"median s", figures[1].second, arrival.poll_seconds / 2.0 + 3 * round_trip});
  section.targets.push_back({"p99 s", figures[2].second, arrival.poll_seconds + 1.0});
  return section;
}

}  // namespace

Scenario arrival_scenario() {
  return {"arrival", "from being there to the host's verdict, among 1,000 mailboxes", &arrivals};
}

}  // namespace bench
