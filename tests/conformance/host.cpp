#include "host.h"

#include <cppunit/extensions/HelperMacros.h>
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <stdexcept>

namespace conformance {

Host::Host() {
  std::string name = (std::filesystem::temp_directory_path() / "conformance-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a folder below the temporary one");
  folder_ = name;
  folder_text_ = name;
  table.struct_size = sizeof table;
  table.abi_minor = MAILPLUGIN_ABI_MINOR;
  table.ctx = this;
  table.name = "conformance";
  table.version = "1.0";
  table.state_dir = folder_text_.c_str();
  table.log = [](const mailplugin_host* h, uint32_t level, const char* source, const char* line) {
    auto* self = static_cast<Host*>(h->ctx);
    {
      const std::lock_guard lock(self->mutex_);
      self->lines_.emplace_back(level, std::string(source) + ": " + line);
    }
    if (level >= MAILPLUGIN_LOG_WARNING && self->inside_log) self->inside_log();
  };
  table.get_extension = [](const mailplugin_host*, const char*) -> const void* { return nullptr; };
}

Host::~Host() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::vector<std::string> Host::lines(uint32_t at_least) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> result;
  for (const auto& [level, line] : lines_) {
    if (level >= at_least) result.push_back(line);
  }
  return result;
}

const mailplugin_module* Host::enter() {
  const mailplugin_module* module = nullptr;
  CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, entry()(&table, &module));
  CPPUNIT_ASSERT(module != nullptr);
  return module;
}

const mailplugin_server_type* Host::type_with(const mailplugin_module* module, const char* interface_id) {
  for (uint32_t i = 0; i < module->server_type_count; ++i) {
    for (const char* const* id = module->server_types[i]->interfaces; *id != nullptr; ++id) {
      if (std::strcmp(*id, interface_id) == 0) return module->server_types[i];
    }
  }
  return nullptr;
}

void Gate::pass() {
  std::unique_lock lock(mutex_);
  inside_ = true;
  changed_.notify_all();
  changed_.wait_for(lock, std::chrono::minutes(1), [this] { return open_; });
  ++passed;
}

bool Gate::someone_inside() {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::minutes(1), [this] { return inside_; });
}

void Gate::open() {
  const std::lock_guard lock(mutex_);
  open_ = true;
  changed_.notify_all();
}

Events::Events() {
  table.struct_size = sizeof table;
  table.ctx = this;
  table.on_health = [](const mailplugin_server_events* e, uint64_t mailbox, const mailplugin_health* now) {
    auto* self = static_cast<Events*>(e->ctx);
    {
      const std::lock_guard lock(self->mutex_);
      self->told_.push_back({mailbox, now->state, now->cause, now->message == nullptr ? "" : now->message});
    }
    self->changed_.notify_all();
    if (Gate* gate = self->gate) gate->pass();
    if (self->inside) self->inside();
    if (self->throws) throw std::runtime_error("a host that lets exceptions out");
  };
}

void Events::offer_secret(std::function<int64_t(char*, uint64_t)> read) {
  secret_ = std::move(read);
  table.read_secret = [](const mailplugin_server_events* e, uint64_t, const char*, char* buffer, uint64_t capacity) {
    return static_cast<Events*>(e->ctx)->secret_(buffer, capacity);
  };
}

bool Events::wait_for(const std::function<bool(const Told&)>& wanted) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::minutes(1),
                           [&] { return std::any_of(told_.begin(), told_.end(), wanted); });
}

bool Events::wait_for_more_than(std::size_t count) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::minutes(1), [&] { return told_.size() > count; });
}

std::size_t Events::count() const {
  const std::lock_guard lock(mutex_);
  return told_.size();
}

}  // namespace conformance
