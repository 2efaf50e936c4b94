// Upload sessions: the pieces of a large attachment, on an origin of their own. graph-mail.md section 11.
#ifndef HOST_SIM_M365_UPLOADS_H_
#define HOST_SIM_M365_UPLOADS_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "m365/json.h"
#include "m365/server/clock.h"
#include "m365/server/http.h"
#include "m365/world/directory.h"

namespace embedded {

struct World;

class Uploads {
 public:
  explicit Uploads(World& world) : world_(world) {}

  // The answer's body to createUploadSession. Throws GraphError: wrong AttachmentItem, file too small or too large.
  Json open(const User& owner, const std::string& client_id, std::uint64_t message, const std::string& message_id,
            const Json& body);

  // PUT, GET and DELETE on an upload URL.
  HttpResponse handle(const HttpRequest& request);

  // The tokens of all sessions, the last 10,000: what a test must find nowhere else.
  std::vector<std::string> tokens() const;

 private:
  struct Session {
    Directory::UserPtr owner;
    std::uint64_t message = 0;
    std::string client_id, id, token, message_id;
    std::string name, content_type, content_id;
    bool is_inline = false;
    std::size_t size = 0;
    std::string bytes;
    Time expires{};
    std::mutex mutex;  // one piece at a time
  };
  HttpResponse put(const std::shared_ptr<Session>& session, const HttpRequest& request);
  HttpResponse finish(const std::shared_ptr<Session>& session);
  std::string base_of(const Session& session) const;

  World& world_;
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Session>> sessions_;  // by id; guarded by mutex_
  std::deque<std::string> tokens_;                            // guarded by mutex_
};

}  // namespace embedded

#endif  // HOST_SIM_M365_UPLOADS_H_
