#include "m365/outgoing/submission_context.h"

namespace m365 {

mail::FaultError failure(mail::Cause cause, mail::Remedy remedy, std::string text, std::string request_id,
                         bool maybe_done) {
  mail::Fault fault;
  fault.cause = cause;
  fault.remedy = remedy;
  fault.text = std::move(text);
  fault.request_id = std::move(request_id);
  fault.maybe_done = maybe_done;
  return mail::FaultError(std::move(fault));
}

bool may_be_done(const mail::FaultError& error) {
  if (error.fault().maybe_done) return true;
  const auto* refusal = dynamic_cast<const GraphError*>(&error);
  if (refusal == nullptr) return false;
  if (refusal->fault().cause == mail::Cause::send_limit) return false;  // 400, 403 and 429 have been seen for it
  const int status = refusal->status();
  return status < 400 || status >= 500 || status == 408 || status == 429;
}

}  // namespace m365
