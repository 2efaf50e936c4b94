// Just enough HTML for what Graph does with a body.
#ifndef HOST_SIM_M365_HTML_H_
#define HOST_SIM_M365_HTML_H_

#include <string>
#include <string_view>

namespace embedded {

// Readable text: tags out, blocks on lines of their own, the common entities decoded.
// Stops once `enough` bytes are made.
std::string html_to_text(std::string_view html, std::size_t enough = static_cast<std::size_t>(-1));
// A text as an html page, as Exchange makes one.
std::string text_to_html(std::string_view text);
// Without script elements and on... attributes: what Graph calls unsafe (graph-mail.md section 8).
std::string safe_html(std::string_view html);
// The first 255 characters, as one plain text.
std::string preview(std::string_view text);

}  // namespace embedded

#endif  // HOST_SIM_M365_HTML_H_
