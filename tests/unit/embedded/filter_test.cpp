// $filter, $orderby, $expand and the options of a query.
#include "m365/graph/filter.h"

#include <cppunit/extensions/HelperMacros.h>

#include "m365/graph/graph_error.h"
#include "m365/graph/properties.h"
#include "m365/graph/query.h"

namespace embedded {

class FilterTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(FilterTest);
  CPPUNIT_TEST(comparisons);
  CPPUNIT_TEST(and_or_not_parentheses);
  CPPUNIT_TEST(extended_properties);
  CPPUNIT_TEST(malformed_is_400);
  CPPUNIT_TEST(delta_takes_one_form);
  CPPUNIT_TEST(equality_is_found_for_an_index);
  CPPUNIT_TEST(order_needs_the_filter);
  CPPUNIT_TEST(options_of_a_query);
  CPPUNIT_TEST(expand_forms);
  CPPUNIT_TEST(property_ids_have_a_normal_form);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    const auto lock = mailbox_.lock();
    Message message;
    message.subject = "It's Order 17";
    message.received = parse_rfc3339("2026-03-01T12:00:00Z").value();
    message.internet_message_id = "<A@x>";
    message.from = Address{"Ann", "Ann@x.example"};
    message.set_property("String {8ecce264-0000-4000-8000-888888888888} Name Job", "Key-1");
    message.set_property("Integer {8ecce264-0000-4000-8000-888888888888} Name Count", "12");
    message_ = &mailbox_.add(mailbox_.well_known("inbox"), std::move(message));
  }

  bool holds(const char* text) {
    const auto lock = mailbox_.lock();
    return Filter::parse(text).matches(mailbox_, *message_);
  }

  void comparisons() {
    CPPUNIT_ASSERT(holds("isRead eq false"));
    CPPUNIT_ASSERT(!holds("isRead eq true"));
    CPPUNIT_ASSERT(holds("receivedDateTime ge 2026-03-01T12:00:00Z"));
    CPPUNIT_ASSERT(!holds("receivedDateTime gt 2026-03-01T12:00:00Z"));
    CPPUNIT_ASSERT(holds("receivedDateTime lt 2026-03-02"));
    CPPUNIT_ASSERT(holds("subject eq 'it''s order 17'"));
    CPPUNIT_ASSERT(holds("internetMessageId eq '<A@x>'"));
    CPPUNIT_ASSERT(!holds("internetMessageId eq '<a@x>'"));
    CPPUNIT_ASSERT(holds("from/emailAddress/address eq 'ann@X.example'"));
    CPPUNIT_ASSERT(holds("contains(subject,'order')"));
    CPPUNIT_ASSERT(holds("startswith(subject,'IT')"));
    CPPUNIT_ASSERT(!holds("subject eq null"));
  }

  void and_or_not_parentheses() {
    CPPUNIT_ASSERT(holds("isRead eq true or isDraft eq false and hasAttachments eq false"));
    CPPUNIT_ASSERT(!holds("(isRead eq true or isDraft eq false) and hasAttachments eq true"));
    CPPUNIT_ASSERT(holds("not (isRead eq true)"));
  }

  void extended_properties() {
    CPPUNIT_ASSERT(
        holds("singleValueExtendedProperties/Any(ep: ep/id eq 'String {8ECCE264-0000-4000-8000-888888888888} Name Job' "
              "and ep/value eq 'key-1')"));
    CPPUNIT_ASSERT(
        !holds("singleValueExtendedProperties/Any(ep: ep/id eq 'String {8ecce264-0000-4000-8000-888888888888} Name "
               "JOB' and ep/value eq 'key-1')"));
    CPPUNIT_ASSERT(
        holds("singleValueExtendedProperties/any(p:p/id eq 'Integer {8ecce264-0000-4000-8000-888888888888} Name Count' "
              "and cast(p/value, Edm.Int32) gt 9)"));
    CPPUNIT_ASSERT(
        holds("singleValueExtendedProperties/Any(ep: ep/id eq 'String 0x001A' and startswith(ep/value,'IPM.'))"));
  }

  void malformed_is_400() {
    for (const char* bad : {"", "isRead", "isRead eq", "isRead eq 'true'", "isRead eq maybe", "(isRead eq true",
                            "isRead eq true)", "nothing eq 1", "subject eq 'x", "receivedDateTime ge yesterday",
                            "subject eq 17", "isRead is true", "singleValueExtendedProperties/Any(ep: ep/value eq 'x')",
                            "singleValueExtendedProperties/Any(ep: ep/id eq 'x' and ep/value eq 'y')",
                            "toRecipients/any(r: r/x eq 'y')", "isRead eq true and", "contains(isRead,'x')"}) {
      try {
        Filter::parse(bad);
        CPPUNIT_FAIL(bad);
      } catch (const GraphError& error) {
        CPPUNIT_ASSERT_EQUAL_MESSAGE(bad, 400, error.status);
      }
    }
    CPPUNIT_ASSERT_THROW(Filter::parse(std::string(5000, '(') + "isRead eq true"), GraphError);
  }

  void delta_takes_one_form() {
    CPPUNIT_ASSERT(Filter::parse("receivedDateTime ge 2026-01-01T00:00:00Z").received_from()->inclusive);
    CPPUNIT_ASSERT(!Filter::parse("receivedDateTime gt 2026-01-01T00:00:00Z").received_from()->inclusive);
    CPPUNIT_ASSERT(!Filter::parse("receivedDateTime lt 2026-01-01T00:00:00Z").received_from());
    CPPUNIT_ASSERT(!Filter::parse("isRead eq false").received_from());
  }

  void equality_is_found_for_an_index() {
    CPPUNIT_ASSERT_EQUAL(std::string("<A@x>"),
                         Filter::parse("isRead eq false and internetMessageId eq '<A@x>'").equality()->value);
    CPPUNIT_ASSERT(!Filter::parse("isRead eq false or internetMessageId eq '<A@x>'").equality());
    CPPUNIT_ASSERT(!Filter::parse("not (internetMessageId eq '<A@x>')").equality());
  }

  void order_needs_the_filter() {
    const auto check = [](const char* order, const char* filter) {
      check_order_and_filter(parse_orderby(order), Filter::parse(filter));
    };
    CPPUNIT_ASSERT_NO_THROW(check("receivedDateTime desc", "receivedDateTime ge 2026-01-01 and isRead eq false"));
    CPPUNIT_ASSERT_THROW(check("receivedDateTime", "isRead eq false"), GraphError);
    CPPUNIT_ASSERT_THROW(check("receivedDateTime", "isRead eq false and receivedDateTime ge 2026-01-01"), GraphError);
  }

  void options_of_a_query() {
    const Query query = parse_query("$select=id,%20subject&$top=5&$count=true&my=1", "$select,$top,$count");
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, query.select->size());
    CPPUNIT_ASSERT_EQUAL(std::string("subject"), query.select->at(1));
    CPPUNIT_ASSERT_EQUAL(std::size_t{5}, *query.top);
    for (const char* bad : {"$foo=1", "select=id", "$top=0", "$top=1001", "$top=x", "$skip=-1", "$count=1",
                            "$select=a&$select=b", "$expand=x"}) {
      CPPUNIT_ASSERT_THROW_MESSAGE(bad, parse_query(bad, "$select,$top,$count,$skip"), GraphError);
    }
  }

  void expand_forms() {
    const Expand expand =
        parse_expand("attachments,singleValueExtendedProperties($filter=id eq 'LONG 0x0E08' or id eq 'String 0x001A')");
    CPPUNIT_ASSERT(expand.attachments);
    CPPUNIT_ASSERT_EQUAL(std::string("Long 0xe08"), expand.property_ids.at(0));
    CPPUNIT_ASSERT_EQUAL(std::string("String 0x1a"), expand.property_ids.at(1));
    CPPUNIT_ASSERT_THROW(parse_expand("singleValueExtendedProperties"), GraphError);
    CPPUNIT_ASSERT_THROW(parse_expand("friends"), GraphError);
  }

  void property_ids_have_a_normal_form() {
    CPPUNIT_ASSERT_EQUAL(std::string("String {8ecce264-0000-4000-8000-888888888888} Name Job"),
                         normal_property_id("STRING {8ECCE264-0000-4000-8000-888888888888} name Job").value());
    for (const char* bad : {"", "String", "Text 0x1", "String 1A", "String {x} Name a",
                            "String {8ecce264-0000-4000-8000-888888888888} Name",
                            "String {8ecce264-0000-4000-8000-888888888888} Tag 0x1", "String 0x12345"}) {
      CPPUNIT_ASSERT_MESSAGE(bad, !normal_property_id(bad));
    }
  }

 private:
  Clock clock_;
  Mailbox mailbox_{"3f0a5f5e-0d3a-4a52-9f5c-5b4b8f6a1001", clock_, "en"};
  Message* message_ = nullptr;
};
CPPUNIT_TEST_SUITE_REGISTRATION(FilterTest);

}  // namespace embedded
