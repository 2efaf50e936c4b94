#include "m365/microsoft365.h"

#include <stdexcept>

#include "m365/control/control.h"
#include "m365/graph/graph.h"
#include "m365/mime/text.h"
#include "m365/server/https_server.h"
#include "m365/server/tls.h"
#include "m365/world/mailbox.h"
#include "m365/world/tenant_file.h"
#include "m365/world/world.h"

namespace embedded {

struct Microsoft365::Impl {
  explicit Impl(const Options& options) : dir(options.dir), tls(options.address), graph(world), control(world) {}

  const std::filesystem::path dir;
  World world;
  Tls tls;
  Graph graph;
  Control control;
  std::unique_ptr<HttpsServer> front, uploads, door;

  // Login and Graph share an origin: the paths tell them apart.
  HttpResponse answer(const HttpRequest& request) {
    if (Graph::owns(request.path())) return graph.handle(request);
    if (Entra::owns(request.path())) {
      return with_faults("token", request, [&](const HttpRequest& r) { return world.entra.handle(r); });
    }
    HttpResponse response;
    response.status = 404;
    response.headers.add("Content-Type", "text/html; charset=utf-8");
    response.body =
        "<html><head><title>404</title></head><body>The resource you are looking for has been removed.</body></html>";
    return response;
  }

  template <typename Handler>
  HttpResponse with_faults(const char* operation, const HttpRequest& request, Handler handler) {
    world.census.count(operation, {});
    const auto fault = world.faults.match({request.method, request.target, operation, {}});
    if (!fault) return handler(request);
    if (fault->delay_ms > 0) world.stop.pause(Milliseconds(fault->delay_ms));
    HttpResponse response;
    if (fault->cut == FaultEffect::Cut::before) {
      response.departure = departure_of_cut(*fault);
      return response;
    }
    if (fault->work == Work::later) {
      world.scheduler.after(Milliseconds(fault->later_ms), [handler, request] { handler(request); });
    } else if (fault->work == Work::done || fault->status == 0) {
      response = handler(request);
    }
    apply_fault(*fault, response);
    return response;
  }
};

Microsoft365::Microsoft365(Options options) {
  std::error_code error;
  std::filesystem::create_directories(options.dir, error);
  if (error) throw std::runtime_error("cannot make " + options.dir.string() + ": " + error.message());
  impl_ = std::make_unique<Impl>(options);
  Impl& impl = *impl_;
  const ContactCenter center =
      options.tenant_file ? load_tenant_file(impl.world, *options.tenant_file) : load_built_in(impl.world);

  const auto listen = [&](const std::string& address, std::uint16_t port, std::function<std::size_t()> body_limit,
                          HttpsServer::Handler handler) {
    return std::make_unique<HttpsServer>(impl.tls.context(), ServerOptions{address, port, std::move(body_limit), 2000},
                                         std::move(handler));
  };
  const auto limit = [&impl] { return impl.world.behaviour.body_limit.load(); };
  impl.front = listen(options.address, options.port, limit,
                      [&impl](const HttpRequest& request) { return impl.answer(request); });
  const bool v6 = options.address == "::1" || options.address == "::";
  const bool any_address =
      options.address == "localhost" || options.address == "127.0.0.1" || options.address == "0.0.0.0";
  impl.uploads = listen(
      options.address == "localhost" ? "127.0.0.1" : options.address, 0, limit, [&impl](const HttpRequest& request) {
        return impl.with_faults(request.method == "PUT" ? "upload.put" : "upload.other", request,
                                [&impl](const HttpRequest& r) { return impl.world.uploads.handle(r); });
      });
  impl.door = listen(
      options.address == "::1" ? "::1" : "127.0.0.1", 0, [] { return std::size_t{256} << 20; },
      [&impl](const HttpRequest& request) { return impl.control.handle(request); });
  // Under the name the certificate was made for.
  const std::string host = any_address || v6                                ? "localhost"
                           : options.address.find(':') != std::string::npos ? "[" + options.address + "]"
                                                                            : options.address;
  // Uploads go to another host than Graph (graph-mail.md section 11): Microsoft's clients go by the name alone, without
  // the port, when they decide where to send their token.
  const std::string upload_host = any_address ? "127.0.0.1" : v6 ? "[::1]" : host;
  impl.world.origin = "https://" + host + ":" + std::to_string(impl.front->port());
  impl.world.upload_origin = "https://" + upload_host + ":" + std::to_string(impl.uploads->port());
  impl.world.control_origin = "https://localhost:" + std::to_string(impl.door->port());
  impl.world.entra.set_origin(impl.world.origin);

  impl.tls.write_files(impl.dir);
  const Json addresses = Json::Object{{"control", impl.world.control_origin},
                                      {"origin", impl.world.origin},
                                      {"upload_origin", impl.world.upload_origin},
                                      {"ca_file", ca_file().string()}};
  write_file(impl.dir / "control.json", addresses.pretty() + "\n", 0600);
  write_contact_center(impl.world, center, impl.dir);
}

Microsoft365::~Microsoft365() {
  stop();
}

std::string Microsoft365::origin() const {
  return impl_->world.origin;
}
std::string Microsoft365::control_origin() const {
  return impl_->world.control_origin;
}
std::filesystem::path Microsoft365::ca_file() const {
  return impl_->dir / "ca.pem";
}
std::filesystem::path Microsoft365::configuration_file() const {
  return impl_->dir / "contact-center.json";
}

void Microsoft365::stop() {
  impl_->world.stop.stop();
  for (auto* server : {&impl_->front, &impl_->uploads, &impl_->door}) {
    if (*server) (*server)->stop();
  }
  impl_->world.scheduler.stop();
}

}  // namespace embedded
