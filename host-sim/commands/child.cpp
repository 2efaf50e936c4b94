#include "commands/child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.h"

namespace commands {

namespace {
constexpr std::int64_t kStep = 20;
}

Child::Child(std::vector<std::string> arguments, const std::filesystem::path& output, runtime::Wakeup& wakeup)
    : output_(output), wakeup_(wakeup) {
  arguments.insert(arguments.begin(), "host-sim");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const base::Fd out = base::create_private(output_.string() + ".out");
  const base::Fd err = base::create_private(output_.string() + ".err");
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) throw base::FileError("start", "a child process", errno);
  if (pid_ > 0) return;
  // Only calls that are safe after fork in a process with threads.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  sigset_t none;
  sigemptyset(&none);
  ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
  const int in = ::open("/dev/null", O_RDONLY);
  ::dup2(in, STDIN_FILENO);
  ::dup2(out.get(), STDOUT_FILENO);
  ::dup2(err.get(), STDERR_FILENO);
  ::execv("/proc/self/exe", argv.data());
  ::_exit(127);
}

Child::~Child() {
  if (pid_ <= 0 || code_) return;
  ::kill(pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
}

std::optional<int> Child::wait(std::int64_t milliseconds) {
  const std::int64_t end = runtime::steady_ms() + milliseconds;
  while (!code_) {
    int status = 0;
    const pid_t done = ::waitpid(pid_, &status, WNOHANG);
    if (done == pid_) {
      code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    } else if (wakeup_.stop_requested()) {
      throw Interrupted();
    } else if (runtime::steady_ms() >= end) {
      return std::nullopt;
    } else {
      wakeup_.rest(kStep);
    }
  }
  return code_;
}

void Child::signal(int number) {
  if (!code_) ::kill(pid_, number);
}

std::string Child::out() const {
  return base::read_file(output_.string() + ".out");
}
std::string Child::err() const {
  return base::read_file(output_.string() + ".err");
}

}  // namespace commands
