// When the change feed forgets, has no end, or shows more than can be read: lists take over, and the health says so.
#pragma once

#include <chrono>
#include <string>

#include "m365/incoming/stream.h"

namespace m365 {

/// For an answer that is a success and yet of no use.
mail::FaultError broken_answer(const Stream& stream, const std::string& what);

/// For `time` the folder is read by lists, which need no memory of the service's; then the feed is tried again. A list
/// of the whole folder shows what neither the feed nor a list of what came lately has shown; without `whole` the daily
/// one does.
void read_by_lists(Stream& stream, std::chrono::milliseconds time, bool whole = true);

/// The service has no feed for this folder, or one of no use: lists for an hour, the whole folder once since start().
void feed_not_offered(Stream& stream, const std::string& why);

/// The service has forgotten how far the folder was read (graph-mail.md, section 6): it is read from its beginning, and
/// the receipts absorb. Once, that is nothing. A service that forgets again before one round has gone on from its link
/// would have the same pages read for ever and the later ones never: from the second time on lists take over, for ever
/// longer times.
void lost_state(Stream& stream, const GraphError& error);

/// More than an answer may have: asked for again in smaller pages. When one mail alone is that large, lists take over,
/// which show no text, and it is read by itself, without its text.
void page_too_large(Stream& stream, unsigned page_size, const mail::FaultError& error);

/// Endless pages must not take a worker for ever: after so many in a row without news the next one waits, ever longer.
constexpr unsigned many_barren_pages = 500;
std::chrono::milliseconds pause_after(unsigned barren_pages);
/// Shows in the stream's health that `what` may have no end.
void tell_endless(Stream& stream, const std::string& what);

/// The feed, or a list, has come to its end as it should.
void feed_works(Stream& stream);

}  // namespace m365
