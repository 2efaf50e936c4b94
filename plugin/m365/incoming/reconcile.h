// Plain lists beside the change feed: they prove that it missed nothing, and stand in where it is not offered.
#pragma once

#include "m365/incoming/stream.h"

namespace m365 {

/// One page of the list at work; begins the lists that are due. Throws GraphError, mail::FaultError.
void walk(Stream& stream);
/// A poll without the change feed: the list of what was received lately.
void poll_by_list(Stream& stream);

}  // namespace m365
