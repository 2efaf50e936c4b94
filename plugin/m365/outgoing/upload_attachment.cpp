#include "m365/outgoing/upload_attachment.h"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "m365/message/message_row.h"
#include "m365/outgoing/draft_message.h"
#include "m365/outgoing/submission_text.h"

namespace m365 {
namespace {

constexpr int most_stalls = 5;
constexpr std::chrono::seconds expiry_margin{30};

Poco::JSON::Object::Ptr parse_object(const std::string& json) {
  try {
    return Poco::JSON::Parser().parse(json).extract<Poco::JSON::Object::Ptr>();
  } catch (const std::exception&) {
    return nullptr;
  }
}

// The session's answers do not agree on capital letters (graph-mail.md, section 11).
Poco::Dynamic::Var member(const Poco::JSON::Object::Ptr& object, std::string_view name) {
  if (object.isNull()) return {};
  for (const auto& [key, value] : *object) {
    if (equal_without_case(key, name)) return value;
  }
  return {};
}

bool is_size_refusal(const GraphError& error) {
  const std::string& code = error.fault().code;
  return error.status() == 413 || code.find("SizeExceeded") != std::string::npos;
}

}  // namespace

std::optional<std::uint64_t> next_expected(const std::string& json) {
  const Poco::Dynamic::Var ranges = member(parse_object(json), "nextExpectedRanges");
  if (ranges.type() != typeid(Poco::JSON::Array::Ptr)) return std::nullopt;
  const auto list = ranges.extract<Poco::JSON::Array::Ptr>();
  if (list.isNull() || list->size() == 0 || list->isNull(0)) return std::nullopt;
  const std::string first = list->get(0).toString();
  std::uint64_t offset = 0;
  const auto [end, error] = std::from_chars(first.data(), first.data() + first.size(), offset);
  const bool ends_well = end == first.data() + first.size() || *end == '-';
  return error == std::errc() && ends_well ? std::optional(offset) : std::nullopt;
}

std::optional<UploadSession> read_upload_session(const std::string& json) {
  const auto answer = parse_object(json);
  const Poco::Dynamic::Var url = member(answer, "uploadUrl");
  if (!url.isString()) return std::nullopt;
  UploadSession session{url.toString(), next_expected(json).value_or(0), std::nullopt};
  const Poco::Dynamic::Var expires = member(answer, "expirationDateTime");
  if (expires.isString()) session.expires = parse_time(expires.toString());
  return session;
}

AttachmentUpload::AttachmentUpload(const SubmissionContext& context, std::string mailbox, std::string draft_id,
                                   const mail::Part& part)
    : context_(context),
      mailbox_(std::move(mailbox)),
      path_(user_path(mailbox_) + "/messages/" + http::percent_encode(draft_id) + "/attachments"),
      part_(part) {}

AttachmentUpload::~AttachmentUpload() = default;

void AttachmentUpload::run(std::stop_token stop) {
  in_doubt_ = progressed_ = false;
  if (content_) {
    content_->resume(stop);
    return upload(stop);
  }
  if (!too_large_ && part_.size_hint < static_cast<std::int64_t>(session_border)) {
    const std::string bytes = PartReader(context_, part_, stop).read_up_to(session_border);
    if (bytes.size() < session_border) {
      post(bytes, stop);
      if (!too_large_) return;
    }
  }
  content_ = std::make_unique<PartContent>(context_, part_, stop);
  if (content_->size() < session_border && !too_large_) content_->spool();  // the hint was too small to be true
  upload(stop);
}

void AttachmentUpload::post(std::string_view bytes, std::stop_token stop) {
  GraphRequest request = sending_request("POST", path_, mailbox_, "add an attachment");
  request.body = attachment_json(part_, bytes);
  request.repeatable = false;
  try {
    context_.graph.send(request, stop);
  } catch (const GraphError& error) {
    // Our reading of the 4 MB limit may be too generous (section 2): the session takes it then, unless it said before
    // that this one is too small.
    if (error.status() == 413 && !too_small_) {
      too_large_ = true;
      return;
    }
    in_doubt_ = may_be_done(error);
    throw;
  } catch (const mail::FaultError& error) {
    in_doubt_ = may_be_done(error);
    throw;
  }
}

void AttachmentUpload::upload(std::stop_token stop) {
  while (!finished_) {
    if (too_small_) return post(content_->piece(0, static_cast<std::size_t>(content_->size())).value_or(""), stop);
    if (session_ && session_->expires && context_.clock.wall() + expiry_margin >= *session_->expires) session_.reset();
    if (session_) {
      put_piece(stop);
    } else {
      open_session(stop);
    }
  }
}

void AttachmentUpload::open_session(std::stop_token stop) {
  GraphRequest request = sending_request("POST", path_ + "/createUploadSession", mailbox_, "open an upload session");
  request.body = upload_session_json(part_, content_->size());
  // Repeatable: a session that nobody uses expires by itself and leaves nothing in the draft.
  http::Response response;
  try {
    response = context_.graph.send(request, stop);
  } catch (const GraphError& error) {
    if (error.fault().code.find("ShouldNotBeLessThanMinimumSize") == std::string::npos ||
        content_->size() > session_piece) {
      throw;
    }
    too_small_ = true;
    return;
  }
  session_ = read_upload_session(response.body);
  if (!session_) {
    throw failure(mail::Cause::service_fault, mail::Remedy::wait,
                  "Microsoft 365 opened an upload session for " + mailbox_ + " without naming its URL.",
                  response.request_id());
  }
}

void AttachmentUpload::put_piece(std::stop_token stop) {
  const std::uint64_t total = content_->size();
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(session_piece, total - session_->offset));
  const bool last = session_->offset + size == total;
  const std::optional<std::string> bytes = content_->piece(session_->offset, size);
  if (!bytes) {
    // The host's size was wrong and the session was opened with it: count, and start over with the right one.
    context_.log.write(mail::Level::warning, context_.source,
                       "the host announced another size for the attachment '" + for_log(part_.file_name) + "'");
    content_->spool();
    session_.reset();
    too_small_ = content_->size() < session_border;
    return;
  }
  http::Response response;
  try {
    response = context_.graph.upload(session_->url, *bytes, session_->offset, total, mailbox_, stop);
  } catch (const mail::FaultError& error) {
    piece_unclear_ = may_be_done(error);
    if (last && piece_unclear_) in_doubt_ = last_unclear_ = true;
    throw;
  }
  answered(response, last);
}

void AttachmentUpload::answered(const http::Response& response, bool last) {
  if (response.status == 201) {
    finished_ = true;
    return;
  }
  const std::uint64_t before = session_->offset;
  const std::optional<std::uint64_t> next = next_expected(response.body);
  const bool good = response.status >= 200 && response.status < 300;
  if (good) piece_unclear_ = false;
  if (next && *next <= content_->size() && (good || *next != before)) {
    // Also in a refusal: after a cut the service may stand further than we know, or less far.
    stalled_ = *next > before ? 0 : stalled_ + 1;
    progressed_ = progressed_ || *next > before;
    session_->offset = *next;
    if (stalled_ < most_stalls && *next < content_->size()) return;
  } else if (good && !last) {
    session_->offset = std::min<std::uint64_t>(before + session_piece, content_->size());
    return;
  }
  const GraphError error = graph_error(response, {mailbox_, "upload an attachment", false},
                                       context_.graph.tokens().permissions(), context_.clock.wall());
  if (good) {
    // The last byte is there and yet no 201: the attachment may be finished or not.
    in_doubt_ = true;
    session_.reset();
    throw failure(mail::Cause::service_fault, mail::Remedy::wait,
                  "Microsoft 365 did not confirm an attachment for " + mailbox_ + ".", response.request_id());
  }
  if (is_size_refusal(error)) throw error;
  if (response.status == 429 || response.status >= 500) {
    piece_unclear_ = true;
    if (last) in_doubt_ = last_unclear_ = true;
    throw error;
  }
  if (std::exchange(piece_unclear_, false) && !last && (response.status == 400 || response.status == 416)) {
    // Refused without a word of where it stands: pieces are taken strictly in order, so the one whose answer was lost
    // has arrived if the service takes the one after it.
    session_->offset = before + session_piece;
    return;
  }
  lose_session(error);
}

void AttachmentUpload::lose_session(const mail::FaultError& why) {
  // 401, 404, 410, 416 ...: expired, evicted, or closed because the last piece arrived in spite of a cut. Only the list
  // of the draft's attachments can tell that last case from the others.
  session_.reset();
  piece_unclear_ = false;
  in_doubt_ = last_unclear_;
  mail::Fault fault = why.fault();
  fault.remedy = mail::Remedy::wait;
  throw mail::FaultError(std::move(fault));
}

}  // namespace m365
