// The demo's Microsoft 365: the service itself, and the hands that put mails in and look into mailboxes.
#ifndef HOST_SIM_COMMANDS_DEMO_WORLD_H_
#define HOST_SIM_COMMANDS_DEMO_WORLD_H_

#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"
#include "commands/demo_mails.h"
#include "commands/web_client.h"
#include "m365/microsoft365.h"

namespace commands {

class DemoWorld {
 public:
  // Starts the service in DIR/m365 and makes the folder Claims. Throws std::runtime_error.
  explicit DemoWorld(const std::filesystem::path& dir);

  std::string origin() const { return service_.origin(); }
  // The configuration of the contact center: three queues on two mailboxes; `with_ceo` adds a fourth on a mailbox that
  // the app may not read. `secret_file` is where the app's secret is read from.
  base::Json configuration(bool with_ceo, const std::filesystem::path& secret_file) const;
  // The app's secret, as it stands in the file the service wrote.
  std::string secret() const;

  // The customer's program sends it: token from Entra, sendMail with MIME. Returns the Message-ID it was given.
  void send(const DemoMail& mail);
  // A mail server elsewhere delivers it.
  void deliver(const std::string& mailbox, const std::string& mime);
  // A rule of the mailbox: what came for `address` goes into the folder.
  void file_into(const std::string& mailbox, const std::string& address, const std::string& folder);
  void flood(const std::string& mailbox, int count);
  // The next send is done, but its answer is 504.
  void lose_next_send_answer();

  // Messages of a folder ("inbox", "Claims", "sentitems"), as the service holds them; none when there is no such
  // folder.
  std::vector<base::Json> messages(const std::string& mailbox, const std::string& folder);
  // Of each of these folders "12 mails, 3 unread", or "not there".
  std::vector<std::string> counts(const std::string& mailbox, const std::vector<std::string>& folders);

 private:
  std::string token();

  const std::filesystem::path dir_;
  embedded::Microsoft365 service_;
  WebClient web_;
  std::string token_;
};

}  // namespace commands

#endif  // HOST_SIM_COMMANDS_DEMO_WORLD_H_
