// Words for people and from mails: nearest words, UTF-8, options, tables, file names, times.
#include "base/clock.h"
#include "base/nearest.h"
#include "base/options.h"
#include "base/table.h"
#include "base/utf8.h"
#include "host/support.h"
#include "runtime/safe_name.h"

namespace {

using base::Options;
using base::UsageError;
using host_test::assert_contains;

class WordsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(WordsTest);
  CPPUNIT_TEST(finds_the_nearest_word);
  CPPUNIT_TEST(keeps_a_line_a_line);
  CPPUNIT_TEST(counts_columns);
  CPPUNIT_TEST(reads_options);
  CPPUNIT_TEST(names_what_is_wrong_with_options);
  CPPUNIT_TEST(aligns_tables);
  CPPUNIT_TEST(makes_file_names_safe);
  CPPUNIT_TEST(gives_each_name_once);
  CPPUNIT_TEST(writes_times);
  CPPUNIT_TEST_SUITE_END();

  void finds_the_nearest_word() {
    CPPUNIT_ASSERT_EQUAL(std::string("client_id"), base::nearest("clientid", {"secret", "client_id", "address"}));
    CPPUNIT_ASSERT_EQUAL(std::string("--config"), base::nearest("--cofnig", {"--data", "--config"}));
    CPPUNIT_ASSERT_EQUAL(std::string(), base::nearest("zzzzzz", {"secret", "client_id"}));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, base::edit_distance("cofnig", "config"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, base::edit_distance("Secret", "secret"));
    CPPUNIT_ASSERT_EQUAL(std::string(" (known: a, b)"), base::did_you_mean("zzzzzz", {"a", "b"}));
  }

  void keeps_a_line_a_line() {
    CPPUNIT_ASSERT_EQUAL(std::string("a b [2Jc"), base::for_one_line("a\nb\x1b[2J\xe2\x80\xae"
                                                                     "c",
                                                                     50));
    CPPUNIT_ASSERT_EQUAL(std::string("abc\xe2\x80\xa6"), base::for_one_line("abcdef", 4));
    CPPUNIT_ASSERT_EQUAL(std::string("\xef\xbf\xbd"), base::for_one_line("\xff", 4));
  }

  void counts_columns() {
    CPPUNIT_ASSERT_EQUAL(std::size_t{5}, base::columns("\xe6\x97\xa5\xe6\x9c\xac"
                                                       "a"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, base::columns("e\xcc\x81"));
  }

  base::CommandSpec spec() {
    return {"run",
            "",
            "",
            "",
            {{"--config", "FILE", "", true},
             {"--json", "", ""},
             {"--to", "A", "", false, true},
             {"--output", "D", "", false, false, "-o"}},
            1};
  }

  void reads_options() {
    const Options options =
        Options::parse({"--config=c", "-o", "d", "--to", "a", "word", "--to", "b", "--json"}, spec());
    CPPUNIT_ASSERT_EQUAL(std::string("c"), *options.value("--config"));
    CPPUNIT_ASSERT_EQUAL(std::string("d"), *options.value("--output"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, options.values("--to").size());
    CPPUNIT_ASSERT(options.has("--json"));
    CPPUNIT_ASSERT_EQUAL(std::string("word"), options.positionals().at(0));
    CPPUNIT_ASSERT_EQUAL(std::string("--json"),
                         Options::parse({"--config", "c", "--", "--json"}, spec()).positionals().at(0));
  }

  void complains(const std::vector<std::string>& words, const std::string& about) {
    try {
      Options::parse(words, spec());
      CPPUNIT_FAIL("accepted: " + about);
    } catch (const UsageError& error) {
      assert_contains(error.what(), about);
    }
  }

  void names_what_is_wrong_with_options() {
    complains({"--config", "c", "--jsno"}, "did you mean \"--json\"?");
    complains({}, "needs --config FILE");
    complains({"--config"}, "--config needs a value");
    complains({"--config", "a", "--config", "b"}, "given twice");
    complains({"--config", "a", "--json=1"}, "takes no value");
    complains({"--config", "a", "x", "y"}, "does not know what to do with \"y\"");
    const Options options = Options::parse({"--config", "12x"}, spec());
    CPPUNIT_ASSERT_THROW(options.number("--config", 0, 100), UsageError);
  }

  void aligns_tables() {
    base::Table table({"A", "TEXT"});
    table.add({"\xe6\x97\xa5", "one\ntwo"});
    table.add({"longer", "x"});
    CPPUNIT_ASSERT_EQUAL(std::string("A       TEXT\n\xe6\x97\xa5      one two\nlonger  x\n"), table.render(0, false));
  }

  void makes_file_names_safe() {
    const auto safe = [](std::string_view name) { return runtime::safe_name(name, "attachment-1"); };
    CPPUNIT_ASSERT_EQUAL(std::string("passwd"), safe("../../etc/passwd"));
    CPPUNIT_ASSERT_EQUAL(std::string("x"), safe("..\\..\\x"));
    CPPUNIT_ASSERT_EQUAL(std::string("x.txt"), safe("/abs/x.txt"));
    CPPUNIT_ASSERT_EQUAL(std::string("_CON"), safe("CON"));
    CPPUNIT_ASSERT_EQUAL(std::string("_nul.txt"), safe("nul.txt"));
    CPPUNIT_ASSERT_EQUAL(std::string("_COM1.log"), safe("COM1.log"));
    CPPUNIT_ASSERT_EQUAL(std::string("_lpt\xc2\xb3"), safe("lpt\xc2\xb3"));
    CPPUNIT_ASSERT_EQUAL(std::string("_aux .txt"), safe("aux .txt"));
    CPPUNIT_ASSERT_EQUAL(std::string("COM10.log"), safe("COM10.log"));
    CPPUNIT_ASSERT_EQUAL(std::string("console"), safe("console"));
    CPPUNIT_ASSERT_EQUAL(std::string("attachment-1"), safe(""));
    CPPUNIT_ASSERT_EQUAL(std::string("attachment-1"), safe(".."));
    CPPUNIT_ASSERT_EQUAL(std::string("attachment-1"), safe("a/"));
    CPPUNIT_ASSERT_EQUAL(std::string("profile"), safe(".profile"));
    CPPUNIT_ASSERT_EQUAL(std::string("_rf"), safe("-rf"));
    CPPUNIT_ASSERT_EQUAL(std::string("ab"), safe("a\nb\x7f"));
    CPPUNIT_ASSERT_EQUAL(std::string("annexe.pdf"), safe("ann\xe2\x80\xae"
                                                         "exe.pdf"));
    CPPUNIT_ASSERT_EQUAL(std::string("a_b__c.txt"), safe("a:b?*c.txt"));
    CPPUNIT_ASSERT_EQUAL(std::string("caf\xc3\xa9.txt"), safe("caf\xc3\xa9.txt"));
    const std::string longest = safe(std::string(300, 'x') + ".pdf");
    CPPUNIT_ASSERT_EQUAL(std::size_t{200}, longest.size());
    CPPUNIT_ASSERT(longest.ends_with(".pdf"));
    std::string umlauts;
    for (int i = 0; i < 150; ++i) umlauts += "\xc3\xa4";
    CPPUNIT_ASSERT(base::is_utf8(safe("x" + umlauts)));
    CPPUNIT_ASSERT(safe("x" + umlauts).size() <= 200);
  }

  void gives_each_name_once() {
    runtime::UniqueNames names;
    CPPUNIT_ASSERT_EQUAL(std::string("a.txt"), names.take("a.txt"));
    CPPUNIT_ASSERT_EQUAL(std::string("A (2).txt"), names.take("A.txt"));
    CPPUNIT_ASSERT_EQUAL(std::string("a (3).txt"), names.take("a.txt"));
    CPPUNIT_ASSERT_EQUAL(std::string("b"), names.take("b"));
    CPPUNIT_ASSERT_EQUAL(std::string("b (2)"), names.take("b"));
  }

  void writes_times() {
    CPPUNIT_ASSERT_EQUAL(std::string("2023-11-14T22:13:20Z"), base::to_rfc3339(1700000000000));
    CPPUNIT_ASSERT_EQUAL(std::string("2023-11-14T22:13:20.007Z"), base::to_rfc3339(1700000000007));
    CPPUNIT_ASSERT_EQUAL(std::string("1969-12-31T23:59:59.999Z"), base::to_rfc3339(-1));
    CPPUNIT_ASSERT(!base::known_time(0).has_value());
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(WordsTest);

}  // namespace
