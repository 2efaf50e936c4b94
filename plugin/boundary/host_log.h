#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "boundary/guard.h"
#include "mail/log.h"
#include "mailplugin/mailplugin.h"

namespace boundary {

/// The host's log as the rooms see it. Any thread. A host without a log function is a silent one.
class HostLog final : public mail::Log {
 public:
  explicit HostLog(const mailplugin_host& host) : host_(host) {}

  void write(mail::Level level, std::string_view source, std::string_view line) override {
    if (!MAILPLUGIN_CAN(&host_, mailplugin_host, log)) return;
    try {
      // One line is one line: what a server answered may hold CR and LF.
      std::string clean(line);
      for (char& c : clean) {
        if (static_cast<unsigned char>(c) < 0x20) c = ' ';
      }
      const InHost inside;
      host_.log(&host_, static_cast<std::uint32_t>(level), std::string(source).c_str(), clean.c_str());
    } catch (abi::__forced_unwind&) {
      throw;  // the thread is being cancelled (pthread_cancel); swallowing that ends the process
    } catch (...) {
      // A log that throws must not take the mail with it; there is no other place to say so.
    }
  }

 private:
  const mailplugin_host& host_;
};

}  // namespace boundary
