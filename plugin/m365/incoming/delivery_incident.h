// While the guard is tripped (refusal_guard.h): what is kept, what is tried, what is said.
#pragma once

#include "m365/incoming/stream.h"

namespace m365 {

/// The mails whose rejection is still to be carried out are kept where they are, on disk, and those that were moved
/// before it was an incident go back. Throws GraphError, mail::FaultError.
void hold_incident(Stream& stream);
/// Moves a mail out of the folder for rejected ones, back to where it came from. True: it is there now. Throws
/// likewise.
bool bring_back(Stream& stream, const FolderIdentity& folder, const MessageRow& row);
/// After a while one mail is tried: has the host, or the service, come to its senses? Throws as deliver().
void probe(Stream& stream);
/// The fault that stands meanwhile.
mail::Fault incident_fault(const Stream& stream, RefusalGuard::Incident incident);

}  // namespace m365
