#include "runtime/html_text.h"

#include "host/support.h"

namespace {

using runtime::text_from_html;

class HtmlTextTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(HtmlTextTest);
  CPPUNIT_TEST(paragraphs_and_breaks);
  CPPUNIT_TEST(entities);
  CPPUNIT_TEST(leaves_out_what_nobody_reads);
  CPPUNIT_TEST(lists_links_quotes_tables);
  CPPUNIT_TEST(broken_html_loses_no_words);
  CPPUNIT_TEST_SUITE_END();

  static void is(const std::string& text, const std::string& html) { CPPUNIT_ASSERT_EQUAL(text, text_from_html(html)); }

  void paragraphs_and_breaks() {
    is("One two\n\nthree\nfour", "<html><body><p>One\n  <b>two</b></p>\r\n<p>three<br>four</p></body></html>");
    is("a\nb", "<div>a</div><div>b</div>");
    is("a  b\n c", "<pre>a  b\n c</pre>");
    is("a \t b\nc < d", "<pre>a \t b\r\nc &lt; d</pre>");
    is("a b\nc  d", "a b <pre>c  d</pre>");
    is("ab", "a<span></span>b");
  }

  void entities() {
    is("a & b < c \xe2\x82\xac \xc3\xa4 \xf0\x9f\x98\x80", "a &amp; b &lt; c &euro;&nbsp;&#228; &#x1F600;");
    is("&unknown; & &#xD800; &#; a&b", "&unknown; & &#xD800; &#; a&b");
  }

  void leaves_out_what_nobody_reads() {
    is("text",
       "<head><title>t</title><style>p > a { }</style></head><!-- <p>c</p> --><script>if (a < b) x();</script>text");
    is("text", "<!DOCTYPE html><?xml version=\"1.0\"?>text<style>unclosed");
  }

  void lists_links_quotes_tables() {
    is("- one\n- two", "<ul><li>one</li><li>two</li></ul>");
    is("see here <https://example.com/?a=1&b=2>", "see <a href=\"https://example.com/?a=1&amp;b=2\">here</a>");
    is("https://example.com", "<a href='https://example.com'>https://example.com</a>");
    is("write", "<a href=\"mailto:a@b\">write</a>");
    is("me:\n> you\n> again\ndone", "me:<blockquote>you<br>again</blockquote>done");
    is("a b\nc d", "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>");
    is("before logo after", "before <img src=x alt=\"logo\"> after");
  }

  void broken_html_loses_no_words() {
    is("a < b", "a < b");
    is("1 <2", "1 <2");
    is("word", "<p>word<p");
    is("<", "<");
    is("a", "a<!-- never ends");
    is("x", "<a href=\"unclosed>y</a>\">x");
    is("plain text", "plain text");
    is("x", "<a b = c>x");
    is("a b c d e", "a b  c d e ");
    is("a b c", "a b <b> c</b>");
    is("a & b", "a &amp; b");
    is("x", "<a b='1>2' c=\"3>4\" d=>x");
    is("x y", "<a b=c\"d>x y");
    is("x", "x<a b=\"never ends>y");
    is("x", "x<a b=");
    is("x", "x<a b='c'");
    is("it's", "<p>it's</p>");
    CPPUNIT_ASSERT_EQUAL(std::size_t{100'000}, text_from_html(std::string(100'000, '<')).size());
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(HtmlTextTest);

}  // namespace
