// Text from HTML, for mails that came without a text of their own.
#ifndef HOST_SIM_RUNTIME_HTML_TEXT_H_
#define HOST_SIM_RUNTIME_HTML_TEXT_H_

#include <string>
#include <string_view>

namespace runtime {

// What a person would read: paragraphs and rows on lines of their own, list items with a hyphen, links with their
// address behind them, quoted text with "> ", scripts, styles and comments left out, entities decoded. Never fails:
// what is not HTML comes out as it is. UTF-8 in and out; linear in the input.
std::string text_from_html(std::string_view html);

}  // namespace runtime

#endif  // HOST_SIM_RUNTIME_HTML_TEXT_H_
