// The results: a table for people, JSON for machines.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace bench {

/// One measured case: named figures, each with its unit in the name.
struct Row {
  std::string name;
  std::vector<std::pair<std::string, double>> figures;
  Row& add(std::string figure, double value) {
    figures.emplace_back(std::move(figure), value);
    return *this;
  }
};

/// What a figure is to be at most.
struct Target {
  std::string what;
  double value = 0, most = 0;
};

struct Section {
  std::string name, about;  ///< about: what was done, with its latency
  std::vector<Row> rows;
  std::vector<Target> targets;
};

struct Conditions {
  std::vector<std::pair<std::string, std::string>> facts;
};

/// Of this machine, now.
Conditions conditions();
/// "0.52 0.58 0.59", of the last 1, 5 and 15 minutes.
std::string load_average();

std::string as_table(const Section& section);
std::string as_json(const Conditions& conditions, const std::vector<Section>& sections);

}  // namespace bench
