// What the tests of the host share: folders of their own, installed fake plugins, host-sim as a process.
#ifndef TESTS_UNIT_HOST_SUPPORT_H_
#define TESTS_UNIT_HOST_SUPPORT_H_

#include <cppunit/extensions/HelperMacros.h>
#include <sys/types.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "configurator/configuration.h"
#include "loader/plugins.h"

namespace host_test {

// The permissions of a file.
mode_t mode_of(const std::filesystem::path& path);
void write_file(const std::filesystem::path& path, const std::string& text);

// Copies one of the fake plugins (fake_plugin, fake_other, ...) into the folder and writes the manifest that
// host-sim manifest would write. Returns the manifest.
base::Json install(const std::string& name, const std::filesystem::path& folder);
void write_manifest(const std::filesystem::path& folder, const std::string& name, const base::Json& manifest);

struct Outcome {
  int code = -1;
  std::string out, err;
  // The lines of `out` as JSON.
  std::vector<base::Json> events() const;
  std::vector<base::Json> events(const std::string& kind) const;
};

// Runs host-sim to its end, with these variables set beside the present ones.
Outcome host_sim(const std::vector<std::string>& arguments, const std::map<std::string, std::string>& environment = {});

// A log that nobody reads.
base::Log& quiet();

void assert_contains(const std::string& text, const std::string& part);

}  // namespace host_test

#endif  // TESTS_UNIT_HOST_SUPPORT_H_
