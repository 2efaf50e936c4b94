// A stream's turn on a worker: does what stream_plan.h says comes next, and plans the turn after.
#pragma once

#include <exception>
#include <string>
#include <vector>

#include "m365/incoming/stream.h"

namespace m365 {

/// Reads what the plan needs; the disk may refuse: throws mail::FaultError (state_disk).
StreamFacts facts_of(Stream& stream);

/// One turn: at most one page is read. Never throws; a failure backs the stream off and shows in its health.
void take_turn(Stream& stream);

/// The one request this stream's next step consists of, where it can share a batch; else nullopt. What will be due
/// within `ahead` is due. Never throws.
std::optional<GraphRequest> batchable_request(Stream& stream, std::chrono::milliseconds ahead = {});
/// Goes on with the answer to it.
void take_answer(Stream& stream, const GraphRequest& request, BatchAnswer answer);
/// The batch as a whole failed: the stream goes on alone.
void batch_failed(Stream& stream, std::exception_ptr error);

/// Plans the fetch half, and the marking half when it has work. Never throws.
void plan_next(Stream& stream);

}  // namespace m365
