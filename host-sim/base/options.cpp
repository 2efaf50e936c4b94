#include "base/options.h"

#include <algorithm>
#include <charconv>

#include "base/nearest.h"

namespace base {
namespace {

const OptionSpec* find(const CommandSpec& spec, const std::string& name) {
  for (const OptionSpec& option : spec.options) {
    if (option.name == name || (!option.short_name.empty() && option.short_name == name)) return &option;
  }
  return nullptr;
}

[[noreturn]] void unknown(const std::string& name, const CommandSpec& spec) {
  std::vector<std::string> names;
  for (const OptionSpec& option : spec.options) names.push_back(option.name);
  throw UsageError("unknown option " + name + " of \"" + spec.name + "\"" + did_you_mean(name, names));
}

}  // namespace

Options Options::parse(const std::vector<std::string>& arguments, const CommandSpec& spec) {
  Options options;
  bool only_words = false;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    if (!only_words && word == "--") {
      only_words = true;
    } else if (only_words || word.size() < 2 || word[0] != '-') {
      if (options.positionals_.size() >= spec.most_positionals) {
        throw UsageError("\"" + spec.name + "\" does not know what to do with \"" + word + "\"");
      }
      options.positionals_.push_back(word);
    } else {
      const std::size_t equals = word.starts_with("--") ? word.find('=') : std::string::npos;
      const std::string name = word.substr(0, equals);
      const OptionSpec* option = find(spec, name);
      if (option == nullptr) unknown(name, spec);
      std::vector<std::string>& values = options.values_[option->name];
      if (!values.empty() && !option->repeatable) throw UsageError(option->name + " is given twice");
      if (option->value.empty()) {
        if (equals != std::string::npos) throw UsageError(option->name + " takes no value");
        values.emplace_back();
      } else if (equals != std::string::npos) {
        values.push_back(word.substr(equals + 1));
      } else if (i + 1 < arguments.size()) {
        values.push_back(arguments[++i]);
      } else {
        throw UsageError(option->name + " needs a value: " + option->name + " " + option->value);
      }
    }
  }
  for (const OptionSpec& option : spec.options) {
    if (option.required && !options.has(option.name) && !options.has("--help")) {
      throw UsageError("\"" + spec.name + "\" needs " + option.name + " " + option.value);
    }
  }
  return options;
}

std::optional<std::string> Options::value(const std::string& name) const {
  const auto it = values_.find(name);
  if (it == values_.end()) return std::nullopt;
  return it->second.front();
}

std::vector<std::string> Options::values(const std::string& name) const {
  const auto it = values_.find(name);
  return it == values_.end() ? std::vector<std::string>() : it->second;
}

std::optional<std::int64_t> Options::number(const std::string& name, std::int64_t least, std::int64_t most) const {
  const auto text = value(name);
  if (!text) return std::nullopt;
  std::int64_t number = 0;
  const auto result = std::from_chars(text->data(), text->data() + text->size(), number);
  if (result.ec != std::errc() || result.ptr != text->data() + text->size() || number < least || number > most) {
    throw UsageError(name + ": a whole number between " + std::to_string(least) + " and " + std::to_string(most) +
                     " is expected, not \"" + *text + "\"");
  }
  return number;
}

std::string help_of(const CommandSpec& spec, const std::string& program) {
  std::string usage = "usage: " + program + " " + spec.name;
  if (!spec.arguments.empty()) usage += " " + spec.arguments;
  std::size_t widest = 0;
  std::vector<std::string> lefts;
  for (const OptionSpec& option : spec.options) {
    std::string left = (option.short_name.empty() ? "" : option.short_name + ", ") + option.name;
    if (!option.value.empty()) left += " " + option.value;
    widest = std::max(widest, left.size());
    lefts.push_back(std::move(left));
  }
  std::string out = usage + "\n\n" + spec.summary + "\n";
  if (!spec.details.empty()) out += "\n" + spec.details + "\n";
  out += "\n";
  for (std::size_t i = 0; i < lefts.size(); ++i) {
    out += "  " + lefts[i] + std::string(widest - lefts[i].size() + 2, ' ') + spec.options[i].help + "\n";
  }
  return out;
}

}  // namespace base
