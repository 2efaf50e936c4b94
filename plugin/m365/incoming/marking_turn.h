// When the marking half works, and with whom it shares a batch.
#pragma once

#include <vector>

#include "m365/incoming/stream.h"

namespace m365 {

/// Plans the marking half soon: a moment is left for marks of other mailboxes to share its batch. Any thread.
void wake_marking(Stream& stream);

/// A turn of the marking half, with streams of the same account that are due as well. Plans all of them. Never throws.
void take_marking_turn(const StreamPtr& stream, const std::vector<StreamPtr>& more);

}  // namespace m365
