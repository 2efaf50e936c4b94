#include "runtime/plugin_server.h"

#include <algorithm>
#include <cstring>

namespace runtime {
namespace {

using configurator::ConfigurationError;
using configurator::Settings;

constexpr std::uint32_t kStopMilliseconds = 5000;
constexpr int kStopTries = 3;
constexpr std::uint32_t kLookMilliseconds = 60'000;

// Settings as the interface passes them; lives as long as the Settings do.
class SettingsView {
 public:
  explicit SettingsView(const Settings& settings) {
    for (const auto& [key, value] : settings.values()) items_.push_back({key.c_str(), {value.data(), value.size()}});
    view_.struct_size = sizeof view_;
    view_.count = static_cast<uint32_t>(items_.size());
    view_.items = items_.data();
  }
  const mailplugin_settings* get() const { return &view_; }

 private:
  std::vector<mailplugin_setting> items_;
  mailplugin_settings view_{};
};

// Collects what the plugin finds wrong, as sentences with the file's own paths.
class Problems {
 public:
  Problems(const Settings& settings, const std::string& file) : settings_(settings), file_(file) {
    view_.struct_size = sizeof view_;
    view_.ctx = this;
    view_.add = [](const mailplugin_problems* p, const char* key, const char* message) {
      auto* self = static_cast<Problems*>(p->ctx);
      self->sentences_.push_back(self->file_ + ": " + self->settings_.path_of(key == nullptr ? "" : key) + ": " +
                                 (message == nullptr ? "is not accepted by the plugin" : message));
    };
  }
  const mailplugin_problems* get() const { return &view_; }

  // Throws unless `status` is OK.
  void check(mailplugin_status status, const std::string& doing) {
    if (status == MAILPLUGIN_OK) return;
    if (sentences_.empty()) {
      sentences_.push_back(file_ + ": " + settings_.path() + ": the plugin could not " + doing + " (status " +
                           std::to_string(status) + "); its log line says why");
    }
    throw ConfigurationError(std::move(sentences_));
  }

 private:
  const Settings& settings_;
  const std::string file_;
  std::vector<std::string> sentences_;
  mailplugin_problems view_{};
};

template <typename Interface>
const Interface& interface_of(const mailplugin_server& server, const char* id, uint32_t least_size) {
  const auto* found = static_cast<const Interface*>(server.get_interface(&server, id));
  if (found == nullptr || found->struct_size < least_size) {
    throw std::runtime_error(std::string("the plugin's server does not offer ") + id);
  }
  return *found;
}

}  // namespace

PluginServer::PluginServer(const mailplugin_server_type& type, const Settings& settings, std::string file,
                           ServerListener listener, base::Log& log)
    : file_(std::move(file)), listener_(std::move(listener)), log_(log) {
  events_.struct_size = sizeof events_;
  events_.ctx = this;
  events_.on_health = &PluginServer::on_health;
  events_.read_secret = &PluginServer::read_secret;
  Problems problems(settings, file_);
  const SettingsView view(settings);
  problems.check(type.create(&type, view.get(), &events_, problems.get(), &server_), "create the server");
  if (server_ == nullptr || !MAILPLUGIN_HAS(server_, mailplugin_server, get_interface)) {
    throw std::runtime_error("the plugin gave no usable server for " + settings.path());
  }
}

PluginServer::~PluginServer() {
  if (server_ == nullptr) return;
  if (stop()) {
    server_->destroy(server_);
  } else {
    log_.error("a callback has not come back; the server is not freed");
  }
}

void PluginServer::start() {
  const mailplugin_status status = server_->start(server_);
  if (status != MAILPLUGIN_OK) {
    throw std::runtime_error("a server cannot be started (status " + std::to_string(status) +
                             "); the plugin's log line says why");
  }
  started_ = true;
}

bool PluginServer::stop() {
  if (!started_) return true;
  for (int i = 0; i < kStopTries; ++i) {
    const mailplugin_status status = server_->stop(server_, kStopMilliseconds);
    if (status == MAILPLUGIN_OK) {
      started_ = false;
      return true;
    }
    log_.warning("the server did not stop within " + std::to_string(kStopMilliseconds / 1000) + " s (status " +
                 std::to_string(status) + ")");
    if (status != MAILPLUGIN_E_TIMEOUT) return false;
  }
  return false;
}

std::uint64_t PluginServer::open_mailbox(const Settings& settings, const mailplugin_mailbox_events& events) {
  const auto& incoming = interface_of<mailplugin_incoming>(
      *server_, MAILPLUGIN_INCOMING, offsetof(mailplugin_incoming, acknowledge) + sizeof(void (*)()));
  incoming_ = &incoming;
  Problems problems(settings, file_);
  const SettingsView view(settings);
  std::uint64_t id = 0;
  problems.check(incoming.open_mailbox(server_, view.get(), &events, problems.get(), &id), "open the mailbox");
  return id;
}

bool PluginServer::look(const Settings* mailbox, const std::function<void(const Finding&)>& found) {
  const auto* check = static_cast<const mailplugin_check*>(server_->get_interface(server_, MAILPLUGIN_CHECK));
  if (check == nullptr || !MAILPLUGIN_CAN(check, mailplugin_check, look)) return false;
  mailplugin_findings findings{};
  findings.struct_size = sizeof findings;
  findings.ctx = const_cast<std::function<void(const Finding&)>*>(&found);
  findings.add = [](const mailplugin_findings* f, const mailplugin_finding* finding) {
    const auto text = [](const char* value) { return value == nullptr ? std::string() : std::string(value); };
    (*static_cast<const std::function<void(const Finding&)>*>(f->ctx))(
        {finding->result, finding->cause, text(finding->step), text(finding->message), text(finding->code),
         text(finding->request_id)});
  };
  const Settings none;
  const Settings& settings = mailbox == nullptr ? none : *mailbox;
  Problems problems(settings, file_);
  const SettingsView view(settings);
  problems.check(
      check->look(server_, mailbox == nullptr ? nullptr : view.get(), kLookMilliseconds, &findings, problems.get()),
      "look at the service");
  return true;
}

mailplugin_status PluginServer::acknowledge(std::uint64_t delivery, mailplugin_verdict verdict,
                                            std::uint32_t retry_after_ms) {
  if (incoming_ == nullptr) return MAILPLUGIN_E_STATE;
  return incoming_->acknowledge(server_, delivery, verdict, retry_after_ms);
}

mailplugin_status PluginServer::submit(const mailplugin_message& mail, const mailplugin_submission& submission) {
  const auto& outgoing = interface_of<mailplugin_outgoing>(*server_, MAILPLUGIN_OUTGOING,
                                                           offsetof(mailplugin_outgoing, submit) + sizeof(void (*)()));
  return outgoing.submit(server_, &mail, &submission);
}

void PluginServer::on_health(const mailplugin_server_events* events, uint64_t mailbox_id,
                             const mailplugin_health* now) noexcept {
  const auto* self = static_cast<const PluginServer*>(events->ctx);
  try {
    if (now != nullptr) self->listener_.on_health(mailbox_id, copy_of(*now));
  } catch (const std::exception& error) {
    self->log_.error(std::string("a health report was lost: ") + error.what());
  }
}

int64_t PluginServer::read_secret(const mailplugin_server_events* events, uint64_t mailbox_id, const char* key,
                                  char* buffer, uint64_t capacity) noexcept {
  const auto* self = static_cast<const PluginServer*>(events->ctx);
  try {
    if (key == nullptr) return MAILPLUGIN_E_ARGUMENT;
    const Settings* settings = self->listener_.settings_of(mailbox_id);
    const configurator::SecretSource* source = settings == nullptr ? nullptr : settings->secret(key);
    if (source == nullptr) return MAILPLUGIN_E_ARGUMENT;
    const std::string value = source->read();
    if (buffer != nullptr) {
      std::memcpy(buffer, value.data(), std::min<std::size_t>(value.size(), static_cast<std::size_t>(capacity)));
    }
    return static_cast<int64_t>(value.size());
  } catch (const std::exception& error) {
    self->log_.warning(error.what());
    return MAILPLUGIN_E_IO;
  }
}

}  // namespace runtime
