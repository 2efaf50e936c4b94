// What the host sees of a mail, and what the rooms see of a host's message.
#include <cppunit/extensions/HelperMacros.h>

#include <cstring>
#include <memory>

#include "boundary/message_view.h"
#include "mail/fault.h"
#include "support/capturing_log.h"

namespace {

class TextSource final : public mail::ByteSource {
 public:
  explicit TextSource(std::string text) : text_(std::move(text)) {}
  std::size_t read(char* buffer, std::size_t capacity) override {
    const std::size_t bytes = std::min(capacity, text_.size() - offset_);
    std::memcpy(buffer, text_.data() + offset_, bytes);
    offset_ += bytes;
    return bytes;
  }

 private:
  const std::string text_;
  std::size_t offset_ = 0;
};

std::string text_of(const mailplugin_text& text) {
  return {text.data, static_cast<std::size_t>(text.size)};
}

std::string read_all(const mailplugin_part& part, std::size_t piece) {
  const mailplugin_stream* stream = part.open(&part);
  CPPUNIT_ASSERT(stream != nullptr);
  std::string result, buffer(piece, '\0');
  for (;;) {
    const std::int64_t bytes = stream->read(stream, buffer.data(), buffer.size());
    CPPUNIT_ASSERT(bytes >= 0);
    if (bytes == 0) break;
    result.append(buffer.data(), static_cast<std::size_t>(bytes));
  }
  stream->close(stream);
  return result;
}

mail::Mail sample() {
  mail::Mail mail;
  mail.flags = mail::bounce | mail::redelivered;
  mail.stable_id = "s1";
  mail.service_id = "AAMk=";
  mail.subject = "K\xc3\xa4rryt";
  mail.from = {"Anna", "anna@fabrikam.example"};
  mail.to = {{"", "support@contoso.example"}, {"B", "b@contoso.example"}};
  mail.references = {"<a@x>", "<b@x>"};
  mail.headers = {{"Received", "1"}, {"Received", "2"}};
  mail.links = {{"https://shown", "https://original"}};
  mail.received = mail::WallTime(std::chrono::milliseconds(1234));
  mail.report = mail::Report{mail::ReportKind::delayed, "x@y", "4.4.1", "<m@x>", "key-1"};
  mail::Part part;
  part.kind = mail::PartKind::text;
  part.media_type = "text/plain";
  part.size_hint = 5;
  part.open = [] { return std::make_unique<TextSource>("hello"); };
  mail.parts.push_back(part);
  return mail;
}

class ViewTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ViewTest);
  CPPUNIT_TEST(every_field_is_shown);
  CPPUNIT_TEST(parts_open_afresh_each_time);
  CPPUNIT_TEST(a_fault_is_a_status_and_a_line);
  CPPUNIT_TEST(after_cancel_nothing_is_read);
  CPPUNIT_TEST(a_stream_that_failed_does_not_begin_again);
  CPPUNIT_TEST(a_view_is_read_back_as_it_was);
  CPPUNIT_TEST(a_host_stream_that_fails_is_a_fault_of_the_item);
  CPPUNIT_TEST_SUITE_END();

  support::CapturingLog log_;

 public:
  void every_field_is_shown() {
    const mail::Mail mail = sample();
    const boundary::MessageView view(mail, log_);
    const mailplugin_message& m = view.message();
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{sizeof(mailplugin_message)}, m.struct_size);
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{MAILPLUGIN_BOUNCE | MAILPLUGIN_REDELIVERED}, m.flags);
    CPPUNIT_ASSERT_EQUAL(std::string("K\xc3\xa4rryt"), text_of(m.subject));
    CPPUNIT_ASSERT_EQUAL(std::string("anna@fabrikam.example"), text_of(m.from.address));
    CPPUNIT_ASSERT_EQUAL(2u, m.to_count);
    CPPUNIT_ASSERT_EQUAL(std::string("b@contoso.example"), text_of(m.to[1].address));
    CPPUNIT_ASSERT_EQUAL(2u, m.header_count);
    CPPUNIT_ASSERT_EQUAL(std::string("2"), text_of(m.headers[1].value));
    CPPUNIT_ASSERT_EQUAL(std::string("<b@x>"), text_of(m.references[1]));
    CPPUNIT_ASSERT_EQUAL(std::string("https://original"), text_of(m.links[0].value));
    CPPUNIT_ASSERT_EQUAL(std::int64_t{1234}, m.received_unix_ms);
    CPPUNIT_ASSERT_EQUAL(std::int64_t{-1}, m.size_bytes);
    CPPUNIT_ASSERT(m.report != nullptr);
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{MAILPLUGIN_REPORT_DELAYED}, m.report->kind);
    CPPUNIT_ASSERT_EQUAL(std::string("key-1"), text_of(m.report->key));
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{0}, m.in_reply_to.size);
  }

  void parts_open_afresh_each_time() {
    const mail::Mail mail = sample();
    const boundary::MessageView view(mail, log_);
    CPPUNIT_ASSERT_EQUAL(1u, view.message().part_count);
    const mailplugin_part& part = *view.message().parts[0];
    CPPUNIT_ASSERT_EQUAL(std::int64_t{5}, part.size_hint);
    CPPUNIT_ASSERT_EQUAL(std::string("hello"), read_all(part, 2));
    CPPUNIT_ASSERT_EQUAL(std::string("hello"), read_all(part, 100));
  }

  void a_fault_is_a_status_and_a_line() {
    mail::Mail mail = sample();
    mail.parts[0].open = []() -> std::unique_ptr<mail::ByteSource> {
      mail::Fault fault;
      fault.text = "the attachment is larger than max_email_size_kb";
      throw mail::FaultError(fault);
    };
    const boundary::MessageView view(mail, log_);
    const mailplugin_part& part = *view.message().parts[0];
    CPPUNIT_ASSERT(part.open(&part) == nullptr);
    CPPUNIT_ASSERT(log_.has("max_email_size_kb"));
  }

  void after_cancel_nothing_is_read() {
    const mail::Mail mail = sample();
    boundary::MessageView view(mail, log_);
    const mailplugin_part& part = *view.message().parts[0];
    const mailplugin_stream* stream = part.open(&part);
    view.cancel();
    char byte = 0;
    CPPUNIT_ASSERT_EQUAL(std::int64_t{MAILPLUGIN_E_CANCELLED}, stream->read(stream, &byte, 1));
    CPPUNIT_ASSERT(part.open(&part) == nullptr);
    stream->close(stream);
  }

  void a_stream_that_failed_does_not_begin_again() {
    class OnceBroken final : public mail::ByteSource {
     public:
      std::size_t read(char* buffer, std::size_t) override {
        if (++reads_ == 2) throw mail::FaultError(mail::Fault{});
        *buffer = 'x';
        return 1;
      }

     private:
      int reads_ = 0;
    };
    mail::Mail mail;
    mail.parts.emplace_back().open = [] { return std::make_unique<OnceBroken>(); };
    boundary::MessageView view(mail, log_);
    const mailplugin_part& part = *view.message().parts[0];
    const mailplugin_stream* stream = part.open(&part);
    char byte = 0;
    CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, stream->read(stream, &byte, 1));
    const std::int64_t failed = stream->read(stream, &byte, 1);
    CPPUNIT_ASSERT(failed < 0);
    CPPUNIT_ASSERT_EQUAL(failed, stream->read(stream, &byte, 1));
    stream->close(stream);
  }

  void a_view_is_read_back_as_it_was() {
    const mail::Mail mail = sample();
    const boundary::MessageView view(mail, log_);
    mail::Mail back;
    std::string why;
    CPPUNIT_ASSERT_MESSAGE(why, boundary::read_message(view.message(), back, why));
    CPPUNIT_ASSERT_EQUAL(mail.stable_id, back.stable_id);
    CPPUNIT_ASSERT(mail.to == back.to);
    CPPUNIT_ASSERT(mail.headers == back.headers);
    CPPUNIT_ASSERT(mail.references == back.references);
    char buffer[16];
    CPPUNIT_ASSERT_EQUAL(std::size_t{5}, back.parts.at(0).open()->read(buffer, sizeof buffer));
  }

  void a_host_stream_that_fails_is_a_fault_of_the_item() {
    mailplugin_part part{};
    part.struct_size = sizeof part;
    part.kind = MAILPLUGIN_PART_ATTACHMENT;
    part.open = [](const mailplugin_part*) -> const mailplugin_stream* { return nullptr; };
    const mailplugin_part* parts[] = {&part};
    mailplugin_message message{};
    message.struct_size = sizeof message;
    message.parts = parts;
    message.part_count = 1;
    mail::Mail mail;
    std::string why;
    CPPUNIT_ASSERT(boundary::read_message(message, mail, why));
    try {
      mail.parts.at(0).open();
      CPPUNIT_FAIL("a part without a stream must throw");
    } catch (const mail::FaultError& error) {
      CPPUNIT_ASSERT(error.fault().remedy == mail::Remedy::item);
    }
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ViewTest);

}  // namespace
