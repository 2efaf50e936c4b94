// What becomes of a mail on the way in.
#include "runtime/inbox.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <map>

#include "host/support.h"
#include "runtime/data_folder.h"
#include "runtime/event_writer.h"
#include "runtime/host_store.h"

namespace {

using base::Json;
using runtime::DataFolder;
using runtime::EventWriter;
using runtime::Fate;
using runtime::HostStore;
namespace fs = std::filesystem;

mailplugin_text text_of(const char* text) {
  return {text, std::char_traits<char>::length(text)};
}

class InboxTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(InboxTest);
  CPPUNIT_TEST(a_mail_without_anything_has_every_key);
  CPPUNIT_TEST(an_id_that_is_not_utf_8_is_found_again);
  CPPUNIT_TEST(a_report_names_our_reply);
  CPPUNIT_TEST(replaced_attachments_replace_the_old_ones);
  CPPUNIT_TEST(a_closed_attachment_is_named);
  CPPUNIT_TEST(a_full_disk_says_later);
  CPPUNIT_TEST(a_mail_handed_over_twice_is_stored_once);
  CPPUNIT_TEST(mails_that_come_together_are_all_decided);
  CPPUNIT_TEST(one_mail_that_cannot_be_stored_is_alone_with_it);
  CPPUNIT_TEST(after_stop_everything_is_decided);
  CPPUNIT_TEST_SUITE_END();

  base::ScratchFolder scratch_{"inbox-test"};

  struct Post {
    explicit Post(const fs::path& root)
        : folder(root),
          store(folder.database(), HostStore::Open::kCreate),
          events(root / "events.jsonl"),
          inbox(folder, store, events, host_test::quiet()) {
      address.queue = "Q";
      address.address = "q@x";
    }
    // The verdict, also where it comes later.
    mailplugin_verdict accept(const mailplugin_message& message) {
      std::promise<mailplugin_verdict> later;
      const mailplugin_verdict now =
          inbox.accept(address, message, [&later](mailplugin_verdict verdict) { later.set_value(verdict); });
      return now == MAILPLUGIN_PENDING ? later.get_future().get() : now;
    }
    Json last_event() {
      const std::string text = base::read_file(folder.root() / "events.jsonl");
      const std::size_t from = text.rfind('\n', text.size() - 2);
      return Json::parse(std::string_view(text).substr(from == std::string::npos ? 0 : from + 1));
    }
    DataFolder folder;
    HostStore store;
    EventWriter events;
    runtime::Inbox inbox;
    configurator::Address address;
  };

  // A part whose bytes are in memory.
  struct Bytes {
    mailplugin_part part{};
    mailplugin_stream stream{};
    std::string bytes;
    std::size_t at = 0;
    explicit Bytes(std::string content) : bytes(std::move(content)) {
      part.struct_size = sizeof part;
      part.kind = MAILPLUGIN_PART_ATTACHMENT;
      part.file_name = text_of("a.txt");
      part.size_hint = 7;
      part.ctx = this;
      part.open = [](const mailplugin_part* p) {
        auto* self = static_cast<Bytes*>(p->ctx);
        self->at = 0;
        self->stream.ctx = self;
        self->stream.read = [](const mailplugin_stream* s, void* buffer, uint64_t capacity) {
          auto* me = static_cast<Bytes*>(s->ctx);
          const std::size_t n = me->bytes.copy(static_cast<char*>(buffer), static_cast<std::size_t>(capacity), me->at);
          me->at += n;
          return static_cast<int64_t>(n);
        };
        self->stream.close = [](const mailplugin_stream*) {};
        return static_cast<const mailplugin_stream*>(&self->stream);
      };
    }
  };

  static mailplugin_message mail(const char* id) {
    mailplugin_message message{};
    message.struct_size = sizeof message;
    message.stable_id = text_of(id);
    message.size_bytes = -1;
    return message;
  }

  void a_mail_without_anything_has_every_key() {
    Post post(scratch_.path() / "data");
    CPPUNIT_ASSERT_EQUAL(mailplugin_verdict{MAILPLUGIN_ACCEPTED}, post.accept(mail("id")));
    Json event = post.last_event();
    event.set("time", "T");
    CPPUNIT_ASSERT_EQUAL(
        std::string(R"({"event":"message","time":"T","queue":"Q","address":"q@x","priority":null,"language":"",)"
                    R"("delivery_id":"id","redelivered":false,"message_id":null,"internet_message_id":null,)"
                    R"("conversation_id":null,"thread_key":null,"in_reply_to":null,"references":[],"from":null,)"
                    R"("sender":null,"to":[],"cc":[],"bcc":[],"reply_to":[],"delivered_to":null,"folder":null,)"
                    R"("importance":"normal","size":null,"read_receipt_requested":false,"subject":null,"sent":null,)"
                    R"("received":null,"text":null,"text_source":null,"html":null,"headers":[],"attachments":[],)"
                    R"("flags":[],"report":null,"links":[],"verdict":"accepted"})"),
        event.dump());
    CPPUNIT_ASSERT_EQUAL(mailplugin_verdict{MAILPLUGIN_RETRY_LATER}, post.accept(mail("")));
  }

  void an_id_that_is_not_utf_8_is_found_again() {
    Post post(scratch_.path() / "data");
    CPPUNIT_ASSERT_EQUAL(mailplugin_verdict{MAILPLUGIN_ACCEPTED}, post.accept(mail("id-\xff\xc3")));
    const auto row = post.store.find_received("id-\xff\xc3");
    CPPUNIT_ASSERT(row.has_value());
    CPPUNIT_ASSERT_EQUAL(std::string("id-\xef\xbf\xbd\xef\xbf\xbd"), row->event.text("delivery_id"));
  }

  void a_report_names_our_reply() {
    Post post(scratch_.path() / "data");
    post.store.put_outgoing("our-key", Json::object(), 1);
    post.store.set_fate("our-key", Fate{"accepted", "", "<ours@x>", "", 1}, 2);
    mailplugin_report report{};
    report.struct_size = sizeof report;
    report.kind = MAILPLUGIN_REPORT_FAILED;
    report.original_message_id = text_of("<ours@x>");
    report.status = text_of("5.1.1");
    const mailplugin_text references[2] = {text_of("<root@y>"), text_of("<ours@x>")};
    mailplugin_message bounce = mail("bounce");
    bounce.report = &report;
    bounce.references = references;
    bounce.reference_count = 2;
    bounce.flags = MAILPLUGIN_BOUNCE | MAILPLUGIN_AUTO_SUBMITTED;
    post.accept(bounce);
    const Json event = post.last_event();
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"kind":"failed","recipient":null,"status":"5.1.1",)"
                                     R"("original_message_id":"<ours@x>","key":"our-key"})"),
                         event.find("report")->dump());
    CPPUNIT_ASSERT_EQUAL(std::string("our-key"), event.text("thread_key"));
    CPPUNIT_ASSERT_EQUAL(std::string(R"(["auto_submitted","bounce"])"), event.find("flags")->dump());
  }

  void replaced_attachments_replace_the_old_ones() {
    Post post(scratch_.path() / "data");
    Bytes placeholder("scanning"), clean("clean");
    const mailplugin_part* parts[] = {&placeholder.part};
    mailplugin_message message = mail("id");
    message.parts = parts;
    message.part_count = 1;
    message.flags = MAILPLUGIN_SCAN_PENDING;
    post.accept(message);
    parts[0] = &clean.part;
    message.flags = MAILPLUGIN_ATTACHMENTS_REPLACED;
    CPPUNIT_ASSERT_EQUAL(mailplugin_verdict{MAILPLUGIN_ACCEPTED}, post.accept(message));
    const auto row = post.store.find_received("id");
    CPPUNIT_ASSERT_EQUAL(std::string("clean"), base::read_file(post.folder.attachments() / row->files.at(0)));
    CPPUNIT_ASSERT_EQUAL(std::ptrdiff_t{1}, std::distance(fs::directory_iterator(post.folder.attachments()), {}));
    CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, post.store.count_received());
    CPPUNIT_ASSERT_EQUAL(std::int64_t{5}, row->event.find("attachments")->items().at(0).find("size")->as_integer());
  }

  void a_closed_attachment_is_named() {
    Post post(scratch_.path() / "data");
    Bytes huge("never read");
    huge.part.open = nullptr;
    const mailplugin_part* parts[] = {&huge.part};
    mailplugin_message message = mail("id");
    message.parts = parts;
    message.part_count = 1;
    CPPUNIT_ASSERT_EQUAL(mailplugin_verdict{MAILPLUGIN_RETRY_LATER}, post.accept(message));
    message.flags = MAILPLUGIN_OVERSIZE;
    CPPUNIT_ASSERT_EQUAL(mailplugin_verdict{MAILPLUGIN_ACCEPTED}, post.accept(message));
    const Json attachment = post.last_event().find("attachments")->items().at(0);
    CPPUNIT_ASSERT_EQUAL(std::int64_t{7}, attachment.find("size")->as_integer());
    CPPUNIT_ASSERT(attachment.find("sha256")->is_null());
  }

  void a_full_disk_says_later() {
    Post post(scratch_.path() / "data");
    // A file where the folder should be: root is refused too.
    fs::remove_all(post.folder.unfinished());
    host_test::write_file(post.folder.unfinished(), "");
    Bytes bytes("content");
    const mailplugin_part* parts[] = {&bytes.part};
    mailplugin_message message = mail("id");
    message.parts = parts;
    message.part_count = 1;
    CPPUNIT_ASSERT_EQUAL(mailplugin_verdict{MAILPLUGIN_RETRY_LATER}, post.accept(message));
    CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, post.store.count_received());
    fs::remove(post.folder.unfinished());
    fs::create_directory(post.folder.unfinished());
    CPPUNIT_ASSERT_EQUAL(mailplugin_verdict{MAILPLUGIN_ACCEPTED}, post.accept(message));
  }

  void a_mail_handed_over_twice_is_stored_once() {
    Post post(scratch_.path() / "data");
    Bytes first("first"), second("second");
    const mailplugin_part* parts[] = {&first.part};
    mailplugin_message message = mail("id");
    message.parts = parts;
    message.part_count = 1;
    CPPUNIT_ASSERT_EQUAL(mailplugin_verdict{MAILPLUGIN_ACCEPTED}, post.accept(message));
    parts[0] = &second.part;
    for (const std::uint32_t flags : {0U, std::uint32_t{MAILPLUGIN_REDELIVERED}}) {
      message.flags = flags;
      CPPUNIT_ASSERT_EQUAL(mailplugin_verdict{MAILPLUGIN_ACCEPTED}, post.accept(message));
      CPPUNIT_ASSERT_EQUAL(flags != 0, post.last_event().find("redelivered")->as_bool());
      CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, post.store.count_received());
      CPPUNIT_ASSERT_EQUAL(std::ptrdiff_t{1}, std::distance(fs::directory_iterator(post.folder.attachments()), {}));
    }
    CPPUNIT_ASSERT_EQUAL(std::string("first"),
                         base::read_file(post.folder.attachments() / post.store.find_received("id")->files.at(0)));
  }

  void mails_that_come_together_are_all_decided() {
    Post post(scratch_.path() / "data");
    std::vector<std::string> ids;
    for (int i = 0; i < 100; ++i) ids.push_back("id-" + std::to_string(i));
    std::atomic<std::size_t> accepted{0};
    for (const std::string& id : ids) {
      const mailplugin_verdict verdict =
          post.inbox.accept(post.address, mail(id.c_str()), [&](mailplugin_verdict later) {
            if (later == MAILPLUGIN_ACCEPTED) ++accepted;
          });
      CPPUNIT_ASSERT_EQUAL(mailplugin_verdict{MAILPLUGIN_PENDING}, verdict);
    }
    post.inbox.stop();
    CPPUNIT_ASSERT_EQUAL(ids.size(), accepted.load());
    CPPUNIT_ASSERT_EQUAL(static_cast<std::int64_t>(ids.size()), post.store.count_received());
    const std::string events = base::read_file(post.folder.root() / "events.jsonl");
    CPPUNIT_ASSERT_EQUAL(static_cast<std::ptrdiff_t>(ids.size()), std::count(events.begin(), events.end(), '\n'));
  }

  void one_mail_that_cannot_be_stored_is_alone_with_it() {
    Post post(scratch_.path() / "data");
    runtime::Database other(post.folder.database(), runtime::Database::Open::kExisting);
    other.execute(
        "CREATE TRIGGER refuse BEFORE INSERT ON inbox WHEN new.delivery_id = 'bad' BEGIN SELECT RAISE(ABORT, 'no'); "
        "END");
    std::map<std::string, mailplugin_verdict> verdicts;  // told on one thread
    for (const char* id : {"good", "bad", "better"})
      post.inbox.accept(post.address, mail(id), [&, id](mailplugin_verdict verdict) { verdicts[id] = verdict; });
    post.inbox.stop();
    CPPUNIT_ASSERT_EQUAL(mailplugin_verdict{MAILPLUGIN_ACCEPTED}, verdicts["good"]);
    CPPUNIT_ASSERT_EQUAL(mailplugin_verdict{MAILPLUGIN_RETRY_LATER}, verdicts["bad"]);
    CPPUNIT_ASSERT_EQUAL(mailplugin_verdict{MAILPLUGIN_ACCEPTED}, verdicts["better"]);
    CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, post.store.count_received());
  }

  void after_stop_everything_is_decided() {
    Post post(scratch_.path() / "data");
    int decided = 0;
    const auto count = [&decided](mailplugin_verdict) { ++decided; };
    CPPUNIT_ASSERT_EQUAL(mailplugin_verdict{MAILPLUGIN_PENDING}, post.inbox.accept(post.address, mail("a"), count));
    post.inbox.stop();
    CPPUNIT_ASSERT_EQUAL(1, decided);
    CPPUNIT_ASSERT_EQUAL(mailplugin_verdict{MAILPLUGIN_RETRY_LATER}, post.inbox.accept(post.address, mail("b"), count));
    CPPUNIT_ASSERT_EQUAL(1, decided);
    CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, post.store.count_received());
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(InboxTest);

}  // namespace
