// Mails of any size are handed over within stated bounds of memory: what is held is counted, while the network gives
// the mail bit by bit.
#include <cppunit/extensions/HelperMacros.h>

#include <cstdint>

#include "builder_support.h"
#include "m365/message/attachment_mime.h"
#include "support/live_bytes.h"

namespace {

using mail::PartKind;
using support::has;
using support::parts_of;

/// A text of pieces that are repeated, made while it is read.
struct LongText {
  struct Piece {
    std::string text;
    std::uint64_t count = 1;
  };
  std::vector<Piece> pieces;
  std::uint64_t size() const {
    std::uint64_t sum = 0;
    for (const Piece& piece : pieces) sum += piece.text.size() * piece.count;
    return sum;
  }
};

class LongExchange final : public http::Exchange {
 public:
  LongExchange(const LongText& text, std::uint64_t cut_at, std::uint64_t& read)
      : text_(text), cut_at_(cut_at), read_(read) {}
  int status() const override { return 200; }
  const http::Headers& headers() const override { return headers_; }
  std::size_t read(char* buffer, std::size_t capacity) override {
    std::size_t done = 0;
    while (done < capacity && piece_ < text_.pieces.size() && left_ > 0) {
      const LongText::Piece& piece = text_.pieces[piece_];
      if (piece.count == count_) {
        ++piece_;
        count_ = 0;
        continue;
      }
      const std::size_t part = std::min({capacity - done, piece.text.size() - at_, static_cast<std::size_t>(left_)});
      std::memcpy(buffer + done, piece.text.data() + at_, part);
      done += part;
      at_ += part;
      left_ -= part;
      if (at_ == piece.text.size()) {
        at_ = 0;
        ++count_;
      }
    }
    read_ += done;
    if (done == 0 && left_ == 0) throw http::TransportError(http::TransportError::Kind::cut, true, "cut");
    return done;
  }

 private:
  const LongText& text_;
  const std::uint64_t cut_at_;
  std::uint64_t& read_;
  std::uint64_t left_ = cut_at_, count_ = 0;
  std::size_t piece_ = 0, at_ = 0;
  http::Headers headers_;
};

const char* const list_end = "microsoft.graph.fileAttachment/contentId";

class LargeMailTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(LargeMailTest);
  CPPUNIT_TEST(a_large_signed_mail_is_not_held);
  CPPUNIT_TEST(a_long_text_inside_is_a_part);
  CPPUNIT_TEST(many_small_attachments_are_not_held);
  CPPUNIT_TEST(more_parts_than_can_be_told_leave_the_whole);
  CPPUNIT_TEST(a_report_is_read_no_further_than_needed);
  CPPUNIT_TEST(a_report_that_never_ends_is_left);
  CPPUNIT_TEST(an_invitation_is_read_no_further_than_needed);
  CPPUNIT_TEST(a_cut_before_the_first_byte_is_tried_again);
  CPPUNIT_TEST(a_cut_within_a_part_is_no_end);
  CPPUNIT_TEST(a_part_that_changed_is_no_part);
  CPPUNIT_TEST_SUITE_END();

 public:
  void a_large_signed_mail_is_not_held() {
    // 24 MB of pdf in base64, 8 MB as they stand on one line.
    add_signed({{"--M\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n", 1},
                {"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5\r\n", 480'000},
                {"--M\r\nContent-Type: application/zip; name=b.zip\r\n\r\n", 1},
                {"0123456789abcdef", 524'288},
                {"\r\n", 1}});
    constexpr auto bound = static_cast<std::ptrdiff_t>(4 * m365::most_attachments_kept);  // strings grow by doubling
    const support::LiveBytes live;
    {
      const mail::Mail mail = f_.build().mail;
      CPPUNIT_ASSERT(live.peak() < bound);
      CPPUNIT_ASSERT(live.now() < 60'000);
      CPPUNIT_ASSERT_EQUAL(static_cast<std::int64_t>(text_.size()), mail.size_bytes);
      CPPUNIT_ASSERT_EQUAL(text_.size(), read_);
      const auto files = parts_of(mail, PartKind::attachment);
      CPPUNIT_ASSERT_EQUAL(std::size_t{3}, files.size());
      CPPUNIT_ASSERT_EQUAL(std::int64_t{480'000 * 51}, files[0]->size_hint);
      CPPUNIT_ASSERT_EQUAL(std::int64_t{524'288 * 16}, files[1]->size_hint);
      CPPUNIT_ASSERT_EQUAL(std::string("smime.p7s"), files[2]->file_name);
      read_ = 0;
      CPPUNIT_ASSERT_EQUAL(std::uint64_t{480'000 * 51},
                           drain(*files[0], "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxy"));
      CPPUNIT_ASSERT(read_ < text_.size() - 524'288 * 15);  // what stands behind the part is not read
      CPPUNIT_ASSERT_EQUAL(std::uint64_t{524'288 * 16}, drain(*files[1], "0123456789abcdef"));
      CPPUNIT_ASSERT(live.peak() < bound);
    }
  }

  void a_long_text_inside_is_a_part() {
    add_signed({{"--M\r\nContent-Type: text/html; charset=iso-8859-1\r\n\r\n<p>", 1},
                {"gr\xFC\xDF Gott ", 300'000},
                {"</p>\r\n", 1}});
    f_.row.body = "<p>cropped</p>";
    f_.row.body_type = "html";
    const support::LiveBytes live;
    const mail::Mail mail = f_.build().mail;
    CPPUNIT_ASSERT(live.peak() < static_cast<std::ptrdiff_t>(4 * m365::most_text_kept));
    CPPUNIT_ASSERT(parts_of(mail, PartKind::html).empty());
    const auto files = parts_of(mail, PartKind::attachment);
    CPPUNIT_ASSERT_EQUAL(std::string("message.html"), files.at(0)->file_name);
    CPPUNIT_ASSERT_EQUAL(std::string("text/html; charset=\"iso-8859-1\""), files[0]->media_type);
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{300'000 * 10 + 7}, drain(*files[0], ""));
  }

  void many_small_attachments_are_not_held() {
    add_signed({{"--M\r\nContent-Type: image/png; name=x.png\r\n\r\n" + std::string(5'000, 'x') + "\r\n", 900}});
    const support::LiveBytes live;
    const mail::Mail mail = f_.build().mail;
    CPPUNIT_ASSERT_EQUAL(std::size_t{901}, parts_of(mail, PartKind::attachment).size());
    // What is kept, and some 2 KB a part to tell of it.
    CPPUNIT_ASSERT(live.peak() < static_cast<std::ptrdiff_t>(2 * m365::most_attachments_kept + 901 * 4'000));
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{5'000}, drain(*parts_of(mail, PartKind::attachment).at(899), "x"));
  }

  void more_parts_than_can_be_told_leave_the_whole() {
    add_signed({{"--M\r\nContent-Type: image/png; name=x.png\r\n\r\nx\r\n", 2'000}});
    const mail::Mail mail = f_.build().mail;
    CPPUNIT_ASSERT(has(mail, mail::signed_mail) && !has(mail, mail::oversize));
    const auto files = parts_of(mail, PartKind::attachment);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, files.size());
    CPPUNIT_ASSERT_EQUAL(std::string("smime.p7m"), files[0]->file_name);
  }

  void a_report_is_read_no_further_than_needed() {
    f_.row.headers = {{"Content-Type", "multipart/report; report-type=delivery-status; boundary=R"}};
    text_.pieces = {{"Content-Type: multipart/report; boundary=R\r\n\r\n--R\r\n\r\n", 1},
                    {"long words\r\n", 10'000},
                    {"--R\r\nContent-Type: message/delivery-status\r\n\r\nFinal-Recipient: rfc822; b@y\r\n"
                     "Action: failed\r\nStatus: 5.1.1\r\n\r\n--R\r\nContent-Type: message/rfc822\r\n\r\n",
                     1},
                    {"Received: from somewhere\r\n", 1'000},
                    {"Message-ID: <sent@contoso>\r\n\r\n", 1},
                    {"the mail that came back\r\n", 1'000'000}};
    serve();
    const support::LiveBytes live;
    const mail::Mail mail = f_.build().mail;
    CPPUNIT_ASSERT_EQUAL(std::string("<sent@contoso>"), mail.report->original_message_id);
    CPPUNIT_ASSERT_EQUAL(std::string("b@y"), mail.report->recipient);
    CPPUNIT_ASSERT(read_ < 200'000);
    CPPUNIT_ASSERT(live.peak() < static_cast<std::ptrdiff_t>(4 * m365::most_returned_kept));
  }

  void a_report_that_never_ends_is_left() {
    f_.row.headers = {{"Content-Type", "multipart/report; report-type=delivery-status; boundary=R"}};
    text_.pieces = {
        {"Content-Type: multipart/report; boundary=R\r\n\r\n--R\r\nContent-Type: message/delivery-status\r\n\r\n"
         "Final-Recipient: rfc822; b@y\r\nAction: failed\r\n",
         1},
        {"X: y\r\n", 100'000'000}};
    serve();
    const support::LiveBytes live;
    const mail::Mail mail = f_.build().mail;
    CPPUNIT_ASSERT(has(mail, mail::bounce));
    CPPUNIT_ASSERT_EQUAL(std::string("b@y"), mail.report->recipient);
    CPPUNIT_ASSERT(read_ < 1'100'000);
    CPPUNIT_ASSERT(live.peak() < static_cast<std::ptrdiff_t>(4 * m365::most_status_kept));
  }

  void an_invitation_is_read_no_further_than_needed() {
    f_.row.odata_type = "#microsoft.graph.eventMessageRequest";
    text_.pieces = {{"Content-Type: multipart/mixed; boundary=R\r\n\r\n--R\r\nContent-Type: text/calendar\r\n\r\n"
                     "BEGIN:VCALENDAR\r\n--R\r\nContent-Type: video/mp4\r\n\r\n",
                     1},
                    {"frame\r\n", 3'000'000}};
    serve();
    const mail::Mail mail = f_.build().mail;
    CPPUNIT_ASSERT_EQUAL(std::string("BEGIN:VCALENDAR"),
                         support::read_all(*parts_of(mail, PartKind::attachment).at(0)));
    CPPUNIT_ASSERT(read_ < 100'000);
    // One that is too long to be held is read when it is opened.
    text_.pieces = {{"Content-Type: text/calendar; charset=utf-8\r\n\r\nBEGIN:VCALENDAR\r\n", 1},
                    {"X-ATTACHED:y\r\n", 100'000}};
    const mail::Mail long_one = f_.build().mail;
    const auto files = parts_of(long_one, PartKind::attachment);
    CPPUNIT_ASSERT_EQUAL(std::string("invite.ics"), files.at(0)->file_name);
    CPPUNIT_ASSERT_EQUAL(std::string("text/calendar; charset=\"utf-8\""), files[0]->media_type);
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{17 + 1'400'000}, drain(*files[0], ""));
  }

  void a_cut_before_the_first_byte_is_tried_again() {
    const mail::Mail mail = two_parts();
    cuts_ = {400'000};  // within what stands before the part
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{600'000}, drain(*parts_of(mail, PartKind::attachment).at(1), "b"));
    cuts_ = {400'000, 400'000};
    CPPUNIT_ASSERT_THROW(drain(*parts_of(mail, PartKind::attachment).at(1), "b"), mail::FaultError);
  }

  void a_cut_within_a_part_is_no_end() {
    const mail::Mail mail = two_parts();
    cuts_ = {900'000};
    CPPUNIT_ASSERT_THROW(drain(*parts_of(mail, PartKind::attachment).at(1), "b"), mail::FaultError);
    // Nor is a mail that ends there.
    text_.pieces.resize(text_.pieces.size() - 1);
    text_.pieces.back().count = 300'000;
    CPPUNIT_ASSERT_THROW(drain(*parts_of(mail, PartKind::attachment).at(1), "b"), mail::FaultError);
  }

  void a_part_that_changed_is_no_part() {
    const mail::Mail mail = two_parts();
    for (LongText::Piece& piece : text_.pieces) {
      if (piece.text.find("b.bin") != std::string::npos) piece.text.replace(piece.text.find("b.bin"), 5, "c.bin");
    }
    CPPUNIT_ASSERT_THROW(drain(*parts_of(mail, PartKind::attachment).at(1), "b"), mail::FaultError);
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{600'000}, drain(*parts_of(mail, PartKind::attachment).at(0), "a"));
  }

 private:
  mail::Mail two_parts() {
    add_signed({{"--M\r\nContent-Type: application/octet-stream; name=a.bin\r\n\r\n", 1},
                {"a", 600'000},
                {"\r\n--M\r\nContent-Type: application/octet-stream; name=b.bin\r\n\r\n", 1},
                {"b", 600'000},
                {"\r\n", 1}});
    return f_.build().mail;
  }

  // A clear-signed mail of a short text and these pieces.
  void add_signed(std::vector<LongText::Piece> inside) {
    f_.mailbox.max_email_size_kb = 0;
    f_.row.has_attachments = true;
    f_.row.headers = {{"Content-Type", "multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256"}};
    f_.graph.on(list_end, {200, R"({"value":[{"@odata.type":"#microsoft.graph.fileAttachment","id":"1",)"
                                R"("name":"smime.p7m","contentType":"multipart/signed","size":3000}]})"});
    text_.pieces = {
        {"Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=S\r\n\r\n"
         "--S\r\nContent-Type: multipart/mixed; boundary=M\r\n\r\n--M\r\n\r\nhello\r\n",
         1}};
    text_.pieces.insert(text_.pieces.end(), inside.begin(), inside.end());
    text_.pieces.push_back(
        {"--M--\r\n--S\r\nContent-Type: application/pkcs7-signature; name=smime.p7s\r\n"
         "Content-Transfer-Encoding: base64\r\n\r\nMAAB\r\n--S--\r\n",
         1});
    serve();
  }

  void serve() {
    f_.graph.on_open("/$value", [this] {
      std::uint64_t cut_at = UINT64_MAX;
      if (!cuts_.empty()) {
        cut_at = cuts_.front();
        cuts_.pop_front();
      }
      return std::make_unique<LongExchange>(text_, cut_at, read_);
    });
  }

  // Reads a part whose content is `unit` over and over ("": any content); how many bytes it has.
  static std::uint64_t drain(const mail::Part& part, std::string_view unit) {
    const auto source = part.open();
    std::uint64_t sum = 0;
    char block[5'000];
    while (const std::size_t count = source->read(block, sizeof block)) {
      for (std::size_t i = 0; i < count && !unit.empty(); ++i) {
        if (block[i] != unit[(sum + i) % unit.size()]) CPPUNIT_FAIL("not the bytes of this part");
      }
      sum += count;
    }
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, source->read(block, sizeof block));
    return sum;
  }

  support::BuilderFixture f_;
  LongText text_;
  std::uint64_t read_ = 0;          // bytes of the mail that were given
  std::deque<std::uint64_t> cuts_;  // where the next exchanges break
};

CPPUNIT_TEST_SUITE_REGISTRATION(LargeMailTest);

}  // namespace
