#include "boundary/module.h"

#include <vector>

#include "boundary/guard.h"
#include "boundary/incoming_bridge.h"
#include "boundary/outgoing_bridge.h"
#include "boundary/settings_reader.h"
#include "m365/environment.h"
#include "m365/factories.h"
#include "mail/clock.h"
#include "mail/random.h"

namespace boundary {
namespace {

// Guarded by entry_mutex. The header allows one host a process at a time: shutdown() has no argument to tell two apart.
std::mutex entry_mutex;
std::unique_ptr<Module> present;
unsigned entered = 0;

const void* MAILPLUGIN_CALL no_extension(const char*) {
  return nullptr;
}

void MAILPLUGIN_CALL shutdown_call() {
  Module::leave();
}

}  // namespace

/// One server type: its form, and the table the host sees.
struct Module::Type {
  Type(const char* id, const char* label, const char* interface_id, const std::vector<mail::Field>& form,
       decltype(mailplugin_server_type::create) create)
      : fields(form), interfaces{interface_id, MAILPLUGIN_CHECK, nullptr} {
    api.struct_size = sizeof api;
    api.field_count = fields.count();
    api.id = id;
    api.label = label;
    api.interfaces = interfaces;
    api.fields = fields.fields();
    api.create = create;
  }
  Type(const Type&) = delete;
  Type& operator=(const Type&) = delete;

  FormView fields;
  const char* interfaces[3];
  mailplugin_server_type api{};
};

struct Module::Shared {
  Shared(Module& module, const mailplugin_host& host)
      : environment(module.log_, mail::system_clock(), mail::system_random(), host.state_dir,
                    [](const http::TransportOptions& options) {
                      return http::make_poco_transport(options, mail::system_clock());
                    }),
        incoming("m365.incoming", "Microsoft 365 (incoming)", MAILPLUGIN_INCOMING, m365::incoming_form(),
                 &Module::create_incoming),
        outgoing("m365.outgoing", "Microsoft 365 (outgoing)", MAILPLUGIN_OUTGOING, m365::outgoing_form(),
                 &Module::create_outgoing) {}

  m365::Environment environment;
  Type incoming, outgoing;
};

Module::Module(const mailplugin_host& host) : host_(host), log_(host), shared_(std::make_unique<Shared>(*this, host)) {
  types_[0] = &shared_->incoming.api;
  types_[1] = &shared_->outgoing.api;
  api_.struct_size = sizeof api_;
  api_.abi_minor = MAILPLUGIN_ABI_MINOR;
  api_.id = "m365";
  api_.name = "Microsoft 365 mail";
  api_.vendor = "mailplugin";
  api_.version = MAILPLUGIN_M365_VERSION;
  api_.server_types = types_;
  api_.server_type_count = 2;
  api_.get_extension = &no_extension;
  api_.shutdown = &shutdown_call;
}

Module::~Module() = default;

void Module::server_made(ServerBridge& server) {
  const std::lock_guard lock(mutex_);
  servers_.insert(&server);
}

void Module::server_gone(ServerBridge& server) {
  const std::lock_guard lock(mutex_);
  servers_.erase(&server);
}

bool Module::stop_forgotten_servers() {
  std::set<ServerBridge*> forgotten;
  {
    const std::lock_guard lock(mutex_);
    forgotten = servers_;
  }
  for (ServerBridge* server : forgotten) {
    while (!server->stop(std::chrono::hours(1))) {  // no callback may run once shutdown has returned
    }
  }
  return forgotten.empty();
}

mailplugin_status Module::enter(const mailplugin_host* host, const mailplugin_module** module) {
  if (module == nullptr) return MAILPLUGIN_E_ARGUMENT;
  *module = nullptr;
  if (host == nullptr) return MAILPLUGIN_E_ARGUMENT;
  if (!MAILPLUGIN_HAS(host, mailplugin_host, get_extension)) {
    if (MAILPLUGIN_CAN(host, mailplugin_host, log)) {
      host->log(host, MAILPLUGIN_LOG_ERROR, "m365", "this host is older than ABI 1.0: mailplugin_host is too small");
    }
    return MAILPLUGIN_E_ABI;
  }
  HostLog log(*host);
  if (called_from_inside(log, "mailplugin_entry_v1")) return MAILPLUGIN_E_STATE;
  return guarded(log, "m365", [&]() -> mailplugin_status {
    if (host->state_dir == nullptr || *host->state_dir == '\0') {
      log.write(mail::Level::misuse, "m365", "mailplugin_host.state_dir is needed: a folder that is kept between runs");
      return MAILPLUGIN_E_ARGUMENT;
    }
    const std::lock_guard lock(entry_mutex);
    if (present && present->host() != host) {
      log.write(mail::Level::misuse, "m365", "the plugin is in use by another host of this process");
      return MAILPLUGIN_E_STATE;
    }
    if (!present) present = std::make_unique<Module>(*host);
    ++entered;
    *module = present->api();
    return MAILPLUGIN_OK;
  });
}

void Module::leave() {
  if (host_depth > 0) {
    // This very thread may have the lock, where it was the log that was called.
    const std::unique_lock lock(entry_mutex, std::try_to_lock);
    if (lock && present) called_from_inside(present->log(), "shutdown");
    return;
  }
  const std::lock_guard lock(entry_mutex);
  if (entered == 0 || --entered > 0) return;
  if (!present->stop_forgotten_servers()) {
    present->log().write(mail::Level::misuse, "shutdown",
                         "servers were not destroyed; they are stopped, their memory stays with the process");
    static std::vector<std::unique_ptr<Module>> kept;  // the host may still hold pointers into it
    kept.push_back(std::move(present));
    return;
  }
  present.reset();
}

template <typename Bridge, typename Create>
mailplugin_status Module::create_server(const mailplugin_settings* settings, const mailplugin_server_events* events,
                                        const mailplugin_problems* problems, const mailplugin_server** server,
                                        Create create) {
  if (server == nullptr) return MAILPLUGIN_E_ARGUMENT;
  *server = nullptr;
  Module* module = nullptr;
  {
    const std::lock_guard lock(entry_mutex);
    module = present.get();
  }
  if (module == nullptr) return MAILPLUGIN_E_STATE;
  if (events != nullptr && !MAILPLUGIN_CAN(events, mailplugin_server_events, on_health)) {
    module->log().write(mail::Level::misuse, "create", "mailplugin_server_events without on_health");
    return MAILPLUGIN_E_ARGUMENT;
  }
  return guarded(module->log(), "create", [&]() -> mailplugin_status {
    HostProblems told(problems, module->log());
    ReadSettings read;
    if (!read_settings(settings, read.values, told)) return MAILPLUGIN_E_ARGUMENT;
    auto bridge = std::make_unique<Bridge>(*module, events);
    auto made = create(module->shared_->environment, read.values, *bridge, told);
    if (!made) return MAILPLUGIN_E_CONFIG;
    bridge->take(std::move(made));
    *server = bridge.release()->api();
    return MAILPLUGIN_OK;
  });
}

mailplugin_status MAILPLUGIN_CALL Module::create_incoming(const mailplugin_server_type*,
                                                          const mailplugin_settings* settings,
                                                          const mailplugin_server_events* events,
                                                          const mailplugin_problems* problems,
                                                          const mailplugin_server** server) {
  return create_server<IncomingBridge>(settings, events, problems, server, &m365::create_incoming);
}

mailplugin_status MAILPLUGIN_CALL Module::create_outgoing(const mailplugin_server_type*,
                                                          const mailplugin_settings* settings,
                                                          const mailplugin_server_events* events,
                                                          const mailplugin_problems* problems,
                                                          const mailplugin_server** server) {
  return create_server<OutgoingBridge>(settings, events, problems, server, &m365::create_outgoing);
}

}  // namespace boundary
