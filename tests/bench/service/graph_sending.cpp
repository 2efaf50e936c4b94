// Drafts, their attachments, sending.
#include "service/answers.h"
#include "service/graph_service.h"

namespace bench {

int GraphService::new_draft(std::uint32_t mailbox, std::string& out) {
  drafts_.push_back({mailbox, false});
  append_draft(static_cast<std::uint32_t>(drafts_.size() - 1), out);
  return 201;
}

void GraphService::append_draft(std::uint32_t number, std::string& out) const {
  const Draft& draft = drafts_[number];
  out += R"({"id":")";
  append_id(out, {Id::Kind::draft, draft.mailbox, number});
  out += R"(","isDraft":)" + std::string(draft.sent ? "false" : "true") + R"(,"parentFolderId":")";
  append_id(out, {Id::Kind::folder, draft.mailbox, 3});
  out += R"(","conversationId":"AAQkALgAAAAAAHYQDEapmEc2byACqAC-EWg0AEACq3oUQEu9fUe8JpTz=","receivedDateTime":")";
  append_time(out, wall_now());
  out += R"(","internetMessageId":"<sent.)";
  append_decimal(out, number, 8);
  out += R"(@bench.example>"})";
}

int GraphService::draft(const Ask& ask, std::uint32_t number, std::string_view rest, std::string& out) {
  if (rest == "/send") {
    ++counters_.sends;
    drafts_[number].sent = true;
    return 202;
  }
  if (rest == "/attachments/createUploadSession") {
    std::uint64_t size = 0;
    if (const std::size_t at = ask.body.find("\"size\""); at != std::string_view::npos)
      size = first_number(ask.body.substr(at)).value_or(0);
    uploads_.push_back({size});
    out += R"({"uploadUrl":")" + origin_ + "/upload/" + std::to_string(uploads_.size() - 1) +
           R"(?authtoken=eyJhbGciOiJSUzI1NiJ9","expirationDateTime":")";
    append_time(out, wall_now() + std::chrono::hours(1));
    out += R"(","nextExpectedRanges":["0-"]})";
    return 201;
  }
  if (rest == "/attachments") {
    if (ask.method == "POST") {
      counters_.uploaded += ask.body.size();
      out += R"({"@odata.type":"#microsoft.graph.fileAttachment","id":")";
      append_id(out, {Id::Kind::attachment, ask.mailbox, number});
      out += "\"}";
      return 201;
    }
    out += R"({"value":[]})";
    return 200;
  }
  if (rest.empty() && ask.method == "DELETE") return 204;
  if (rest.empty()) {
    append_draft(number, out);
    return 200;
  }
  return error(out, 404, "ErrorItemNotFound");
}

// Content-Range: bytes start-end/total
int GraphService::put_piece(const HttpRequest& request, std::string& out) {
  const std::string_view range = request.header("Content-Range");
  const std::size_t dash = range.find('-');
  const auto end = dash == std::string_view::npos ? std::nullopt : first_number(range.substr(dash));
  const auto number = first_number(request.target);
  if (!end || !number || *number >= uploads_.size()) return error(out, 404, "ErrorItemNotFound");
  counters_.uploaded += request.body.size();
  if (*end + 1 >= uploads_[*number].size) return 201;
  out += R"({"@odata.context":")" + origin_ + R"(/v1.0/$metadata#uploadSession","ExpirationDateTime":")";
  append_time(out, wall_now() + std::chrono::hours(1));
  out += R"(","NextExpectedRanges":[")" + std::to_string(*end + 1) + R"("]})";
  return 200;
}

}  // namespace bench
