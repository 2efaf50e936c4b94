#include "configurator/section.h"

#include <algorithm>

#include "base/file.h"
#include "base/nearest.h"

namespace configurator {

using base::Json;

std::string Findings::sentence(std::size_t line, const std::string& path, const std::string& reason) const {
  std::string text = file.string();
  if (line != 0) text += ":" + std::to_string(line);
  return text + ": " + (path.empty() ? "" : path + ": ") + reason;
}

void Findings::problem(std::size_t line, const std::string& path, const std::string& reason) {
  problems.push_back(sentence(line, path, reason));
}

void Findings::warning(std::size_t line, const std::string& path, const std::string& reason) {
  warnings.push_back(sentence(line, path, reason));
}

Section::Section(const Json* object, std::string path, Findings& findings)
    : object_(object), path_(std::move(path)), findings_(findings) {
  if (object_ != nullptr && object_->is_null()) object_ = nullptr;
  if (object_ != nullptr && !object_->is_object()) {
    findings_.problem(object_->line(), path_, "an object is expected here, not " + std::string(object_->kind()));
    object_ = nullptr;
  }
}

Section::~Section() {
  if (object_ == nullptr || accept_all_) return;
  for (const auto& [key, value] : object_->members()) {
    if (std::find(known_.begin(), known_.end(), key) == known_.end()) {
      findings_.problem(value.line(), path_of(key), "unknown key" + base::did_you_mean(key, known_));
    }
  }
}

const Json* Section::take(const std::string& key) {
  known_.push_back(key);
  const Json* value = object_ == nullptr ? nullptr : object_->find(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::size_t Section::line_of(const std::string& key) const {
  if (object_ == nullptr) return 0;
  const Json* value = object_->find(key);
  return value == nullptr ? object_->line() : value->line();
}

void Section::problem(const std::string& key, const std::string& reason) {
  findings_.problem(line_of(key), key.empty() ? path_ : path_of(key), reason);
}

void Section::warning(const std::string& key, const std::string& reason) {
  findings_.warning(line_of(key), key.empty() ? path_ : path_of(key), reason);
}

void Section::wrong_type(const std::string& key, const Json& value, const std::string& expected) {
  problem(key, expected + " is expected, not " + std::string(value.kind()));
}

std::optional<std::string> Section::text(const std::string& key) {
  const Json* value = take(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) {
    wrong_type(key, *value, "a text");
    return std::nullopt;
  }
  if (value->as_string().find('\0') != std::string::npos) {
    problem(key, "a text must not hold the character U+0000");
    return std::nullopt;
  }
  return value->as_string();
}

std::string Section::required_text(const std::string& key, const std::string& what) {
  const bool given = object_ != nullptr && object_->find(key) != nullptr && !object_->find(key)->is_null();
  const std::string value = text(key).value_or("");
  if (object_ != nullptr && value.empty() && (!given || object_->find(key)->is_string()))
    problem(key, "is missing: " + what);
  return value;
}

std::optional<std::int64_t> Section::whole_number(const std::string& key) {
  const Json* value = take(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_integer()) {
    wrong_type(key, *value, "a whole number");
    return std::nullopt;
  }
  return value->as_integer();
}

std::optional<bool> Section::on_or_off(const std::string& key) {
  const Json* value = take(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_bool()) {
    wrong_type(key, *value, "true or false");
    return std::nullopt;
  }
  return value->as_bool();
}

const Json* Section::object(const std::string& key) {
  return take(key);
}

const Json::Array& Section::list(const std::string& key) {
  static const Json::Array nothing;
  const Json* value = take(key);
  if (value == nullptr) return nothing;
  if (!value->is_array()) {
    wrong_type(key, *value, "a list");
    return nothing;
  }
  return value->items();
}

void Section::secret(const std::string& key, Settings& settings) {
  const Json* value = take(key);
  if (value == nullptr) return;
  std::optional<SecretSource> source;
  if (value->is_string()) {
    if (value->as_string().empty()) return;  // an empty box of the form
    source = SecretSource::literal(value->as_string());
    if (findings_.file_readable_by_others) {
      warning(key,
              "this secret stands in a file that others can read; make the file private (chmod 600), or name an "
              "environment variable {\"env\": ...} or a private file {\"file\": ...}");
    }
  } else if (value->is_object()) {
    Section form(value, path_of(key), findings_);
    const auto variable = form.text("env");
    const auto file = form.text("file");
    if (variable.has_value() == file.has_value()) {
      problem(key, "a secret is a text, {\"env\": NAME} or {\"file\": PATH}");
      return;
    }
    source = variable ? SecretSource::environment(*variable) : SecretSource::file(findings_.file.parent_path() / *file);
    if (file && base::readable_by_others(source->path())) {
      warning(key, "others can read the file " + source->path().string() + "; make it private (chmod 600)");
    }
  } else {
    wrong_type(key, *value, "a text, {\"env\": NAME} or {\"file\": PATH}");
    return;
  }
  try {
    settings.set(key, source->read());
    settings.set_secret(key, *source);
  } catch (const SecretError& error) {
    problem(key, error.what());
  }
}

void Section::field(const Field& field, Settings& settings) {
  if (field.type == MAILPLUGIN_FIELD_SECRET) {
    secret(field.key, settings);
    return;
  }
  const Json* value = take(field.key);
  if (value == nullptr) return;
  if (field.type == MAILPLUGIN_FIELD_SWITCH) {
    if (const auto on = on_or_off(field.key)) settings.set(field.key, *on ? "true" : "false");
  } else if (field.type == MAILPLUGIN_FIELD_NUMBER && value->is_integer()) {
    settings.set(field.key, std::to_string(value->as_integer()));
  } else if (value->is_string()) {
    // An empty box of the form is nothing given ("port": "").
    if (const auto given = text(field.key); given && !given->empty()) settings.set(field.key, *given);
  } else {
    wrong_type(field.key, *value, field.type == MAILPLUGIN_FIELD_NUMBER ? "a whole number" : "a text");
  }
}

void Section::fields(const Form& form, Scope scope, Settings& settings) {
  for (const Field& one : form.fields) {
    if (one.scope == scope && std::find(known_.begin(), known_.end(), one.key) == known_.end()) field(one, settings);
  }
}

}  // namespace configurator
