// A batch that grows while the contact center runs: what somebody appends to a file is sent.
#ifndef HOST_SIM_COMMANDS_BATCH_FEED_H_
#define HOST_SIM_COMMANDS_BATCH_FEED_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/log.h"
#include "configurator/configuration.h"
#include "runtime/contact_center.h"
#include "runtime/host_store.h"

namespace commands {

class BatchFeed {
 public:
  // The file need not exist yet. All arguments outlive this.
  BatchFeed(std::filesystem::path file, const configurator::Configuration& configuration, runtime::HostStore& store,
            base::Log& log)
      : file_(std::move(file)), configuration_(configuration), store_(store), log_(log) {}

  // Takes every line that is complete by now: kept, then handed over. A faulty one is told and passed over; trouble
  // with a disk is told, and the line is taken again the next time.
  void read(runtime::ContactCenter& center);
  // "FILE:LINE: sentence" of every line that was passed over.
  const std::vector<std::string>& failures() const { return failures_; }

 private:
  void take(const std::string& line, runtime::ContactCenter& center);

  const std::filesystem::path file_;
  const configurator::Configuration& configuration_;
  runtime::HostStore& store_;
  base::Log& log_;
  std::uint64_t offset_ = 0;  // of the first byte that was not taken
  std::size_t lines_ = 0;     // before it
  std::vector<std::string> failures_;
};

}  // namespace commands

#endif  // HOST_SIM_COMMANDS_BATCH_FEED_H_
