// When the marking half works, and with whom it shares a batch.
#pragma once

#include <functional>

#include "m365/incoming/stream.h"

namespace m365 {

/// soon: a moment is left for marks of other mailboxes to share the batch; now: it has a batch of its own.
enum class Wake { soon, now };
/// Plans the marking half. Any thread.
void wake_marking(Stream& stream, Wake when);

/// A turn of the marking half, with streams of the same account that are due as well: `another` gives the next one, as
/// long as the batch has room, or null. Plans all of them. Throws what `another` throws, and nothing else.
void take_marking_turn(const StreamPtr& stream, const std::function<StreamPtr()>& another);

}  // namespace m365
