// The steps that pipeline.cpp puts in a row; each is written in a file of its own.
#pragma once

#include <memory>

#include "http/pipeline.h"
#include "http/step.h"

namespace http {

/// One line at debug for a request and its repeats: operation, status, milliseconds, request-id.
std::unique_ptr<Step> make_log_step(const PipelineParts& parts);
/// Repeats what may be repeated, after a pause.
std::unique_ptr<Step> make_retry_step(const PipelineParts& parts);
/// Adds the bearer token, for the Graph root's origin only; a new one after 401.
std::unique_ptr<Step> make_token_step(const PipelineParts& parts);
/// Waits for places at the gate, and shuts it when the service says so.
std::unique_ptr<Step> make_gate_step(const PipelineParts& parts);
/// The last one: to the network.
std::unique_ptr<Step> make_transport_step(const PipelineParts& parts);

}  // namespace http
