// The single signs that the ladder of classify.cpp is made of.
#pragma once

#include <string>
#include <string_view>

#include "m365/message/message_row.h"
#include "m365/message/thread_headers.h"

namespace m365 {

/// "Return-Path: <>": nobody shall answer. Bounces, receipts and automatic replies have it.
bool has_null_return_path(const HeaderList& headers);

/// Auto-Submitted (RFC 3834), Exchange's rules agent, X-Autoreply, Precedence: auto_reply; and Exchange's out of
/// office, which has none of these.
bool says_automatic(const HeaderList& headers);
bool says_mass_mail(const HeaderList& headers);   ///< List-Id, List-Unsubscribe
bool says_precedence(const HeaderList& headers);  ///< bulk, list, junk

/// A bounce that does not say so by its Content-Type: Exchange's and other transports' marks; a sender that only
/// bounces come from; a postmaster, or a null return path, whose subject or text speaks of a failed delivery.
bool looks_like_bounce(const MessageRow& row);

}  // namespace m365
