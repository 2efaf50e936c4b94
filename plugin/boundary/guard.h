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

/// Runs a callback of the host. An exception that a C++ host lets out ends here: false, and a line that says so.
template <typename Call>
bool called_host(mail::Log& log, const char* callback, Call&& call) {
  try {
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
