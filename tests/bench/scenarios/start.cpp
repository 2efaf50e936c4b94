// Starting with everything that years leave behind: ten thousand mailboxes, a million receipts.
#include <algorithm>
#include <string>
#include <utility>

#include "scenarios/scenario.h"
#include "scenarios/state_file.h"

namespace bench {
namespace {

double seconds_after(std::chrono::steady_clock::time_point begun, std::chrono::steady_clock::time_point then) {
  return std::chrono::duration<double>(then - begun).count();
}

struct World {
  std::filesystem::path folder;
  CenterSettings settings;
  LoadServer server;
};

enum class End { asked, killed };

/// A start with what is in the folder, until every mailbox was polled.
Row start(const Bench& bench, World& world, const std::string& name, End end) {
  world.server.graph.reset_counters();
  const auto begun = std::chrono::steady_clock::now();
  Child child(host_sim_run(bench, world.folder, world.server, world.settings, {"--for", "100000"}),
              world.folder / "output");
  wait_until(child, "polling every mailbox", longest_run,
             [&] { return world.server.graph.counters().mailboxes_polled == world.settings.mailboxes; });
  const Usage usage = child.usage();
  const Counters counters = world.server.graph.counters();
  if (end == End::killed) {
    // In the middle of work: a change is in the log, which is not worked into the file yet.
    const auto state = find_state_file(world.folder / "data");
    world.server.graph.arrive(1);
    wait_until(child, "a change of the state", std::chrono::seconds(120), [&] { return log_size(state) > 0; });
  } else {
    child.ask_to_end();
    require(child.wait(std::chrono::seconds(60)).code == 0, "host-sim did not end well");
  }  // else the child's end is that of this function
  Row row;
  row.name = name;
  row.add("first poll s", seconds_after(begun, counters.first_poll))
      .add("last first poll s", seconds_after(begun, counters.last_new_poll))
      .add("CPU s", usage.cpu)
      .add("calls", static_cast<double>(counters.calls))
      .add("peak MB", mb(usage.peak_kb));
  return row;
}

/// The plugin alone, with the state that host-sim's plugin has.
std::vector<std::string> counting_host_there(const Bench& bench, const World& world, std::uint32_t mailboxes) {
  CenterSettings settings = world.settings;
  settings.mailboxes = mailboxes;
  std::vector<std::string> command = counting_host(bench, world.folder, world.server, settings, {});
  *(std::find(command.begin(), command.end(), "--state") + 1) =
      find_state_file(world.folder / "data").parent_path().string();
  return command;
}

/// What a known row costs: the plugin alone with one mailbox, its change feed lost and read anew, less a run without
/// that.
Row known_rows(const Bench& bench, World& world, std::uint32_t rows) {
  const std::vector<std::string> command = counting_host_there(bench, world, 1);
  const double before = run_well(command, world.folder / "output", longest_run).cpu;
  world.server.graph.reset_counters();
  world.server.graph.lose_delta_state(0);
  const double cpu = run_well(command, world.folder / "output", longest_run).cpu - before;
  require(counted(world.folder / "output", "mails") == 0, "a mail that was known came again");
  const Counters counters = world.server.graph.counters();
  Row row;
  row.name = "a change feed lost: its folder of " + std::to_string(rows) + " read anew";
  row.add("pages", static_cast<double>(counters.pages))
      .add("lists", static_cast<double>(counters.lists))
      .add("CPU us/row", cpu * 1e6 / rows);
  return row;
}

Section starts(const Bench& bench) {
  Section section;
  section.name = "start";
  const auto mailboxes = bench.choose<std::uint32_t>(10'000, 1'000, 20);
  const auto receipts = bench.choose<std::uint64_t>(1'000'000, 100'000, 1'000);
  const auto large = bench.choose<std::uint32_t>(10'000, 2'000, 100);
  WorldShape shape;
  shape.mailboxes = mailboxes;
  shape.mails = 1;
  shape.more_in_first = large - 1;
  shape.mail.html = 1'000;
  const auto folder = bench.folder("start");
  CenterSettings settings;
  settings.mailboxes = mailboxes;
  settings.after_fetch = "leave";
  World world{folder, settings, LoadServer(shape, {}, ca_of(folder))};
  // host-sim makes the place; the plugin alone fills it, which is sooner done.
  run_well(host_sim_run(bench, folder, world.server, settings, {"--for", "1"}), folder / "output", longest_run);
  const std::filesystem::path state = find_state_file(folder / "data");
  run_well(counting_host_there(bench, world, mailboxes), folder / "output", longest_run);
  const double each = static_cast<double>(size_of(state)) / static_cast<double>(receipts_in(state));
  fill_receipts(state, receipts);
  const double each_of_many = static_cast<double>(size_of(state)) / static_cast<double>(receipts_in(state));
  const std::string there = std::to_string(receipts_in(state)) + " receipts";
  section.rows.push_back(start(bench, world, there, End::killed));
  section.rows.push_back(start(bench, world, there + ", after it was killed", End::asked));
  section.rows.push_back(known_rows(bench, world, large));
  Row file;
  file.name = "state file";
  file.add("bytes/mail, few", each)
      .add("bytes/mail, many", each_of_many)
      .add("look-up us, SQLite", lookup_us(state, bench.choose(20'000, 2'000, 100)));
  section.rows.push_back(file);
  section.about = "host-sim with " + std::to_string(mailboxes) +
                  " mailboxes, no latency: from its start to the first poll of "
                  "the first mailbox, and of the last. A known row: decoded, looked up, passed over.";
  for (const std::size_t row : {std::size_t{0}, std::size_t{1}})
    section.targets.push_back({section.rows[row].name + ": first poll s", section.rows[row].figures[0].second, 5});
  section.targets.push_back({"look-up us, SQLite", file.figures[2].second, 20});
  return section;
}

}  // namespace

Scenario start_scenario() {
  return {"start", "10,000 mailboxes and a state file of a million receipts", &starts};
}

}  // namespace bench
