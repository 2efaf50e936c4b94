// Reading the changes of a folder, page by page (graph-mail.md, section 6).
#pragma once

#include <string>

#include "m365/incoming/stream.h"
#include "m365/message/message_row.h"

namespace m365 {

constexpr unsigned page_alone = 50, page_in_batch = 10;

/// The next page: the saved link as it is, or the beginning of a series.
GraphRequest poll_request(const Stream& stream, unsigned page_size);
/// Takes its answer (a success), whose content stays as it is. Throws mail::FaultError.
void take_poll(Stream& stream, std::string& body, unsigned page_size);
/// What a failed one means, where it is more than a failure: lost state, no delta here, a page too large. True: dealt
/// with, go on at once.
bool poll_refused(Stream& stream, const GraphError& error);
/// Request and answer, alone. Throws GraphError, mail::FaultError.
void poll(Stream& stream);

/// Sorts rows into what is known, what left and what is to be handed over; the latter are on disk as set aside, and in
/// stream.in_hand, when it returns. `list`: the rows come from a plain list. Returns how many were new.
std::size_t take_rows(Stream& stream, std::vector<MessageRow> rows, bool list);
/// When in_hand is empty: saves how far the folder was read.
void save_progress(Stream& stream);

}  // namespace m365
