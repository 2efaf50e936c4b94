#include "children/counting_options.h"

#include <map>
#include <stdexcept>

namespace bench {

CountingOptions counting_options(const std::vector<std::string>& arguments) {
  CountingOptions o;
  const std::map<std::string, std::string*> texts{
      {"--plugin", &o.plugin}, {"--state", &o.state},     {"--origin", &o.origin},          {"--ca", &o.ca},
      {"--poll", &o.poll},     {"--workers", &o.workers}, {"--after-fetch", &o.after_fetch}};
  const std::map<std::string, bool*> switches{
      {"--read", &o.reads}, {"--replies-when-idle", &o.replies_when_idle}, {"--replies-are-all", &o.replies_are_all}};
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& name = arguments[i];
    if (const auto found = switches.find(name); found != switches.end()) {
      *found->second = true;
      continue;
    }
    const std::string& value = arguments.at(++i);
    if (const auto text = texts.find(name); text != texts.end()) {
      *text->second = value;
    } else if (name == "--mailboxes") {
      o.mailboxes = static_cast<unsigned>(std::stoul(value));
    } else if (name == "--expect") {
      o.expect = std::stoull(value);
    } else if (name == "--for") {
      o.seconds = std::stod(value);
    } else if (name == "--replies") {
      o.replies = static_cast<unsigned>(std::stoul(value));
    } else if (name == "--reply-mailboxes") {
      o.reply_mailboxes = static_cast<unsigned>(std::stoul(value));
    } else if (name == "--replies-a-second") {
      o.replies_a_second = std::stod(value);
    } else {
      throw std::runtime_error("counting host: " + name + " is none of its options");
    }
  }
  return o;
}

}  // namespace bench
