// Large things: memory is the figure.
#include <fstream>
#include <string>

#include "scenarios/scenario.h"

namespace bench {
namespace {

constexpr std::uint64_t megabyte = 1 << 20;

/// host-sim fetches `mails` with an attachment each, the peak of an empty run taken off.
Row fetch(const Bench& bench, std::uint32_t mails, std::uint64_t size, long idle_kb) {
  const auto folder = bench.folder("attachments");
  WorldShape shape;
  shape.mails = mails;
  shape.mail.attachment = size;
  LoadServer server(shape, {}, ca_of(folder));
  const Ended ended =
      run_well(host_sim_run(bench, folder, server, {}, {"--until-idle"}), folder / "output", longest_run);
  require(mails_received(folder / "output") == mails, "host-sim did not receive each mail once");
  require(server.graph.counters().attachments == mails, "attachments were not read once each");
  const double mega = static_cast<double>(mails) * static_cast<double>(size) / static_cast<double>(megabyte);
  Row row;
  row.name = std::to_string(mails) + " of " + std::to_string(size / megabyte) + " MB, fetched";
  row.add("MB/s", mega / ended.seconds)
      .add("CPU ms/MB", ended.cpu * 1000 / mega)
      .add("idle MB", mb(idle_kb))
      .add("peak MB over idle", mb(ended.peak_kb - idle_kb))
      .add("server CPU ms/MB", server.cpu() * 1000 / mega);
  return row;
}

std::vector<std::string> send_command(const Bench& bench, const std::filesystem::path& folder, const LoadServer& server,
                                      std::uint64_t size) {
  const auto text = folder / "text", file = folder / "order.pdf";
  std::ofstream(text) << "Here it is.\n";
  std::vector<std::string> command = host_sim_run(bench, folder, server, {}, {});
  command[1] = "send";
  for (const std::string part :
       {"--from", "m00000@bench.example", "--to", "customer@fabrikam.example", "--subject", "Your order", "--text"})
    command.push_back(part);
  command.push_back(text.string());
  if (size == 0) return command;
  std::ofstream out(file, std::ios::binary);
  std::string block(megabyte, 'x');
  for (std::size_t i = 0; i < block.size(); ++i) block[i] = static_cast<char>(i * 131 + (i >> 8));
  for (std::uint64_t written = 0; written < size; written += block.size()) out.write(block.data(), megabyte);
  command.emplace_back("--attach");
  command.push_back(file.string());
  return command;
}

Ended send(const Bench& bench, std::uint64_t size, double& server_cpu) {
  const auto folder = bench.folder("send");
  LoadServer server(WorldShape(), {}, ca_of(folder));
  const Ended ended = run_well(send_command(bench, folder, server, size), folder / "output", longest_run);
  const Counters counters = server.graph.counters();
  require(counters.sends == 1 && counters.uploaded >= size, "the mail was not sent whole");
  server_cpu = server.cpu();
  return ended;
}

long empty_peak(const Bench& bench) {
  const auto folder = bench.folder("empty");
  LoadServer server(WorldShape(), {}, ca_of(folder));
  return run_well(host_sim_run(bench, folder, server, {}, {"--until-idle"}), folder / "output", longest_run).peak_kb;
}

Section attachments(const Bench& bench) {
  Section section;
  section.name = "attachments";
  section.about =
      "host-sim stores each attachment in a file (fsync) with its SHA-256. Peak memory less that of an empty mailbox, "
      "or "
      "of sending a small mail.";
  const long idle = empty_peak(bench);
  const std::uint64_t large = bench.choose<std::uint64_t>(100, 100, 5) * megabyte;
  section.rows.push_back(fetch(bench, bench.choose<std::uint32_t>(500, 100, 5), megabyte, idle));
  section.rows.push_back(fetch(bench, 1, large, idle));

  double server_cpu = 0;
  const long small = send(bench, 0, server_cpu).peak_kb;
  const Ended sent = send(bench, large, server_cpu);
  const double mega = static_cast<double>(large) / static_cast<double>(megabyte);
  Row row;
  row.name = "1 of " + std::to_string(large / megabyte) + " MB, sent";
  row.add("MB/s", mega / sent.seconds)
      .add("CPU ms/MB", sent.cpu * 1000 / mega)
      .add("idle MB", mb(small))
      .add("peak MB over idle", mb(sent.peak_kb - small))
      .add("server CPU ms/MB", server_cpu * 1000 / mega);
  section.rows.push_back(row);
  for (std::size_t i = 1; i < section.rows.size(); ++i)
    section.targets.push_back({section.rows[i].name + ": peak MB over idle", section.rows[i].figures[3].second, 60});
  return section;
}

}  // namespace

Scenario attachments_scenario() {
  return {"attachments", "500 of 1 MB; one of 100 MB in each direction: peak memory", &attachments};
}

}  // namespace bench
