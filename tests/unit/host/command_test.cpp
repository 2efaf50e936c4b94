// host-sim as its users run it: as a process, with a plugin that has no mail service.
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>

#include "host/support.h"
#include "runtime/data_folder.h"

namespace {

using base::Json;
using host_test::assert_contains;
using host_test::host_sim;
using host_test::Outcome;
namespace fs = std::filesystem;

class CommandTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(CommandTest);
  CPPUNIT_TEST(wrong_usage_names_the_nearest_word);
  CPPUNIT_TEST(plugins_shows_good_and_broken_ones);
  CPPUNIT_TEST(no_plugin_is_three);
  CPPUNIT_TEST(describes_a_type);
  CPPUNIT_TEST(receives_mails_and_shows_them);
  CPPUNIT_TEST(a_mail_is_stored_once);
  CPPUNIT_TEST(attachments_are_exported_safely);
  CPPUNIT_TEST(a_broken_attachment_is_tried_again);
  CPPUNIT_TEST(one_mailbox_failing_is_one_all_failing_is_four);
  CPPUNIT_TEST(patience_ends);
  CPPUNIT_TEST(faults_of_the_configuration_are_two);
  CPPUNIT_TEST(a_folder_in_use_is_refused);
  CPPUNIT_TEST(a_folder_that_cannot_be_written_is_told);
  CPPUNIT_TEST(sends_and_remembers);
  CPPUNIT_TEST(refuses_what_cannot_be_sent);
  CPPUNIT_TEST(a_refused_message_is_one);
  CPPUNIT_TEST(what_was_left_unanswered_is_sent_by_run);
  CPPUNIT_TEST(answers_a_mail_and_knows_its_thread);
  CPPUNIT_TEST(sends_a_batch);
  CPPUNIT_TEST_SUITE_END();

  base::ScratchFolder scratch_{"command-test"};
  const fs::path plugins_ = scratch_.path() / "plugins";
  const std::string data_ = scratch_.path() / "data";
  const std::string config_ = scratch_.path() / "contact-center.json";

 public:
  void setUp() override { host_test::install("fake_plugin", plugins_); }

 private:
  struct Box {
    std::string address;
    int messages = 0;
    std::string behaviour = "plain";
  };

  void configure(const std::vector<Box>& boxes, const std::string& answer = "accepted") {
    Json addresses = Json::array();
    for (const Box& box : boxes) {
      addresses.push(Json::object({{"address", box.address},
                                   {"priority", 5},
                                   {"extension_language", "fi"},
                                   {"sender", true},
                                   {"email_server", "Fake"},
                                   {"messages", box.messages},
                                   {"behaviour", box.behaviour}}));
    }
    const Json server = Json::object({{"name", "Fake"}, {"type", "fake"}, {"address", "https://x"}});
    const Json outgoing =
        Json::object({{"enable", true}, {"type", "fake"}, {"address", "https://x"}, {"answer", answer}});
    const Json root = Json::object(
        {{"system_services",
          Json::object({{"email_settings", Json::object({{"incoming_mail_servers", Json::array({server})},
                                                         {"external_outgoing_mail_server", outgoing}})}})},
         {"queue_management",
          Json::object(
              {{"queues", Json::array({Json::object({{"name", "Support"}, {"numbers_addresses", addresses}})})}})}});
    host_test::write_file(config_, root.dump_pretty());
  }

  Outcome run(std::vector<std::string> more = {}) {
    std::vector<std::string> words{"run",       "--config", config_,        "--data",   data_,
                                   "--plugins", plugins_,   "--until-idle", "--events", "-"};
    words.insert(words.end(), more.begin(), more.end());
    return host_sim(words);
  }

  Outcome send(std::vector<std::string> more) {
    std::vector<std::string> words{"send", "--config", config_, "--data", data_, "--plugins", plugins_, "--json"};
    words.insert(words.end(), more.begin(), more.end());
    return host_sim(words);
  }

  Outcome inbox(std::vector<std::string> more) {
    std::vector<std::string> words{"inbox", "--data", data_};
    words.insert(words.end(), more.begin(), more.end());
    return host_sim(words);
  }

  std::string diary() { return base::read_file(fs::path(data_) / "plugins" / "fake" / "diary.txt"); }

  std::string file(const std::string& name, const std::string& text) {
    host_test::write_file(scratch_.path() / name, text);
    return scratch_.path() / name;
  }

  std::vector<std::string> message(std::vector<std::string> more = {}) {
    std::vector<std::string> words{"--from",    "a@x", "--to",   "Ann <ann@y>, bob@y",
                                   "--subject", "S",   "--text", file("body.txt", "12345")};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  void wrong_usage_names_the_nearest_word() {
    Outcome outcome = host_sim({"rnu"});
    CPPUNIT_ASSERT_EQUAL(2, outcome.code);
    assert_contains(outcome.err, "unknown command \"rnu\" (did you mean \"run\"?)");
    outcome = host_sim({"run", "--cofnig", "x"});
    CPPUNIT_ASSERT_EQUAL(2, outcome.code);
    assert_contains(outcome.err, "did you mean \"--config\"?");
    CPPUNIT_ASSERT_EQUAL(2, host_sim({}).code);
    CPPUNIT_ASSERT_EQUAL(0, host_sim({"--help"}).code);
    CPPUNIT_ASSERT_EQUAL(0, host_sim({"run", "--help"}).code);
    assert_contains(host_sim({"--version"}).out, "host-sim 1.");
    CPPUNIT_ASSERT_EQUAL(2, host_sim({"plugins", "--log-level", "loud"}).code);
  }

  void plugins_shows_good_and_broken_ones() {
    Outcome outcome = host_sim({"plugins", "--plugins", plugins_});
    CPPUNIT_ASSERT_EQUAL(0, outcome.code);
    assert_contains(outcome.out, "fake    0.1.0    Nobody  1.0        fake.incoming, fake.outgoing  usable");
    host_test::install("fake_no_entry", plugins_);
    outcome = host_sim({"plugins", "--plugins", plugins_, "--json"});
    CPPUNIT_ASSERT_EQUAL(1, outcome.code);
    const auto found = outcome.events();
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, found.size());
    CPPUNIT_ASSERT(!found[0].find("usable")->as_bool());
    CPPUNIT_ASSERT(found[1].find("usable")->as_bool());
    assert_contains(outcome.err, "fake_no_entry.mailplugin.json: ");
  }

  void no_plugin_is_three() {
    const std::string empty = scratch_.path() / "empty";
    fs::create_directories(empty);
    for (const char* command : {"plugins", "describe"}) {
      std::vector<std::string> words{command, "--plugins", empty};
      if (std::string(command) == "describe") words.push_back("fake");
      const Outcome outcome = host_sim(words);
      CPPUNIT_ASSERT_EQUAL(3, outcome.code);
      assert_contains(outcome.err, "no plugin was found: no file *.mailplugin.json in " + empty);
    }
  }

  void describes_a_type() {
    const Outcome outcome = host_sim({"describe", "fake", "--plugins", plugins_});
    CPPUNIT_ASSERT_EQUAL(0, outcome.code);
    assert_contains(outcome.out, "Fake (incoming)  (fake.incoming)");
    assert_contains(outcome.out, "Fake (outgoing)  (fake.outgoing)");
    const Outcome json = host_sim({"describe", "fake", "--json", "--plugins", plugins_});
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, Json::parse(json.out).find("server_types")->items().size());
    const Outcome unknown = host_sim({"describe", "fale", "--plugins", plugins_});
    CPPUNIT_ASSERT_EQUAL(2, unknown.code);
    assert_contains(unknown.err, "did you mean \"fake\"?");
  }

  void receives_mails_and_shows_them() {
    configure({{"a@x", 3}, {"b@x", 2}});
    const Outcome outcome = run();
    CPPUNIT_ASSERT_EQUAL_MESSAGE(outcome.err, 0, outcome.code);
    const auto events = outcome.events();
    CPPUNIT_ASSERT_EQUAL(std::string("started"), events.front().text("event"));
    CPPUNIT_ASSERT_EQUAL(std::string("fake"), events.front().text("plugin"));
    CPPUNIT_ASSERT_EQUAL(std::string("stopped"), events.back().text("event"));
    CPPUNIT_ASSERT_EQUAL(std::int64_t{5}, events.back().find("received")->as_integer());
    CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, events.back().find("failed")->as_integer());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, outcome.events("idle").size());
    const auto messages = outcome.events("message");
    CPPUNIT_ASSERT_EQUAL(std::size_t{5}, messages.size());
    const Json& first = *std::find_if(messages.begin(), messages.end(),
                                      [](const Json& m) { return m.text("delivery_id") == "a@x-0001"; });
    const char* keys[] = {"event",
                          "time",
                          "queue",
                          "address",
                          "priority",
                          "language",
                          "delivery_id",
                          "redelivered",
                          "message_id",
                          "internet_message_id",
                          "conversation_id",
                          "thread_key",
                          "in_reply_to",
                          "references",
                          "from",
                          "sender",
                          "to",
                          "cc",
                          "bcc",
                          "reply_to",
                          "delivered_to",
                          "folder",
                          "importance",
                          "size",
                          "read_receipt_requested",
                          "subject",
                          "sent",
                          "received",
                          "text",
                          "text_source",
                          "html",
                          "headers",
                          "attachments",
                          "flags",
                          "report",
                          "links",
                          "verdict"};
    CPPUNIT_ASSERT_EQUAL(std::size(keys), first.members().size());
    for (std::size_t i = 0; i < std::size(keys); ++i) {
      CPPUNIT_ASSERT_EQUAL(std::string(keys[i]), first.members()[i].first);
    }
    CPPUNIT_ASSERT_EQUAL(std::string("Hello & welcome\n\nsecond"), first.text("text"));
    CPPUNIT_ASSERT_EQUAL(std::string("derived"), first.text("text_source"));
    CPPUNIT_ASSERT_EQUAL(std::string("<root@fake>"), first.text("thread_key"));
    CPPUNIT_ASSERT_EQUAL(std::string("accepted"), first.text("verdict"));
    CPPUNIT_ASSERT_EQUAL(std::string(R"([["X-One","1"],["X-One","2"]])"), first.find("headers")->dump());
    CPPUNIT_ASSERT(first.find("cc")->items().empty() && first.find("sender")->is_null() &&
                   first.find("report")->is_null());
    CPPUNIT_ASSERT_EQUAL(std::int64_t{5}, first.find("priority")->as_integer());
    const Outcome listed = inbox({"--json"});
    CPPUNIT_ASSERT_EQUAL(std::size_t{5}, listed.events("message").size());
    // Two mailboxes arrive side by side: which of their mails is listed first is nobody's promise.
    std::vector<Json> listed_mails = listed.events("message");
    const auto same = std::ranges::find_if(
        listed_mails, [&first](const Json& mail) { return mail.text("delivery_id") == first.text("delivery_id"); });
    CPPUNIT_ASSERT(same != listed_mails.end());
    CPPUNIT_ASSERT_EQUAL(first.dump(), same->set("time", first.text("time")).dump());
    assert_contains(inbox({}).out, "5 received");
    assert_contains(inbox({"show", "a@x-0001"}).out, "Subject       Mail 1");
    CPPUNIT_ASSERT_EQUAL(2, inbox({"show", "a@x-00"}).code);  // several begin so
    CPPUNIT_ASSERT_EQUAL(2, inbox({"show", "nothing"}).code);
    CPPUNIT_ASSERT_EQUAL(mode_t{0600}, host_test::mode_of(fs::path(data_) / "host.db"));
    CPPUNIT_ASSERT_EQUAL(mode_t{0700}, host_test::mode_of(data_));
  }

  void a_mail_is_stored_once() {
    configure({{"a@x", 2, "twice"}});
    for (int i = 0; i < 2; ++i) {
      const auto messages = run().events("message");
      CPPUNIT_ASSERT_EQUAL(std::size_t{4}, messages.size());
      CPPUNIT_ASSERT(messages[1].find("redelivered")->as_bool());
      CPPUNIT_ASSERT_EQUAL(messages[0].text("delivery_id"), messages[1].text("delivery_id"));
      CPPUNIT_ASSERT_EQUAL(messages[0].text("text"), messages[1].text("text"));
    }
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, inbox({"--json"}).events().size());
    CPPUNIT_ASSERT(diary().find(" 2\n") == std::string::npos);  // ACCEPTED each time, never RETRY_LATER
  }

  void attachments_are_exported_safely() {
    configure({{"a@x", 1, "attach"}});
    const auto message = run().events("message").at(0);
    const auto& attachments = message.find("attachments")->items();
    CPPUNIT_ASSERT_EQUAL(std::size_t{4}, attachments.size());
    CPPUNIT_ASSERT_EQUAL(
        std::string(R"({"name":"../../etc/passwd","media_type":"text/plain","size":8,)"
                    R"("sha256":"9d9e8e1d1f4b1e2e4e7cf5c5a4a1d6fda0d6b1a2e3c4d5e6f708192a3b4c5d6e","inline":false,)"
                    R"("content_id":null,"kind":"file"})")
            .size(),
        attachments[0].dump().size());
    base::Sha256 sum;
    sum.add("attached");
    CPPUNIT_ASSERT_EQUAL(sum.hex(), attachments[0].text("sha256"));
    CPPUNIT_ASSERT(attachments[1].find("inline")->as_bool());
    CPPUNIT_ASSERT_EQUAL(std::string("logo"), attachments[1].text("content_id"));
    CPPUNIT_ASSERT_EQUAL(std::string("link"), attachments[2].text("kind"));
    CPPUNIT_ASSERT_EQUAL(std::string("message"), attachments[3].text("kind"));
    const fs::path out = scratch_.path() / "out";
    for (int i = 0; i < 2; ++i) {
      const Outcome outcome = inbox({"export", "a@x-0001", "-o", out});
      CPPUNIT_ASSERT_EQUAL_MESSAGE(outcome.err, 0, outcome.code);
    }
    CPPUNIT_ASSERT_EQUAL(std::string("attached"), base::read_file(out / "passwd"));
    CPPUNIT_ASSERT_EQUAL(std::string("attached"), base::read_file(out / "passwd (2)"));  // replaced nothing
    CPPUNIT_ASSERT_EQUAL(std::string("PNG"), base::read_file(out / "logo.png"));
    CPPUNIT_ASSERT_EQUAL(std::string("https://example.com/plan"), base::read_file(out / "Plan"));
    CPPUNIT_ASSERT_EQUAL(std::string("a@x-0001"),
                         Json::parse(base::read_file(out / "message.json")).text("delivery_id"));
    CPPUNIT_ASSERT_EQUAL(mode_t{0600}, host_test::mode_of(out / "passwd"));
    for (const auto& entry : fs::directory_iterator(fs::path(data_) / "attachments")) {
      CPPUNIT_ASSERT_EQUAL(std::size_t{32}, entry.path().filename().string().size());
      CPPUNIT_ASSERT_EQUAL(mode_t{0600}, host_test::mode_of(entry.path()));
    }
  }

  void a_broken_attachment_is_tried_again() {
    configure({{"a@x", 1, "broken"}});
    const Outcome outcome = run();
    CPPUNIT_ASSERT_EQUAL(0, outcome.code);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, outcome.events("message").size());
    assert_contains(diary(), "a@x-0001 2\na@x-0001 1\n");
    CPPUNIT_ASSERT(fs::is_empty(fs::path(data_) / "unfinished"));
    CPPUNIT_ASSERT_EQUAL(std::ptrdiff_t{4}, std::distance(fs::directory_iterator(fs::path(data_) / "attachments"), {}));
  }

  void one_mailbox_failing_is_one_all_failing_is_four() {
    configure({{"a@x", 1}, {"b@x", 1, "forbidden"}});
    Outcome outcome = run();
    CPPUNIT_ASSERT_EQUAL(1, outcome.code);
    assert_contains(outcome.err, "host-sim: Support <b@x>: The app may not read this mailbox.");
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, outcome.events("message").size());
    const auto health = outcome.events("health");
    const auto bad =
        std::find_if(health.begin(), health.end(), [](const Json& h) { return h.text("address") == "b@x"; });
    CPPUNIT_ASSERT_EQUAL(std::string("mailbox_forbidden"), bad->text("cause"));
    CPPUNIT_ASSERT_EQUAL(std::string("Fake"), bad->text("server"));
    configure({{"b@x", 1, "forbidden"}});
    CPPUNIT_ASSERT_EQUAL(4, run().code);
  }

  void patience_ends() {
    configure({{"a@x", 1}, {"b@x", 1, "network"}});
    const Outcome outcome = run({"--patience", "0"});
    CPPUNIT_ASSERT_EQUAL(1, outcome.code);
    assert_contains(outcome.err, "The service does not answer.");
  }

  void faults_of_the_configuration_are_two() {
    configure({{"a@x", -1}});
    const Outcome outcome = run();
    CPPUNIT_ASSERT_EQUAL(2, outcome.code);
    assert_contains(outcome.err,
                    config_ + ": queue_management.queues[0].numbers_addresses[0].messages: must not be negative");
    host_test::write_file(config_, "nonsense");
    CPPUNIT_ASSERT_EQUAL(2, run().code);
  }

  void a_folder_in_use_is_refused() {
    configure({{"a@x", 1}});
    const runtime::DataFolder taken(data_);
    const Outcome outcome = run();
    CPPUNIT_ASSERT_EQUAL(2, outcome.code);
    assert_contains(outcome.err, "another host-sim works with the data folder");
  }

  void a_folder_that_cannot_be_written_is_told() {
    configure({{"a@x", 1}});
    file("in-the-way", "");
    const Outcome outcome = host_sim(
        {"run", "--config", config_, "--data", scratch_.path() / "in-the-way" / "data", "--plugins", plugins_});
    CPPUNIT_ASSERT_EQUAL(2, outcome.code);
    assert_contains(outcome.err, "cannot create " + (scratch_.path() / "in-the-way").string());
  }

  void sends_and_remembers() {
    configure({{"a@x", 0}});
    const Outcome outcome = send(message({"--key", "k1", "--attach", file("a.pdf", "123")}));
    CPPUNIT_ASSERT_EQUAL_MESSAGE(outcome.err, 0, outcome.code);
    const Json sent = outcome.events("sent").at(0);
    CPPUNIT_ASSERT_EQUAL(std::string("accepted"), sent.text("verdict"));
    CPPUNIT_ASSERT_EQUAL(std::string("<k1@fake>"), sent.text("internet_message_id"));
    CPPUNIT_ASSERT_EQUAL(std::string("a@x"), sent.text("mailbox"));
    CPPUNIT_ASSERT(sent.find("reason")->is_null() && sent.find("conversation_id")->is_null());
    assert_contains(diary(), "sent k1 8\n");
    CPPUNIT_ASSERT(fs::is_empty(fs::path(data_) / "outgoing"));
    const Outcome again = send(message({"--key", "k1"}));
    CPPUNIT_ASSERT_EQUAL(0, again.code);
    CPPUNIT_ASSERT_EQUAL(std::string("<k1@fake>"), again.events("sent").at(0).text("internet_message_id"));
    CPPUNIT_ASSERT(diary().find("sent k1 5") == std::string::npos);
  }

  void refuses_what_cannot_be_sent() {
    configure({{"a@x", 0}});
    const auto refused = [&](std::vector<std::string> words, const std::string& because) {
      const Outcome outcome = send(words);
      CPPUNIT_ASSERT_EQUAL(2, outcome.code);
      assert_contains(outcome.err, because);
    };
    const std::string text = file("t.txt", "t");
    refused({"--from", "b@x", "--to", "c@y", "--subject", "S", "--text", text},
            "from: no queue has the address \"b@x\" (did you mean \"a@x\"?)");
    refused({"--from", "a@x", "--to", "nonsense", "--subject", "S", "--text", text},
            "to: \"nonsense\" is not an e-mail address");
    refused({"--from", "a@x", "--subject", "S", "--text", text}, "to: is missing");
    refused({"--from", "a@x", "--to", "c@y", "--text", text}, "subject: is missing");
    refused({"--from", "a@x", "--to", "c@y", "--subject", "S"}, "text: is missing");
    refused({"--from", "a@x", "--to", "c@y", "--subject", "S", "--text", "/nowhere"}, "--text: cannot read /nowhere");
    refused(message({"--attach", "/nowhere"}), "attach: cannot read /nowhere");
    refused(message({"--in-reply-to", "nothing"}), "in_reply_to: no mail in the inbox");
    refused(message({"--batch", text}), "--batch and --from cannot be given together");
    refused({"--batch", file("b.jsonl", "\n{\"from\":\"a@x\",\"tto\":\"c@y\"}\n")}, "b.jsonl:2: tto: unknown key");
    std::string off = base::read_file(config_);
    off.replace(off.find("\"enable\": true"), 14, "\"enable\": false");
    host_test::write_file(config_, off);
    refused(message(), "external_outgoing_mail_server.enable: is false");
    off.replace(off.find("\"enable\": false"), 15, "\"enable\": true");
    off.replace(off.find("\"sender\": true"), 14, "\"sender\": false");
    host_test::write_file(config_, off);
    refused(message(), "a@x of the queue \"Support\" is not a sender");
  }

  void a_refused_message_is_one() {
    configure({{"a@x", 0}}, "rejected");
    const Outcome outcome = send(message({"--key", "k"}));
    CPPUNIT_ASSERT_EQUAL(1, outcome.code);
    assert_contains(outcome.err, "k: rejected: the recipient does not exist");
    configure({{"a@x", 0}}, "uncertain");
    CPPUNIT_ASSERT_EQUAL(std::string("uncertain"), send(message({"--key", "k"})).events("sent").at(0).text("verdict"));
    configure({{"a@x", 0}}, "accepted");
    // It may have left: nobody resubmits.
    CPPUNIT_ASSERT_EQUAL(std::string("uncertain"), send(message({"--key", "k"})).events("sent").at(0).text("verdict"));
  }

  void what_was_left_unanswered_is_sent_by_run() {
    configure({{"a@x", 0}}, "retry_later");
    const Outcome waiting = send(message({"--key", "k", "--attach", file("a.txt", "123")}));
    CPPUNIT_ASSERT_EQUAL(1, waiting.code);
    CPPUNIT_ASSERT_EQUAL(std::string("not now"), waiting.events("sent").at(0).text("reason"));
    fs::remove(scratch_.path() / "a.txt");
    configure({{"a@x", 0}});
    const Outcome outcome = run();
    CPPUNIT_ASSERT_EQUAL_MESSAGE(outcome.err, 0, outcome.code);
    CPPUNIT_ASSERT_EQUAL(std::string("accepted"), outcome.events("sent").at(0).text("verdict"));
    CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, outcome.events("stopped").at(0).find("sent")->as_integer());
    assert_contains(diary(), "sent k 8\nshutdown\nsent k 8\n");  // the attachment's copy went again
    CPPUNIT_ASSERT(run().events("sent").empty());
  }

  void answers_a_mail_and_knows_its_thread() {
    configure({{"a@x", 1}});
    CPPUNIT_ASSERT_EQUAL(0, run().code);
    // The fake's Message-ID of a key is <KEY@fake>, and its second mail answers <reply-2@fake>.
    const Outcome sent = send(message({"--key", "reply-2", "--in-reply-to", "a@x-0001"}));
    CPPUNIT_ASSERT_EQUAL(std::string("<1.a@x>"), sent.events("sent").at(0).text("in_reply_to"));
    configure({{"a@x", 2}});
    const auto messages = run().events("message");
    CPPUNIT_ASSERT_EQUAL(std::string("a@x-0002"), messages.back().text("delivery_id"));
    CPPUNIT_ASSERT_EQUAL(std::string("reply-2"), messages.back().text("thread_key"));
    CPPUNIT_ASSERT_EQUAL(std::string("<root@fake>"), messages.front().text("thread_key"));
  }

  void sends_a_batch() {
    configure({{"a@x", 0}});
    const std::string batch =
        file("batch.jsonl",
             "{\"from\":\"a@x\",\"to\":[\"b@y\",\"c@y\"],\"subject\":\"1\",\"text\":\"one\",\"key\":\"one\"}\n"
             "\n{\"from\":\"a@x\",\"to\":\"b@y\",\"subject\":\"2\",\"html\":\"<p>two\",\"key\":\"two\"}");
    const Outcome outcome = send({"--batch", batch});
    CPPUNIT_ASSERT_EQUAL_MESSAGE(outcome.err, 0, outcome.code);
    const auto sent = outcome.events("sent");
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, sent.size());
    CPPUNIT_ASSERT_EQUAL(std::string("one"), sent[0].text("key"));
    CPPUNIT_ASSERT_EQUAL(std::string("two"), sent[1].text("key"));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(CommandTest);

}  // namespace
