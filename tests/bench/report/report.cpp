#include "report/report.h"

#include <openssl/crypto.h>
#include <sqlite3.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <thread>

namespace bench {
namespace {

std::string first_line_with(const char* file, const std::string& start) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(start)) return line.substr(line.find_first_not_of(" \t:", start.size()));
  }
  return "?";
}

std::string text_of(double value) {
  char text[64];
  const double size = std::fabs(value);
  const int digits = value == std::floor(value) ? 0
                     : size >= 100              ? 0
                     : size >= 10               ? 1
                     : size >= 1                ? 2
                     : size >= 0.01             ? 3
                                                : 4;
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string json_text(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out + '"';
}

std::string json_number(double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%.6g", std::isfinite(value) ? value : 0.0);
  return text;
}

}  // namespace

std::string load_average() {
  std::ifstream in("/proc/loadavg");
  std::string one, five, fifteen;
  in >> one >> five >> fifteen;
  return one + " " + five + " " + fifteen;
}

Conditions conditions() {
  utsname system{};
  ::uname(&system);
  Conditions conditions;
  auto& facts = conditions.facts;
  facts.emplace_back("cores", std::to_string(std::thread::hardware_concurrency()));
  facts.emplace_back("cpu", first_line_with("/proc/cpuinfo", "model name"));
  facts.emplace_back("system", std::string(system.sysname) + " " + system.release + ", " + system.machine);
  facts.emplace_back("compiler", "g++ or clang " __VERSION__);
  facts.emplace_back("OpenSSL", OpenSSL_version(OPENSSL_VERSION_STRING));
  facts.emplace_back("SQLite", sqlite3_libversion());
  facts.emplace_back("load average before", load_average());
  return conditions;
}

std::string as_table(const Section& section) {
  std::ostringstream out;
  out << "\n## " << section.name << "\n\n" << section.about << "\n\n";
  std::vector<std::string> heads;
  for (const Row& row : section.rows) {
    for (const auto& figure : row.figures) {
      if (std::find(heads.begin(), heads.end(), figure.first) == heads.end()) heads.push_back(figure.first);
    }
  }
  out << "| |";
  for (const std::string& head : heads) out << " " << head << " |";
  out << "\n|---|";
  for (std::size_t i = 0; i < heads.size(); ++i) out << "---:|";
  out << "\n";
  for (const Row& row : section.rows) {
    out << "| " << row.name << " |";
    for (const std::string& head : heads) {
      std::string text;
      for (const auto& [name, value] : row.figures) {
        if (name == head) text = text_of(value);
      }
      out << " " << text << " |";
    }
    out << "\n";
  }
  if (!section.targets.empty()) out << "\n";
  for (const Target& target : section.targets) {
    out << "- " << (target.value <= target.most ? "met" : "MISSED") << ": " << target.what << " at most "
        << text_of(target.most) << ", is " << text_of(target.value) << "\n";
  }
  return out.str();
}

std::string as_json(const Conditions& conditions, const std::vector<Section>& sections) {
  std::ostringstream out;
  out << "{\"conditions\":{";
  const char* comma = "";
  for (const auto& [name, text] : conditions.facts) {
    out << comma << "\n " << json_text(name) << ":" << json_text(text);
    comma = ",";
  }
  out << "},\n\"sections\":[";
  comma = "";
  for (const Section& section : sections) {
    out << comma << "\n{\"name\":" << json_text(section.name) << ",\"about\":" << json_text(section.about)
        << ",\"rows\":[";
    comma = "";
    for (const Row& row : section.rows) {
      out << comma << "\n {\"name\":" << json_text(row.name) << ",\"figures\":{";
      comma = "";
      for (const auto& [name, value] : row.figures) {
        out << comma << json_text(name) << ":" << json_number(value);
        comma = ",";
      }
      out << "}}";
      comma = ",";
    }
    out << "],\"targets\":[";
    comma = "";
    for (const Target& target : section.targets) {
      out << comma << "\n {\"what\":" << json_text(target.what) << ",\"value\":" << json_number(target.value)
          << ",\"most\":" << json_number(target.most) << "}";
      comma = ",";
    }
    out << "]}";
    comma = ",";
  }
  out << "]}\n";
  return out.str();
}

}  // namespace bench
