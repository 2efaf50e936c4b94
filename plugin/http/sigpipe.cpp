#include "http/sigpipe.h"

#include <ctime>

namespace http {
namespace {

sigset_t only_sigpipe() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  return set;
}

bool sigpipe_pending() {
  sigset_t pending;
  sigemptyset(&pending);
  sigpending(&pending);
  return sigismember(&pending, SIGPIPE) == 1;
}

// Guards on this thread. A plain number: see witness in tls_host.cpp.
thread_local unsigned guards = 0;

}  // namespace

SigpipeBlock::SigpipeBlock() {
  if (guards++ > 0) return;
  const sigset_t set = only_sigpipe();
  ours_ = pthread_sigmask(SIG_BLOCK, &set, &before_) == 0 && sigismember(&before_, SIGPIPE) == 0;
  if (ours_) pending_ = sigpipe_pending();
}

SigpipeBlock::~SigpipeBlock() {
  --guards;
  if (!ours_) return;
  if (!pending_ && sigpipe_pending()) {
    const sigset_t set = only_sigpipe();
    const timespec now = {0, 0};
    sigtimedwait(&set, nullptr, &now);
  }
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

}  // namespace http
