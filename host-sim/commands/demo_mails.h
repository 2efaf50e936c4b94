// The mails of the demo, written for it, as their senders' programs would send them.
#ifndef HOST_SIM_COMMANDS_DEMO_MAILS_H_
#define HOST_SIM_COMMANDS_DEMO_MAILS_H_

#include <string>
#include <vector>

#include "base/json.h"

namespace commands {

struct DemoMail {
  std::string sender;  // the customer's mailbox it is sent from
  std::string mime;
};

// A plain question, one with attachments and an inline image, a complaint for the folder Claims, one in Finnish and one
// in Japanese (ISO-2022-JP).
std::vector<DemoMail> demo_mails();

// An automatic reply to Support. No program submits such a mail: the sender's mail server makes it.
std::string demo_automatic_reply();

/// From a sender whose mails the host's rule rejects.
inline constexpr const char* kDemoUnwanted = "prize@lottery.example";
std::string demo_unwanted();

// One more plain question, for later steps of the story.
DemoMail demo_question(const std::string& from, const std::string& to, const std::string& subject);

// The tenants of the demo: Contoso with the contact center's mailboxes, Fabrikam with its customers.
base::Json demo_tenants();

// Encodes for a header or a body.
std::string base64(const std::string& bytes, bool lines);

}  // namespace commands

#endif  // HOST_SIM_COMMANDS_DEMO_MAILS_H_
