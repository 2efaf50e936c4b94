#pragma once

#include <csignal>

namespace http {

/// A TLS write to a dead peer raises SIGPIPE, whose default ends the host's process; OpenSSL's socket BIO cannot be
/// told MSG_NOSIGNAL, and a handler for the process is the host's to set, not ours. So the signal is blocked on this
/// thread while the guard lives, and one that arose meanwhile is taken back before the thread's own mask returns. On a
/// thread that blocks SIGPIPE anyway it costs one system call, and inside another guard none.
class SigpipeBlock {
 public:
  SigpipeBlock();
  ~SigpipeBlock();
  SigpipeBlock(const SigpipeBlock&) = delete;
  SigpipeBlock& operator=(const SigpipeBlock&) = delete;

 private:
  sigset_t before_;
  bool ours_ = false;     // this guard blocked it
  bool pending_ = false;  // it was pending before: not ours to take
};

}  // namespace http
