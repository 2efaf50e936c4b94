#include "m365/mime/mime_read.h"

#include <gmime/gmime.h>

#include <algorithm>
#include <mutex>

#include "m365/mime/html.h"
#include "m365/mime/mime_header.h"
#include "m365/mime/text.h"

namespace embedded {
namespace {

template <typename T>
struct Unref {
  void operator()(T* object) const { g_object_unref(object); }
};
template <typename T>
using Owned = std::unique_ptr<T, Unref<T>>;

void initialise() {
  static std::once_flag once;
  // Never shut down: GMime cannot be initialised a second time in one process.
  std::call_once(once, [] { g_mime_init(); });
}

std::string stream_bytes(GMimeStream* stream) {
  const GByteArray* array = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
  return array == nullptr ? std::string() : std::string(reinterpret_cast<const char*>(array->data), array->len);
}

// The bytes of a part, transfer encoding undone.
std::string part_bytes(GMimePart* part) {
  GMimeDataWrapper* content = g_mime_part_get_content(part);
  if (content == nullptr) return {};
  const Owned<GMimeStream> out(g_mime_stream_mem_new());
  g_mime_data_wrapper_write_to_stream(content, out.get());
  return stream_bytes(out.get());
}

// Any object written as it is, headers included.
std::string object_bytes(GMimeObject* object) {
  const Owned<GMimeStream> out(g_mime_stream_mem_new());
  g_mime_object_write_to_stream(object, nullptr, out.get());
  return stream_bytes(out.get());
}

std::string raw_header(GMimeObject* object, const char* name) {
  GMimeHeader* header = g_mime_header_list_get_header(g_mime_object_get_header_list(object), name);
  const char* value = header != nullptr ? g_mime_header_get_raw_value(header) : nullptr;
  if (value == nullptr) return {};
  std::string flat(value);
  flat.erase(std::remove_if(flat.begin(), flat.end(), [](char c) { return c == '\r' || c == '\n'; }), flat.end());
  return std::string(trim(flat));
}

// Content type, disposition and ids of a part, read from its raw headers.
struct PartHead {
  Parameterised type, disposition;
  std::optional<std::string> content_id, location, name;
  bool is_inline = false;

  explicit PartHead(GMimeObject* object) {
    type = parse_parameters(raw_header(object, "Content-Type"));
    if (type.value.find('/') == std::string::npos) {
      GMimeContentType* known = g_mime_object_get_content_type(object);
      const std::unique_ptr<char, decltype(&g_free)> text(known ? g_mime_content_type_get_mime_type(known) : nullptr,
                                                          &g_free);
      type.value = text ? lower(text.get()) : "text/plain";
    }
    disposition = parse_parameters(raw_header(object, "Content-Disposition"));
    if (const auto id = raw_header(object, "Content-ID"); !id.empty()) {
      const auto ids = message_ids(id);
      content_id = to_utf8(ids.empty() ? id : ids.front().substr(1, ids.front().size() - 2));
    }
    if (const auto text = raw_header(object, "Content-Location"); !text.empty()) location = to_utf8(text);
    for (const auto* candidates : {&disposition.parameters, &type.parameters}) {
      const auto found = candidates->find(candidates == &disposition.parameters ? "filename" : "name");
      if (!name && found != candidates->end() && !found->second.empty()) name = found->second;
    }
    is_inline = disposition.value == "inline";
  }

  std::string parameter(const char* key) const {
    const auto found = type.parameters.find(key);
    return found == type.parameters.end() ? std::string() : found->second;
  }
};

class MimeReader {
 public:
  MimeReader(Content& content, GMimeMessage* message) : content_(content), message_(message) {}

  void read() {
    GMimeObject* root = g_mime_message_get_mime_part(message_);
    if (root == nullptr) {
      content_.text = "";
      return;
    }
    const PartHead head(root);
    if (read_smime(root, head)) return;
    if (head.type.value == "multipart/report") report_type_ = lower(head.parameter("report-type"));
    walk(root, head, {});
    if (report_type_ == "delivery-status" || report_type_ == "disposition-notification") classify_report();
  }

 private:
  struct Place {
    bool in_related = false;
    int alternative = 0;  // which one of the outermost multipart/alternatives; 0: none
    int depth = 0;
  };

  void walk(GMimeObject* object, const PartHead& head, Place place) {
    if (place.depth > 200) return;
    if (GMIME_IS_MULTIPART(object)) {
      auto* multipart = GMIME_MULTIPART(object);
      const bool begins = place.alternative == 0 && head.type.value == "multipart/alternative";
      const Place inner{place.in_related || head.type.value == "multipart/related",
                        begins ? ++alternatives_ : place.alternative, place.depth + 1};
      const int count = g_mime_multipart_get_count(multipart);
      if (count <= 0 && !content_.html && !content_.text) content_.text = "";
      for (int i = 0; i < count; ++i) {
        GMimeObject* part = g_mime_multipart_get_part(multipart, i);
        if (part == nullptr) continue;
        const PartHead part_head(part);
        if (part_head.type.value == "message/rfc822" || part_head.type.value == "message/global") {
          add_message(part, part_head);
        } else {
          walk(part, part_head, inner);
        }
      }
    } else if (GMIME_IS_MESSAGE_PART(object)) {
      add_message(object, head);
    } else if (GMIME_IS_PART(object)) {
      read_part(GMIME_PART(object), head, place);
    } else if (GMIME_IS_MESSAGE_PARTIAL(object)) {
      read_part(GMIME_PART(object), head, place);
    }
  }

  void read_part(GMimePart* part, const PartHead& head, const Place& place) {
    const std::string& type = head.type.value;
    const bool attached = head.disposition.value == "attachment" || head.name.has_value();
    if ((type == "text/plain" || type == "text/html") && !attached) {
      auto& body = type == "text/html" ? content_.html : content_.text;
      // The body is the first text. One of the other kind is the same body only in the same multipart/alternative; any
      // further text is a part of its own, or it would be shown nowhere.
      const bool other_body = type == "text/html" ? content_.text.has_value() : content_.html.has_value();
      const bool same_body = place.alternative != 0 && place.alternative == body_alternative_;
      if (!body && (!other_body || same_body)) {
        body_alternative_ = place.alternative;
        body = with_crlf(charset_to_utf8(part_bytes(part), head.parameter("charset")));
        return;
      }
    }
    if (type == "text/calendar") {
      const std::string method = head.parameter("method");
      if (!method.empty() && content_.meeting_method.empty()) {
        content_.meeting_method = method;
        std::transform(method.begin(), method.end(), content_.meeting_method.begin(),
                       [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
        content_.message_class = "IPM.Schedule.Meeting." + meeting_class(content_.meeting_method);
        return;  // becomes the event, not an attachment
      }
    }
    if (!report_type_.empty()) {
      // exchange-admin.md section 13: the machine-readable part is not seen in JSON.
      if (type == "message/delivery-status" || type == "message/global-delivery-status" ||
          type == "message/disposition-notification") {
        report_ = part_bytes(part);
        return;
      }
      if (type == "text/rfc822-headers" && report_type_ == "delivery-status") return;
    }
    Attachment attachment;
    attachment.kind = AttachmentKind::file;
    attachment.content_type = type;
    attachment.bytes = std::make_shared<const std::string>(part_bytes(part));
    // RFC 2557: what a related html page shows is inline whether it says so or not.
    attachment.is_inline =
        head.content_id && (head.is_inline || (place.in_related && head.disposition.value != "attachment"));
    attachment.content_id = head.content_id;
    attachment.content_location = head.location;
    attachment.name = head.name ? *head.name : generated_name(type);
    add(std::move(attachment));
  }

  void add_message(GMimeObject* object, const PartHead& head) {
    Attachment attachment;
    attachment.kind = AttachmentKind::item;
    attachment.is_inline = false;
    attachment.content_id = head.content_id;
    std::string inner;
    if (GMIME_IS_MESSAGE_PART(object)) {
      GMimeMessage* message = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));
      if (message != nullptr) inner = object_bytes(GMIME_OBJECT(message));
    } else if (GMIME_IS_PART(object)) {
      inner = part_bytes(GMIME_PART(object));
    }
    inner = with_crlf(inner);
    // Graph names an item attachment by the subject of the item.
    const auto block = read_header_block(inner);
    const std::string* subject = block.find("Subject");
    attachment.name = subject != nullptr ? decode_words(*subject) : head.name.value_or(std::string());
    attachment.bytes = std::make_shared<const std::string>(std::move(inner));
    add(std::move(attachment));
  }

  void add(Attachment attachment) {
    attachment.number = content_.next_attachment++;
    content_.attachments.push_back(std::move(attachment));
  }

  // Exchange names a part without a name ATT00001.
  std::string generated_name(const std::string& type) {
    std::string number = std::to_string(++generated_);
    number.insert(0, 5 - std::min<std::size_t>(number.size(), 5), '0');
    const char* extension = type == "text/plain"      ? ".txt"
                            : type == "text/html"     ? ".htm"
                            : type == "image/jpeg"    ? ".jpg"
                            : type == "image/png"     ? ".png"
                            : type == "image/gif"     ? ".gif"
                            : type == "text/calendar" ? ".ics"
                                                      : ".dat";
    return "ATT" + number + extension;
  }

  static std::string meeting_class(const std::string& method) {
    if (method == "REPLY") return "Resp";
    if (method == "CANCEL") return "Canceled";
    return "Request";
  }

  // exchange-admin.md section 12; graph-mail.md section 8: a cropped body and one smime.p7m.
  bool read_smime(GMimeObject* root, const PartHead& head) {
    const std::string& type = head.type.value;
    const std::string protocol = lower(head.parameter("protocol"));
    const bool clear = type == "multipart/signed" && (protocol.find("pkcs7-signature") != std::string::npos);
    const bool opaque = type == "application/pkcs7-mime" || type == "application/x-pkcs7-mime";
    if (!clear && !opaque) return false;
    content_.message_class = clear ? "IPM.Note.SMIME.MultipartSigned" : "IPM.Note.SMIME";
    Attachment attachment;
    attachment.name = "smime.p7m";
    if (clear) {
      attachment.content_type = "multipart/signed";
      attachment.bytes = std::make_shared<const std::string>(with_crlf(object_bytes(root)));
      MimeReader inside(inner_, message_);
      if (GMimeObject* first = g_mime_multipart_get_part(GMIME_MULTIPART(root), 0)) {
        inside.walk(first, PartHead(first), {});
      }
      const auto& body = inner_.html ? inner_.html : inner_.text;
      auto& shown = inner_.html ? content_.html : content_.text;
      shown = body ? std::string(utf8_prefix(*body, 100)) : std::string();
    } else {
      attachment.content_type = type;
      attachment.bytes =
          std::make_shared<const std::string>(GMIME_IS_PART(root) ? part_bytes(GMIME_PART(root)) : std::string());
      content_.text = "";
    }
    add(std::move(attachment));
    return true;
  }

  void classify_report() {
    const auto field = [&](std::string_view name) {
      std::string_view rest = report_;
      while (!rest.empty()) {
        const auto end = rest.find('\n');
        const auto line = trim(rest.substr(0, end));
        if (starts_with_ignoring_case(line, name)) return lower(trim(line.substr(name.size())));
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
      }
      return std::string();
    };
    if (report_type_ == "disposition-notification") {
      const std::string disposition = field("Disposition:");
      content_.message_class =
          disposition.find("deleted") != std::string::npos ? "REPORT.IPM.Note.IPNNRN" : "REPORT.IPM.Note.IPNRN";
      return;
    }
    const std::string action = field("Action:");
    if (action.find("delayed") == 0) {
      content_.message_class = "REPORT.IPM.Note.Delayed";
    } else if (action.find("delivered") == 0 || action.find("relayed") == 0 || action.find("expanded") == 0) {
      content_.message_class = "REPORT.IPM.Note.DR";
    } else {
      content_.message_class = "REPORT.IPM.Note.NDR";
    }
  }

  Content& content_;
  GMimeMessage* message_;
  Content inner_;
  std::string report_type_, report_;
  int generated_ = 0, alternatives_ = 0, body_alternative_ = 0;
};

std::string importance_of(const HeaderBlock& block) {
  for (const char* name : {"Importance", "X-Priority", "Priority", "X-MSMail-Priority"}) {
    const std::string* value = block.find(name);
    if (value == nullptr || value->empty()) continue;
    const std::string word = lower(*value);
    if (word == "high" || word == "urgent" || word[0] == '1' || word[0] == '2') return "high";
    if (word == "low" || word == "non-urgent" || word[0] == '4' || word[0] == '5') return "low";
    return "normal";
  }
  return "normal";
}

std::vector<Address> addresses(const HeaderBlock& block, std::string_view name) {
  std::vector<Address> all;
  for (const auto& field : block.fields) {
    if (!equal_ignoring_case(field.first, name)) continue;
    for (auto& address : parse_addresses(field.second)) all.push_back(std::move(address));
  }
  return all;
}

void read_headers(const HeaderBlock& block, Content& content) {
  content.travelled = true;
  const auto text = [&](std::string_view name) {
    const std::string* value = block.find(name);
    return value != nullptr ? *value : std::string();
  };
  if (const std::string* subject = block.find("Subject")) {
    content.subject = decode_words(*subject);
    content.thread_topic = thread_topic(*content.subject);
  }
  const auto from = addresses(block, "From");
  const auto sender = addresses(block, "Sender");
  if (!from.empty()) content.from = from.front();
  if (!sender.empty()) content.sender = sender.front();
  if (!content.sender) content.sender = content.from;
  if (!content.from) content.from = content.sender;
  content.to = addresses(block, "To");
  content.cc = addresses(block, "Cc");
  content.bcc = addresses(block, "Bcc");
  content.reply_to = addresses(block, "Reply-To");
  const auto own_id = message_ids(text("Message-ID"));
  content.internet_message_id = own_id.empty() ? to_utf8(text("Message-ID")) : to_utf8(own_id.front());
  content.in_reply_to = to_utf8(text("In-Reply-To"));
  content.references = to_utf8(text("References"));
  content.importance = importance_of(block);
  content.sent = parse_rfc5322_date(text("Date"));
  for (const auto& address : addresses(block, "Disposition-Notification-To")) {
    if (!address.address.empty()) content.receipt_to.push_back(address.address);
  }
  content.read_receipt_requested = !content.receipt_to.empty();
}

}  // namespace

HeaderList transport_headers(const Content& content) {
  if (!content.travelled || !content.mime) return {};
  HeaderList fields = read_header_block(*content.mime).fields;
  for (auto& field : fields) field.second = to_utf8(field.second);
  return fields;
}

Content read_mime(std::string_view mime) {
  initialise();
  if (mime.substr(0, 5) == "From " || mime.substr(0, 6) == ">From ") {
    const auto end = mime.find('\n');
    mime.remove_prefix(end == std::string_view::npos ? mime.size() : end + 1);
  }
  Content content;
  // A body with NULs is UTF-16 or binary: there a line feed is no line end.
  const auto header_end = read_header_block(mime).body;
  const bool binary = mime.find('\0', header_end) != std::string_view::npos;
  const auto kept = std::make_shared<const std::string>(
      binary ? with_crlf(mime.substr(0, header_end)).append(mime.substr(header_end)) : with_crlf(mime));
  content.mime = kept;
  const HeaderBlock block = read_header_block(*kept);
  read_headers(block, content);

  // GMime gets the fields as they were read here, so that both agree where the header ends (a line of blanks in front,
  // or garbage in the middle, would end it for GMime).
  std::string clean;
  clean.reserve(kept->size() + 2);
  for (const auto& [name, value] : block.fields) clean.append(name).append(": ").append(value).append("\r\n");
  clean.append("\r\n").append(*kept, block.body);
  const Owned<GMimeStream> stream(g_mime_stream_mem_new_with_buffer(clean.data(), clean.size()));
  const Owned<GMimeParser> parser(g_mime_parser_new_with_stream(stream.get()));
  const Owned<GMimeMessage> message(g_mime_parser_construct_message(parser.get(), nullptr));
  if (message) {
    MimeReader(content, message.get()).read();
  } else {
    content.text = "";
  }
  return content;
}

}  // namespace embedded
