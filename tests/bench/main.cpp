// ./dev bench: what fetching and answering mail costs, with honest conditions. The program is its own children, too.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <stdexcept>

#include "children/counting_host.h"
#include "children/floor.h"
#include "children/serve.h"
#include "scenarios/scenario.h"

namespace bench {
namespace {

std::vector<Scenario> all_scenarios() {
  return {backlog_scenario(), two_thousand_scenario(), latency_scenario(), attachments_scenario(),
          idle_scenario(),    arrival_scenario(),      replies_scenario(), start_scenario()};
}

void usage(std::ostream& out) {
  out << "usage: bench [NAME...] [--quick | --tiny] [--json FILE] [--build DIR]\n"
         "       bench serve --dir DIR [--mailboxes N] [--mails N] [--headers BYTES] [--round-trip MS]   for a "
         "profiler\n\n"
         "  --quick   smaller numbers; --tiny   so small that the figures say nothing: it runs, that is all\n"
         "  --json    writes the results for tests/bench/compare.py\n"
         "  --build   the build to measure; default: the one this program belongs to\n\nscenarios (default: all):\n";
  for (const Scenario& scenario : all_scenarios()) {
    out << "  " << scenario.name << std::string(16 - std::min<std::size_t>(scenario.name.size(), 15), ' ')
        << scenario.what << "\n";
  }
}

struct Folder {
  std::filesystem::path path;
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "mailplugin-bench-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error(name + " cannot be made");
    path = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
};

int run(const std::vector<std::string>& arguments) {
  Bench bench;
  bench.self = std::filesystem::read_symlink("/proc/self/exe").string();
  std::filesystem::path build = std::filesystem::path(bench.self).parent_path().parent_path().parent_path();
  std::string json;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--help") return usage(std::cout), 0;
    if (argument == "--quick") {
      bench.size = Size::quick;
    } else if (argument == "--tiny") {
      bench.size = Size::tiny;
    } else if ((argument == "--json" || argument == "--build") && i + 1 < arguments.size()) {
      (argument == "--json" ? json : names.emplace_back()) = arguments[i + 1];
      if (argument == "--build") {
        build = std::filesystem::absolute(names.back());
        names.pop_back();
      }
      ++i;
    } else {
      names.push_back(argument);
    }
  }
  std::vector<Scenario> chosen;
  for (const Scenario& scenario : all_scenarios()) {
    if (names.empty() || std::find(names.begin(), names.end(), scenario.name) != names.end())
      chosen.push_back(scenario);
  }
  for (const std::string& name : names) {
    if (std::none_of(chosen.begin(), chosen.end(), [&](const Scenario& scenario) { return scenario.name == name; })) {
      std::cerr << "bench: " << name << " is none of its scenarios\n";
      return usage(std::cerr), 2;
    }
  }
  bench.host_sim = (build / "host-sim" / "host-sim").string();
  bench.plugins = (build / "plugins").string();
  bench.plugin = (build / "plugins" / "libmailplugin_m365.so").string();
  end_on_signals();
  const Folder folder;
  bench.dir = folder.path;

  Conditions conditions = bench::conditions();
  conditions.facts.emplace_back("numbers", bench.choose("full", "quick", "tiny: the figures say nothing"));
  for (const auto& [name, fact] : conditions.facts) std::cout << name << ": " << fact << "\n";
  std::cout << "The load server shares the cores; its CPU is reported apart. TLS 1.3 on loopback.\n" << std::flush;
  std::vector<Section> sections;
  for (const Scenario& scenario : chosen) {
    sections.push_back(scenario.run(bench));
    sections.back().about += " Load average after it: " + load_average() + ".";
    std::cout << as_table(sections.back()) << std::flush;
  }
  conditions.facts.emplace_back("load average after", load_average());
  if (!json.empty()) {
    std::ofstream out(json);
    out << as_json(conditions, sections);
    if (!out.flush()) throw std::runtime_error(json + " cannot be written");
  }
  return 0;
}

}  // namespace
}  // namespace bench

int main(int count, char** values) {
  std::vector<std::string> arguments(values + 1, values + count);
  try {
    const std::string first = arguments.empty() ? "" : arguments.front();
    const std::vector<std::string> rest(arguments.begin() + (arguments.empty() ? 0 : 1), arguments.end());
    if (first == "counting-host") return bench::run_counting_host(rest);
    if (first == "floor") return bench::run_floor(rest);
    if (first == "serve") return bench::run_server(rest);
    return bench::run(arguments);
  } catch (const std::exception& error) {
    std::cerr << "bench: " << error.what() << "\n";
    return 1;
  }
}
