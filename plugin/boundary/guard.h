// Nothing is thrown across the boundary, in either direction.
#pragma once

#include <cxxabi.h>

#include <exception>
#include <new>
#include <string>
#include <utility>

#include "mail/fault.h"
#include "mail/log.h"
#include "mailplugin/mailplugin.h"

namespace boundary {

/// The status that tells a host of this fault.
inline mailplugin_status status_of(const mail::Fault& fault) {
  if (fault.remedy == mail::Remedy::cancelled) return MAILPLUGIN_E_CANCELLED;
  if (fault.remedy == mail::Remedy::administrator && fault.cause != mail::Cause::state_disk) {
    return MAILPLUGIN_E_CONFIG;
  }
  return MAILPLUGIN_E_IO;
}

/// Runs `body` for a call from the host. Whatever it throws becomes a status and a line in the log.
template <typename Body>
mailplugin_status guarded(mail::Log& log, const char* source, Body&& body) noexcept {
  try {
    return std::forward<Body>(body)();
  } catch (const mail::FaultError& error) {
    log.write(mail::Level::error, source, error.what());
    return status_of(error.fault());
  } catch (const std::bad_alloc&) {
    log.write(mail::Level::error, source, "out of memory; the call was not carried out");
    return MAILPLUGIN_E_INTERNAL;
  } catch (const std::exception& error) {
    log.write(mail::Level::error, source, std::string("unexpected fault inside the plugin: ") + error.what());
    return MAILPLUGIN_E_INTERNAL;
  } catch (...) {
    log.write(mail::Level::error, source, "unexpected fault inside the plugin");
    return MAILPLUGIN_E_INTERNAL;
  }
}

/// How deep this thread is inside the host's code. Without a destructor: one would pin the plugin in the host's
/// threads.
inline thread_local int host_depth = 0;

/// While one lives, this thread is inside the host's code.
class InHost {
 public:
  InHost() { ++host_depth; }
  ~InHost() { --host_depth; }
  InHost(const InHost&) = delete;
  InHost& operator=(const InHost&) = delete;
};

/// A control function that a host calls from inside a callback would wait for itself. True: refuse it; the log says so.
inline bool called_from_inside(mail::Log& log, const char* function) {
  if (host_depth == 0) return false;
  log.write(mail::Level::misuse, function, "is a control function and was called from inside a callback");
  return true;
}

/// Runs a callback of the host. An exception that a C++ host lets out ends here: false, and a line that says so.
template <typename Call>
bool called_host(mail::Log& log, const char* callback, Call&& call) {
  try {
    const InHost inside;
    std::forward<Call>(call)();
    return true;
  } catch (abi::__forced_unwind&) {
    throw;  // the thread is being cancelled (pthread_cancel); swallowing that ends the process
  } catch (const std::exception& error) {
    log.write(mail::Level::misuse, callback,
              std::string("the host let an exception out of this callback: ") + error.what());
  } catch (...) {
    log.write(mail::Level::misuse, callback, "the host let an exception out of this callback");
  }
  return false;
}

}  // namespace boundary
