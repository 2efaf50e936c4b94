#include "m365/graph/filter.h"

#include <algorithm>
#include <charconv>
#include <variant>

#include "m365/graph/graph_error.h"
#include "m365/graph/properties.h"
#include "m365/graph/render.h"
#include "m365/mime/text.h"

namespace embedded {
namespace {

using Value = std::variant<std::monostate, bool, double, Time, std::string>;

enum class Kind { all, any, negation, compare, function, lambda_property, lambda_category };
enum class Operator { eq, ne, gt, ge, lt, le };

constexpr std::size_t kDepthLimit = 100;

Value property_of(const Mailbox& mailbox, const Message& message, const std::string& name) {
  if (name == "receivedDateTime") return message.received;
  if (name == "sentDateTime") return message.sent_time;
  if (name == "createdDateTime") return message.created;
  if (name == "lastModifiedDateTime") return message.modified;
  if (name == "isRead") return message.is_read;
  if (name == "isDraft") return message.is_draft;
  if (name == "hasAttachments") return message.has_real_attachments();
  if (name == "subject") return message.subject ? Value(*message.subject) : Value();
  if (name == "internetMessageId") return message.internet_message_id;
  if (name == "conversationId") return conversation_id_text(mailbox, message);
  if (name == "parentFolderId") return mailbox.id_of(*message.folder);
  if (name == "importance") return message.importance;
  if (name == "inferenceClassification") return message.inference;
  if (name == "flag/flagStatus") return message.flag.text("flagStatus", "notFlagged");
  if (name == "from/emailAddress/address") return message.from ? Value(message.from->address) : Value();
  if (name == "from/emailAddress/name") return message.from ? Value(message.from->name) : Value();
  if (name == "sender/emailAddress/address") return message.sender ? Value(message.sender->address) : Value();
  if (name == "sender/emailAddress/name") return message.sender ? Value(message.sender->name) : Value();
  return {};
}

enum class Type { time, boolean, text, unknown };

Type type_of(std::string_view name) {
  for (const std::string_view known : {"receivedDateTime", "sentDateTime", "createdDateTime", "lastModifiedDateTime"}) {
    if (name == known) return Type::time;
  }
  for (const std::string_view known : {"isRead", "isDraft", "hasAttachments"}) {
    if (name == known) return Type::boolean;
  }
  for (const std::string_view known :
       {"subject", "internetMessageId", "conversationId", "parentFolderId", "importance", "inferenceClassification",
        "flag/flagStatus", "from/emailAddress/address", "from/emailAddress/name", "sender/emailAddress/address",
        "sender/emailAddress/name"}) {
    if (name == known) return Type::text;
  }
  return Type::unknown;
}

template <typename T>
bool ordered(Operator op, const T& a, const T& b) {
  switch (op) {
    case Operator::eq:
      return a == b;
    case Operator::ne:
      return a != b;
    case Operator::gt:
      return a > b;
    case Operator::ge:
      return a >= b;
    case Operator::lt:
      return a < b;
    case Operator::le:
      return a <= b;
  }
  return false;
}

// Exchange compares text without case; ids and Message-IDs exactly.
bool is_exact(std::string_view name) {
  return name == "internetMessageId" || name == "conversationId" || name == "parentFolderId";
}

}  // namespace

struct Filter::Node {
  Kind kind = Kind::compare;
  Operator op = Operator::eq;
  std::string name;      // property, or function, or normal id of an extended property
  std::string function;  // of a lambda: eq, contains, startswith; of a function node its name
  Value value;
  bool numeric = false;
  std::vector<std::unique_ptr<Node>> children;
};

namespace {

using NodePtr = std::unique_ptr<Filter::Node>;

class FilterReader {
 public:
  FilterReader(std::string_view text, std::vector<std::string>& properties) : text_(text), properties_(properties) {}

  NodePtr read() {
    NodePtr root = either();
    blanks();
    if (at_ < text_.size()) fail("nothing is expected here");
    return root;
  }

 private:
  [[noreturn]] void fail(const std::string& why) const {
    throw GraphError(
        400, "ErrorInvalidUrlQueryFilter",
        "The query filter contains one or more invalid nodes: at position " + std::to_string(at_) + " " + why + ".");
  }

  void blanks() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }

  bool take(std::string_view symbol) {
    blanks();
    if (text_.substr(at_, symbol.size()) != symbol) return false;
    at_ += symbol.size();
    return true;
  }

  void need(std::string_view symbol) {
    if (!take(symbol)) fail("'" + std::string(symbol) + "' is expected");
  }

  static bool is_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '/' ||
           c == '.';
  }

  std::string_view peek_word() {
    blanks();
    std::size_t end = at_;
    while (end < text_.size() && is_name(text_[end])) ++end;
    return text_.substr(at_, end - at_);
  }

  std::string word() {
    const auto found = peek_word();
    if (found.empty()) fail("a name is expected");
    at_ += found.size();
    return std::string(found);
  }

  bool take_word(std::string_view wanted) {
    if (peek_word() != wanted) return false;
    at_ += wanted.size();
    return true;
  }

  NodePtr join(Kind kind, NodePtr first, NodePtr second) {
    if (first->kind != kind) {
      auto node = std::make_unique<Filter::Node>();
      node->kind = kind;
      node->children.push_back(std::move(first));
      first = std::move(node);
    }
    first->children.push_back(std::move(second));
    return first;
  }

  NodePtr either() {
    NodePtr left = both();
    while (take_word("or")) left = join(Kind::any, std::move(left), both());
    return left;
  }

  NodePtr both() {
    NodePtr left = unit();
    while (take_word("and")) left = join(Kind::all, std::move(left), unit());
    return left;
  }

  NodePtr unit() {
    if (++depth_ > kDepthLimit) fail("it is nested too deep");
    NodePtr node;
    if (take_word("not")) {
      node = std::make_unique<Filter::Node>();
      node->kind = Kind::negation;
      node->children.push_back(unit());
    } else if (take("(")) {
      node = std::make_unique<Filter::Node>();
      node->kind = Kind::all;  // keeps a parenthesised "or" apart from its surroundings
      node->children.push_back(either());
      need(")");
    } else {
      node = comparison();
    }
    --depth_;
    return node;
  }

  std::string string_literal() {
    need("'");
    std::string value;
    for (;; ++at_) {
      if (at_ >= text_.size()) fail("a string has no end");
      if (text_[at_] == '\'') {
        if (at_ + 1 >= text_.size() || text_[at_ + 1] != '\'') break;
        ++at_;
      }
      value += text_[at_];
    }
    ++at_;
    return value;
  }

  Value literal(Type type) {
    blanks();
    if (at_ < text_.size() && text_[at_] == '\'') {
      if (type == Type::boolean) fail("true or false is expected");
      if (type == Type::time) fail("a time is expected");
      return string_literal();
    }
    std::size_t end = at_;
    while (end < text_.size() && text_[end] != ' ' && text_[end] != ')' && text_[end] != ',') ++end;
    const auto token = text_.substr(at_, end - at_);
    Value value;
    if (token == "null") {
    } else if (token == "true" || token == "false") {
      if (type != Type::boolean) fail("a value of another type is expected");
      value = token == "true";
    } else if (type == Type::time) {
      const auto time = parse_rfc3339(token);
      if (!time) fail("a time is expected");
      value = *time;
    } else {
      fail(token.empty() ? "a value is expected" : "the value has the wrong type");
    }
    at_ = end;
    return value;
  }

  Operator comparison_operator() {
    const std::string name = word();
    if (name == "eq") return Operator::eq;
    if (name == "ne") return Operator::ne;
    if (name == "gt") return Operator::gt;
    if (name == "ge") return Operator::ge;
    if (name == "lt") return Operator::lt;
    if (name == "le") return Operator::le;
    fail("'" + name + "' is no operator");
  }

  void mention(const std::string& name) {
    if (std::find(properties_.begin(), properties_.end(), name) == properties_.end()) properties_.push_back(name);
  }

  NodePtr comparison() {
    auto node = std::make_unique<Filter::Node>();
    const std::string name = word();
    if (name == "contains" || name == "startswith" || name == "endswith") {
      node->kind = Kind::function;
      node->function = name;
      need("(");
      node->name = word();
      if (type_of(node->name) != Type::text) fail("'" + node->name + "' is no text property");
      need(",");
      node->value = string_literal();
      need(")");
      mention(node->name);
      return node;
    }
    const auto slash = name.rfind('/');
    const std::string last = slash == std::string::npos ? std::string() : name.substr(slash + 1);
    if (equal_ignoring_case(last, "any")) return lambda(name.substr(0, slash));
    const Type type = type_of(name);
    if (type == Type::unknown) {
      throw GraphError(400, "BadRequest",
                       "Could not find a property named '" + name + "' on type 'microsoft.graph.message'.");
    }
    node->name = name;
    node->op = comparison_operator();
    node->value = literal(type);
    mention(name);
    return node;
  }

  NodePtr lambda(const std::string& collection) {
    auto node = std::make_unique<Filter::Node>();
    need("(");
    const std::string variable = word();
    need(":");
    if (collection == "categories") {
      node->kind = Kind::lambda_category;
      if (word() != variable) fail("the variable is expected");
      node->op = comparison_operator();
      if (node->op != Operator::eq) fail("only eq is possible here");
      node->value = string_literal();
    } else if (collection == "singleValueExtendedProperties") {
      node->kind = Kind::lambda_property;
      for (;;) {
        property_term(*node, variable);
        if (!take_word("and")) break;
      }
      if (node->name.empty()) fail("the id of the property is missing");
      if (node->function.empty()) fail("the value of the property is missing");
    } else {
      fail("'" + collection + "' cannot be filtered");
    }
    need(")");
    mention(collection);
    return node;
  }

  void property_term(Filter::Node& node, const std::string& variable) {
    std::string name = word();
    if (name == "contains" || name == "startswith") {
      need("(");
      if (word() != variable + "/value") fail("the value of the property is expected");
      need(",");
      node.function = name;
      node.value = string_literal();
      need(")");
      return;
    }
    bool cast = false;
    if (name == "cast") {
      need("(");
      name = word();
      need(",");
      word();
      need(")");
      cast = true;
    }
    const Operator op = comparison_operator();
    if (name == variable + "/id") {
      if (op != Operator::eq) fail("the id of a property is compared with eq");
      const auto id = normal_property_id(string_literal());
      if (!id) throw GraphError(400, "ErrorInvalidProperty", "The property id is invalid.");
      node.name = *id;
    } else if (name == variable + "/value") {
      node.op = op;
      node.function = "compare";
      blanks();
      if (cast && at_ < text_.size() && text_[at_] != '\'') {
        std::size_t end = at_;
        while (end < text_.size() && text_[end] != ' ' && text_[end] != ')') ++end;
        double value = 0;
        const auto token = text_.substr(at_, end - at_);
        if (std::from_chars(token.data(), token.data() + token.size(), value).ec != std::errc())
          fail("a number is expected");
        node.value = value;
        node.numeric = true;
        at_ = end;
      } else {
        node.value = string_literal();
      }
    } else {
      fail("'" + name + "' is neither id nor value of the property");
    }
  }

  std::string_view text_;
  std::vector<std::string>& properties_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
};

bool text_function(const std::string& function, std::string_view text, std::string_view part) {
  if (function == "contains") return contains_ignoring_case(text, part);
  if (function == "startswith") return starts_with_ignoring_case(text, part);
  return text.size() >= part.size() && equal_ignoring_case(text.substr(text.size() - part.size()), part);
}

bool matches_property(const Filter::Node& node, const Message& message) {
  const auto value = property_value(message, node.name);
  if (!value) return false;
  if (node.numeric) {
    double number = 0;
    if (std::from_chars(value->data(), value->data() + value->size(), number).ec != std::errc()) return false;
    return ordered(node.op, number, std::get<double>(node.value));
  }
  const auto& wanted = std::get<std::string>(node.value);
  if (node.function != "compare") return text_function(node.function, *value, wanted);
  return ordered(node.op, lower(*value), lower(wanted));  // section 13: the value without regard to case
}

bool evaluate(const Filter::Node& node, const Mailbox& mailbox, const Message& message) {
  const auto test = [&](const NodePtr& child) { return evaluate(*child, mailbox, message); };
  switch (node.kind) {
    case Kind::all:
      return std::all_of(node.children.begin(), node.children.end(), test);
    case Kind::any:
      return std::any_of(node.children.begin(), node.children.end(), test);
    case Kind::negation:
      return !test(node.children.front());
    case Kind::lambda_property:
      return matches_property(node, message);
    case Kind::lambda_category:
      return std::any_of(message.categories.begin(), message.categories.end(), [&](const std::string& category) {
        return equal_ignoring_case(category, std::get<std::string>(node.value));
      });
    case Kind::function: {
      const Value value = property_of(mailbox, message, node.name);
      const auto* text = std::get_if<std::string>(&value);
      return text != nullptr && text_function(node.function, *text, std::get<std::string>(node.value));
    }
    case Kind::compare:
      break;
  }
  const Value value = property_of(mailbox, message, node.name);
  if (value.index() != node.value.index()) {
    // null against something: equal to nothing else
    return node.op == Operator::ne;
  }
  if (const auto* text = std::get_if<std::string>(&value); text != nullptr && !is_exact(node.name)) {
    return ordered(node.op, lower(*text), lower(std::get<std::string>(node.value)));
  }
  return ordered(node.op, value, node.value);
}

void find_equality(const Filter::Node& node, std::optional<Filter::Equality>& found) {
  if (found) return;
  if (node.kind == Kind::all) {
    for (const auto& child : node.children) find_equality(*child, found);
  } else if (node.kind == Kind::compare && node.op == Operator::eq && node.name == "internetMessageId") {
    if (const auto* text = std::get_if<std::string>(&node.value)) found = Filter::Equality{node.name, *text};
  } else if (node.kind == Kind::lambda_property && node.function == "compare" && node.op == Operator::eq &&
             !node.numeric && node.name.find('{') != std::string::npos) {
    found = Filter::Equality{node.name, std::get<std::string>(node.value)};
  }
}

}  // namespace

Filter::Filter() = default;
Filter::~Filter() = default;
Filter::Filter(Filter&&) noexcept = default;
Filter& Filter::operator=(Filter&&) noexcept = default;

Filter Filter::parse(std::string_view text) {
  Filter filter;
  filter.root_ = FilterReader(text, filter.properties_).read();
  find_equality(*filter.root_, filter.equality_);
  return filter;
}

bool Filter::matches(const Mailbox& mailbox, const Message& message) const {
  return evaluate(*root_, mailbox, message);
}

std::optional<Filter::ReceivedFrom> Filter::received_from() const {
  const Node& node = *root_;
  if (node.kind != Kind::compare || node.name != "receivedDateTime") return std::nullopt;
  if (node.op != Operator::ge && node.op != Operator::gt) return std::nullopt;
  const auto* time = std::get_if<Time>(&node.value);
  if (time == nullptr) return std::nullopt;
  return ReceivedFrom{*time, node.op == Operator::ge};
}

}  // namespace embedded
