// The configuration file of host-sim, with a server type whose form has a field of every kind.
#include "configurator/configuration.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "base/json.h"
#include "base/utf8.h"
#include "require.h"

namespace {

constexpr mailplugin_field field(uint32_t type, uint32_t scope, const char* key, uint32_t flags = 0) {
  mailplugin_field result{};
  result.struct_size = sizeof result;
  result.type = type;
  result.flags = flags;
  result.scope = scope;
  result.key = key;
  result.label = key;
  return result;
}

const mailplugin_pair choices[] = {{{"a", 1}, {"A", 1}}, {{"b", 1}, {"B", 1}}};

mailplugin_field choice() {
  mailplugin_field result = field(MAILPLUGIN_FIELD_CHOICE, MAILPLUGIN_SCOPE_SERVER, "choice");
  result.choices = choices;
  result.choice_count = 2;
  return result;
}

const mailplugin_field form[] = {field(MAILPLUGIN_FIELD_URL, MAILPLUGIN_SCOPE_SERVER, "url", MAILPLUGIN_FIELD_REQUIRED),
                                 field(MAILPLUGIN_FIELD_SECRET, MAILPLUGIN_SCOPE_SERVER, "secret"),
                                 field(MAILPLUGIN_FIELD_NUMBER, MAILPLUGIN_SCOPE_SERVER, "number"),
                                 field(MAILPLUGIN_FIELD_SWITCH, MAILPLUGIN_SCOPE_SERVER, "switch"),
                                 choice(),
                                 field(MAILPLUGIN_FIELD_TEXT, MAILPLUGIN_SCOPE_MAILBOX, "folder"),
                                 field(MAILPLUGIN_FIELD_SECRET, MAILPLUGIN_SCOPE_MAILBOX, "password"),
                                 field(MAILPLUGIN_FIELD_EMAIL, MAILPLUGIN_SCOPE_MAILBOX, "address")};
const mailplugin_field* const fields[] = {&form[0], &form[1], &form[2], &form[3],
                                          &form[4], &form[5], &form[6], &form[7]};
const char* const interfaces[] = {MAILPLUGIN_INCOMING, MAILPLUGIN_OUTGOING, nullptr};

const mailplugin_server_type* find_type(std::string_view name, std::string_view) {
  static const mailplugin_server_type type{sizeof type, 8, "any", "Any", interfaces, fields, nullptr};
  return name == "any" ? &type : nullptr;
}

// The present file of the one input, in memory.
struct MemoryFile {
  MemoryFile() : fd(::memfd_create("configuration", MFD_CLOEXEC)), path("/proc/self/fd/" + std::to_string(fd)) {
    require(fd >= 0, "a file in memory");
    ::fchmod(fd, 0600);
  }
  void write(std::string_view text) const {
    require(::ftruncate(fd, 0) == 0 && ::pwrite(fd, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()),
            "written");
  }
  const int fd;
  const std::string path;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_text(data, size);
  // A secret may name any file or variable of the machine; a fuzzer must not wander there.
  if (text.find("file") != std::string_view::npos) return 0;
  static const MemoryFile file;
  file.write(text);
  try {
    const configurator::Configuration configuration =
        configurator::read_configuration(file.path, {find_type, {"any", "other"}});
    for (const configurator::Queue& queue : configuration.queues) {
      for (const configurator::Address& address : queue.addresses) {
        require(!address.server || *address.server < configuration.incoming.size(), "a server of the list");
        configuration.find_address(address.address);
      }
    }
  } catch (const configurator::ConfigurationError& error) {
    require(!error.problems().empty(), "an error has its sentences");
    for (const std::string& problem : error.problems()) require(!problem.empty(), "a problem has words");
  }
  try {
    const base::Json json = base::Json::parse(text);
    require(base::Json::parse(json.dump()).dump() == json.dump(), "JSON survives");
    require(base::Json::parse(json.dump_pretty()).dump() == json.dump(), "JSON survives, indented");
  } catch (const base::JsonError& error) {
    require(error.line() >= 1 && error.column() >= 1, "a fault has its place");
  }
  require(base::is_utf8(base::to_valid_utf8(text)), "UTF-8 is made");
  base::for_one_line(text, 60);
  base::wrapped(text, 4, 40);
  base::columns(text);
  return 0;
}
