// Where the bytes of a part come from: memory, or the service while the host pulls.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "m365/graph/graph_client.h"
#include "mail/byte_source.h"
#include "mail/fault.h"

namespace m365 {

using OpenPart = std::function<std::unique_ptr<mail::ByteSource>()>;

/// Opens a source over `text`, which all sources share.
OpenPart open_text(std::string text);

/// Opens a source that sends `request` at its first read and passes the body on as it arrives. A connection that breaks
/// before the first byte is tried once more; later it is a FaultError, for the receiver has the first part already.
/// The exchange (and its place at the gate) is given back at the last byte. `graph` must outlive the sources.
OpenPart open_graph(GraphClient& graph, GraphRequest request, std::stop_token stop);

/// Opens nothing: throws a FaultError with this sentence (Remedy::item).
OpenPart open_refused(std::string sentence);

}  // namespace m365
