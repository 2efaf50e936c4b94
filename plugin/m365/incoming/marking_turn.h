// When the marking half works, and with whom it shares a batch.
#pragma once

#include <functional>

#include "m365/incoming/stream.h"

namespace m365 {

/// soon: a moment is left for marks of other mailboxes to share the batch; now: it has a batch of its own.
enum class Wake { soon, now };
/// Plans the marking half. Any thread.
void wake_marking(Stream& stream, Wake when);

/// Streams of the same account whose marks are due as well.
struct Neighbours {
  std::function<StreamPtr()> next;         ///< takes one; null: there is none
  std::function<void(Stream&)> give_back;  ///< one that was taken and is planned
};
/// A turn of the marking half, with neighbours as long as the batch has room. Plans all that it takes. Throws what
/// `neighbours` throw, and nothing else.
void take_marking_turn(const StreamPtr& stream, const Neighbours& neighbours);

}  // namespace m365
