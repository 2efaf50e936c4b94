#include "children/child.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <ctime>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace bench {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds look_interval{10};

double seconds_since(steady_clock::time_point begun) {
  return std::chrono::duration<double>(steady_clock::now() - begun).count();
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

std::atomic<bool> interrupted{false};

void check_interrupted() {
  if (interrupted) throw std::runtime_error("interrupted");
}

}  // namespace

void end_on_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) { interrupted = true; };
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGINT, &action, nullptr);
}

std::string read_whole(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

Child::Child(const std::vector<std::string>& command, const std::filesystem::path& output)
    : name_(command.front()), output_(output) {
  std::vector<char*> arguments;
  for (const std::string& part : command) arguments.push_back(const_cast<char*>(part.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, (output.string() + ".errors").c_str(),
                                   O_WRONLY | O_CREAT | O_TRUNC, 0600);
  begun_ = steady_clock::now();
  const int error = ::posix_spawn(&pid_, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error(name_ + ": " + std::error_code(error, std::generic_category()).message());
}

Child::~Child() {
  if (!running()) return;
  ::kill(pid_, SIGKILL);
  int status = 0;
  ::waitpid(pid_, &status, 0);
}

void Child::look() {
  std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) peak_kb_ = std::max(peak_kb_, std::stol(line.substr(6)));
  }
}

Usage Child::usage() {
  Usage usage;
  clockid_t clock{};
  timespec time{};
  if (running() && ::clock_getcpuclockid(pid_, &clock) == 0 && ::clock_gettime(clock, &time) == 0)
    usage.cpu = static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
  std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) usage.peak_kb = std::stol(line.substr(6));
    if (line.starts_with("VmRSS:")) usage.resident_kb = std::stol(line.substr(6));
    if (line.starts_with("Threads:")) usage.threads = std::stoi(line.substr(8));
  }
  return usage;
}

void Child::ask_to_end() const {
  ::kill(pid_, SIGTERM);
}

bool Child::running() {
  if (ended_) return false;
  int status = 0;
  rusage used{};
  if (::wait4(pid_, &status, WNOHANG, &used) == 0) return true;
  ended_.emplace();
  ended_->code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  ended_->seconds = seconds_since(begun_);
  ended_->cpu = seconds_of(used.ru_utime) + seconds_of(used.ru_stime);
  ended_->peak_kb = peak_kb_;
  return false;
}

Ended Child::wait(std::chrono::seconds longest) {
  const auto until = steady_clock::now() + longest;
  while (running()) {
    look();
    check_interrupted();
    if (steady_clock::now() > until)
      throw std::runtime_error(name_ + " has not ended after " + std::to_string(longest.count()) + " s");
    std::this_thread::sleep_for(look_interval);
  }
  return *ended_;
}

void Child::pass(std::chrono::milliseconds time) {
  const auto until = steady_clock::now() + time;
  while (steady_clock::now() < until) {
    check_interrupted();
    if (!running())
      throw std::runtime_error(name_ + " ended by itself, with " + std::to_string(ended_->code) + ": " +
                               read_whole(output_.string() + ".errors"));
    std::this_thread::sleep_for(
        std::min<steady_clock::duration>(std::chrono::milliseconds(100), until - steady_clock::now()));
  }
}

Ended run_well(const std::vector<std::string>& command, const std::filesystem::path& output,
               std::chrono::seconds longest) {
  Child child(command, output);
  const Ended ended = child.wait(longest);
  if (ended.code != 0)
    throw std::runtime_error(command.front() + " " + command.at(1) + " ended with " + std::to_string(ended.code) +
                             ": " + read_whole(output.string() + ".errors"));
  return ended;
}

}  // namespace bench
