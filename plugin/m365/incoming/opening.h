// Finding the folder of a stream, and deciding what its first opening hands over (architecture, section 3).
#pragma once

#include <string>

#include "m365/incoming/stream.h"
#include "m365/message/message_row.h"

namespace m365 {

/// Above so many mails a series of changes is filtered by time, for a filtered one ends at 5,000 (graph-mail.md,
/// section 6) and an unfiltered one would be read to its end; the older mails come by a list.
constexpr std::int64_t long_folder = 2'000;
constexpr unsigned newest_by_delta = 1'000;

/// The one request that opens a stream whose folder id or well-known name is known: it can go out in a batch. nullopt
/// when the folder has to be searched for.
std::optional<GraphRequest> opening_request(Stream& stream);
/// Goes on with its answer.
void open_with(Stream& stream, const FolderRow& folder, const http::Headers& headers);
/// Both, and the search where it is needed. Throws GraphError, mail::FaultError.
void open_stream(Stream& stream);

/// Whether a mail that stood in the folder at the first opening is handed over.
bool wanted_at_first(const Stream& stream, const MessageRow& row);
/// True while the first fetch waits for the administrator: only what came since is handed over.
bool first_fetch_held(const Stream& stream);

/// Whether a link of the service's names another origin than Graph's; a token must not go there.
bool leads_elsewhere(const Stream& stream, const std::string& link);

/// Forgets where the folder was read to, and opens anew: nothing is handed over twice, the receipts see to it.
void restart_series(Stream& stream, const std::string& why);

}  // namespace m365
