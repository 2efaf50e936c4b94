// faults: repeats the main job and breaks its n-th exchange, for every n and every way to break one.
#include <malloc.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>

#include "scenario.h"
#include "service.h"
#include "ways.h"

namespace {

using faults::Break;
using faults::Result;
using faults::Way;

constexpr const char* usage =
    "usage: faults --full [--slice I/K] | --sample N [--seconds T] | --way WAY [--at N]\n"
    "  --full          every way, every exchange (--slice: the I-th of K parts, to run them side by side)\n"
    "  --sample N      N rounds drawn by the seed; --seconds T: no further round after T seconds\n"
    "  --way WAY       every exchange in one way; with --at N only that one\n"
    "  --seed S        default 1; repeats a round together with --way and --at\n"
    "  --stop          when the fault has happened both servers are stopped and started again; a sample does so in "
    "every\n"
    "                  other round\n"
    "  --verbose       every log line of the plugin on stderr\n"
    "  --list          the ways\n";

struct Options {
  bool full = false, verbose = false, list = false, help = false, stop = false;
  std::size_t sample = 0, at = 0, slice = 1, slices = 1;
  std::uint64_t seed = 1;
  std::chrono::seconds seconds{0};
  const Way* way = nullptr;
};

class Usage : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::size_t number(std::string_view option, std::string_view text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    throw Usage(std::string(option) + ": a number is expected, not '" + std::string(text) + "'");
  return value;
}

Options parse(int count, char** words) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string_view option = words[i];
    const auto value = [&]() -> std::string_view {
      if (i + 1 >= count) throw Usage(std::string(option) + " needs a value");
      return words[++i];
    };
    if (option == "--help") {
      options.help = true;
    } else if (option == "--full") {
      options.full = true;
    } else if (option == "--stop") {
      options.stop = true;
    } else if (option == "--verbose") {
      options.verbose = true;
    } else if (option == "--list") {
      options.list = true;
    } else if (option == "--sample") {
      options.sample = number(option, value());
    } else if (option == "--seconds") {
      options.seconds = std::chrono::seconds(number(option, value()));
    } else if (option == "--seed") {
      options.seed = number(option, value());
    } else if (option == "--at") {
      options.at = number(option, value());
    } else if (option == "--slice") {
      const std::string_view text = value();
      const auto slash = text.find('/');
      if (slash == std::string_view::npos) throw Usage("--slice: I/K is expected, for example 1/2");
      options.slice = number(option, text.substr(0, slash));
      options.slices = number(option, text.substr(slash + 1));
      if (options.slice < 1 || options.slice > options.slices) throw Usage("--slice: I is 1 to K");
    } else if (option == "--way") {
      const std::string_view name = value();
      options.way = faults::find_way(name);
      if (options.way == nullptr) throw Usage("--way: there is no '" + std::string(name) + "'; see --list");
    } else {
      throw Usage("unknown option '" + std::string(option) + "'");
    }
  }
  const int jobs = (options.full ? 1 : 0) + (options.sample > 0 ? 1 : 0) + (options.way != nullptr ? 1 : 0);
  if (!options.list && !options.help && jobs != 1) throw Usage("one of --full, --sample and --way is needed");
  return options;
}

class Folder {
 public:
  Folder() : path(std::filesystem::temp_directory_path() / ("faults-" + std::to_string(getpid()))) {
    std::filesystem::create_directories(path);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::filesystem::path path;
};

class Runner {
 public:
  explicit Runner(const Options& options) : options_(options), service_(folder_.path / "service") {}

  int run() {
    const Result untouched = round({}, {});
    if (!untouched.differences.empty()) return 1;
    std::printf("untouched: %zu exchanges, %.0f s of simulated time\n", untouched.exchanges,
                std::chrono::duration<double>(untouched.jumped).count());
    if (options_.sample > 0) {
      sample(untouched.exchanges);
    } else if (options_.at > 0) {
      break_at(*options_.way, options_.at, options_.stop);
    } else if (options_.way != nullptr) {
      every(*options_.way);
    } else {
      for (const Way& way : faults::ways()) every(way);
    }
    std::printf("%zu rounds, %zu broken, %zu failed, %.0f s\n", rounds_, broken_, failed_, passed());
    return failed_ == 0 ? 0 : 1;
  }

 private:
  void sample(std::size_t exchanges) {
    std::mt19937_64 draw(options_.seed);
    for (std::size_t i = 0; i < options_.sample; ++i) {
      if (options_.seconds.count() > 0 && passed() > static_cast<double>(options_.seconds.count())) return;
      // Every way in its turn, so that a short sample has seen most of them.
      const Way& way = faults::ways()[(options_.seed * options_.sample + i) % faults::ways().size()];
      // A delta series is continued a few times only.
      const std::size_t most = way.kind == Way::Kind::lost_delta ? 2 : exchanges;
      break_at(way, 1 + draw() % most, options_.stop || i % 2 == 1);
    }
  }

  void every(const Way& way) {
    const std::size_t before = failed_;
    std::size_t at = options_.slice;
    for (; break_at(way, at, options_.stop); at += options_.slices) {
    }
    std::printf("%-16s up to exchange %zu, %zu failed (%.0f s)\n", std::string(way.name).c_str(), at - 1,
                failed_ - before, passed());
    std::fflush(stdout);
  }

  /// False: there is no such exchange any more.
  bool break_at(const Way& way, std::size_t at, bool stop) {
    Break what;
    what.way = way;
    what.at = at;
    what.stop = stop;
    std::mt19937_64 draw(seed_of(what));
    const auto longest = std::chrono::milliseconds(faults::longest_later);
    if (way.work == faults::Work::later)
      what.later = std::chrono::milliseconds(1000 + draw() % static_cast<std::uint64_t>(longest.count() - 999));
    return round(what, way.name).broken;
  }

  std::uint64_t seed_of(const Break& what) const {
    return options_.seed * 1'000'003 + what.at * 101 + std::hash<std::string_view>{}(what.way.name) % 1009;
  }

  Result round(const Break& what, std::string_view name) {
    const Result result = faults::run_round(service_, what, seed_of(what), folder_.path / "state", options_.verbose);
    ++rounds_;
    broken_ += result.broken ? 1 : 0;
    if (!result.differences.empty()) {
      ++failed_;
      std::printf("FAILED: faults --way %s --at %zu --seed %llu%s (of %zu exchanges, later by %lld ms)\n",
                  name.empty() ? "(none)" : std::string(name).c_str(), what.at,
                  static_cast<unsigned long long>(options_.seed), what.stop ? " --stop" : "", result.exchanges,
                  static_cast<long long>(what.later.count()));
      for (const std::string& difference : result.differences) std::printf("  %s\n", difference.c_str());
      for (const std::string& line : result.log) std::printf("    | %s\n", line.c_str());
      std::fflush(stdout);
    }
    return result;
  }

  double passed() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count(); }

  const Options options_;
  const Folder folder_;
  faults::Service service_;
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  std::size_t rounds_ = 0, broken_ = 0, failed_ = 0;
};

}  // namespace

// Each round copies the two large attachments a dozen times. Given back to the system and taken from it again each
// time, that memory was half of a round's CPU.
static void keep_memory() {
#if defined(__GLIBC__)
  ::mallopt(M_MMAP_THRESHOLD, 32 << 20);  // the most it takes
  ::mallopt(M_TRIM_THRESHOLD, 512 << 20);
#endif
}

int main(int count, char** words) {
  keep_memory();
  try {
    const Options options = parse(count, words);
    if (options.help) {
      std::fputs(usage, stdout);
      return 0;
    }
    if (options.list) {
      for (const Way& way : faults::ways()) std::printf("%s\n", std::string(way.name).c_str());
      return 0;
    }
    return Runner(options).run();
  } catch (const Usage& error) {
    std::fprintf(stderr, "faults: %s\n%s", error.what(), usage);
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "faults: %s\n", error.what());
    return 1;
  }
}
