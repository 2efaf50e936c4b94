// The OutgoingMailServer in the hands of a host that breaks rules.
#include <cppunit/extensions/HelperMacros.h>

#include <atomic>
#include <cstring>

#include "host.h"
#include "settings.h"

namespace conformance {
namespace {

mailplugin_text text(const char* value) {
  return {value, std::strlen(value)};
}

// One text part whose stream the plugin may open.
struct TextPart {
  explicit TextPart(const char* content) : content(content) {
    part.struct_size = sizeof part;
    part.kind = MAILPLUGIN_PART_TEXT;
    part.ctx = this;
    part.media_type = text("text/plain");
    part.size_hint = -1;
    part.open = [](const mailplugin_part* p) -> const mailplugin_stream* {
      auto* self = static_cast<TextPart*>(p->ctx);
      self->offset = 0;
      return &self->stream;
    };
    stream.struct_size = sizeof stream;
    stream.ctx = this;
    stream.read = [](const mailplugin_stream* s, void* buffer, uint64_t capacity) -> int64_t {
      auto* self = static_cast<TextPart*>(s->ctx);
      const std::size_t left = std::strlen(self->content) - self->offset;
      const std::size_t bytes = left < capacity ? left : static_cast<std::size_t>(capacity);
      std::memcpy(buffer, self->content + self->offset, bytes);
      self->offset += bytes;
      return static_cast<int64_t>(bytes);
    };
    stream.close = [](const mailplugin_stream*) {};
  }
  const char* content;
  std::size_t offset = 0;
  mailplugin_part part{};
  mailplugin_stream stream{};
};

// A message that nothing is wrong with, and the count of its on_sent.
struct Submission {
  Submission() : body("Hello"), parts{&body.part}, to{{}, text("customer@fabrikam.example")} {
    mail.struct_size = sizeof mail;
    mail.stable_id = text("conformance-1");
    mail.subject = text("Re: order 17");
    mail.from.address = text("support@contoso.example");
    mail.to = &to;
    mail.to_count = 1;
    mail.parts = parts;
    mail.part_count = 1;
    table.struct_size = sizeof table;
    table.ctx = this;
    table.on_sent = [](const mailplugin_submission* s, const mailplugin_outcome* outcome) {
      auto* self = static_cast<Submission*>(s->ctx);
      self->verdict = outcome->verdict;
      ++self->answers;
    };
  }
  TextPart body;
  const mailplugin_part* parts[1];
  mailplugin_address to;
  mailplugin_message mail{};
  mailplugin_submission table{};
  std::atomic<int> answers{0};
  std::atomic<mailplugin_verdict> verdict{0};
};

}  // namespace

class OutgoingTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(OutgoingTest);
  CPPUNIT_TEST(submit_needs_a_running_server);
  CPPUNIT_TEST(submit_refuses_what_the_header_forbids);
  CPPUNIT_TEST(stop_answers_what_is_on_its_way_exactly_once);
  CPPUNIT_TEST_SUITE_END();

  Host host_;
  Events events_;
  const mailplugin_module* module_ = nullptr;
  const mailplugin_server* server_ = nullptr;
  const mailplugin_outgoing* outgoing_ = nullptr;

 public:
  void setUp() override {
    module_ = host_.enter();
    const mailplugin_server_type* type = host_.type_with(module_, MAILPLUGIN_OUTGOING);
    CPPUNIT_ASSERT(type != nullptr);
    Settings settings(read_settings_file(settings_path())[type->id]);
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK},
                         type->create(type, settings.get(), &events_.table, nullptr, &server_));
    outgoing_ = static_cast<const mailplugin_outgoing*>(server_->get_interface(server_, MAILPLUGIN_OUTGOING));
  }
  void tearDown() override {
    server_->destroy(server_);
    module_->shutdown();
  }

  void submit_needs_a_running_server() {
    Submission one;
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_E_STATE}, outgoing_->submit(server_, &one.mail, &one.table));
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, server_->start(server_));
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, server_->stop(server_, 10'000));
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_E_STATE}, outgoing_->submit(server_, &one.mail, &one.table));
    CPPUNIT_ASSERT_EQUAL(0, one.answers.load());
  }

  void submit_refuses_what_the_header_forbids() {
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, server_->start(server_));
    const mailplugin_status refused = MAILPLUGIN_E_ARGUMENT;
    Submission one;
    CPPUNIT_ASSERT_EQUAL(refused, outgoing_->submit(nullptr, &one.mail, &one.table));
    CPPUNIT_ASSERT_EQUAL(refused, outgoing_->submit(server_, nullptr, &one.table));
    CPPUNIT_ASSERT_EQUAL(refused, outgoing_->submit(server_, &one.mail, nullptr));
    mailplugin_submission deaf = one.table;
    deaf.on_sent = nullptr;
    CPPUNIT_ASSERT_EQUAL(refused, outgoing_->submit(server_, &one.mail, &deaf));

    mailplugin_message wrong = one.mail;
    wrong.struct_size = offsetof(mailplugin_message, parts);
    CPPUNIT_ASSERT_EQUAL_MESSAGE("too small", refused, outgoing_->submit(server_, &wrong, &one.table));
    wrong = one.mail;
    wrong.to = nullptr;
    CPPUNIT_ASSERT_EQUAL_MESSAGE("count without array", refused, outgoing_->submit(server_, &wrong, &one.table));
    wrong = one.mail;
    wrong.to_count = 0;
    CPPUNIT_ASSERT_EQUAL_MESSAGE("no recipient", refused, outgoing_->submit(server_, &wrong, &one.table));
    wrong = one.mail;
    wrong.stable_id = {};
    CPPUNIT_ASSERT_EQUAL_MESSAGE("no key", refused, outgoing_->submit(server_, &wrong, &one.table));
    wrong = one.mail;
    const mailplugin_part* no_part[] = {nullptr};
    wrong.parts = no_part;
    CPPUNIT_ASSERT_EQUAL_MESSAGE("NULL part", refused, outgoing_->submit(server_, &wrong, &one.table));
    wrong = one.mail;
    wrong.importance = 17;
    CPPUNIT_ASSERT_EQUAL_MESSAGE("importance", refused, outgoing_->submit(server_, &wrong, &one.table));
    CPPUNIT_ASSERT_EQUAL(0, one.answers.load());
  }

  void stop_answers_what_is_on_its_way_exactly_once() {
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, server_->start(server_));
    Submission one;
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, outgoing_->submit(server_, &one.mail, &one.table));
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, server_->stop(server_, 10'000));
    CPPUNIT_ASSERT_EQUAL(1, one.answers.load());
    CPPUNIT_ASSERT_EQUAL(mailplugin_verdict{MAILPLUGIN_RETRY_LATER}, one.verdict.load());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(OutgoingTest);

}  // namespace conformance
