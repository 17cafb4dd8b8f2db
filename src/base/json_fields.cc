#include "base/json_fields.h"

#include <algorithm>

#include "base/text.h"

namespace stagedoor::base {

JsonFields::JsonFields(const Json& object, std::string where)
    : object_(object), where_(std::move(where)) {
  if (!object_.is_object()) wrong_ = "The body must be a JSON object.";
}

std::optional<Json> JsonFields::take(std::string_view name) {
  asked_.push_back(name);
  auto member = object_.member(name);
  if (member && member->is_null()) return std::nullopt;
  return member;
}

void JsonFields::refuse(std::string_view name, std::string_view what) {
  if (wrong_.empty()) wrong_ = where_ + std::string(name) + " " + std::string(what);
}

std::optional<std::string> JsonFields::text(std::string_view name, std::size_t bytes_max) {
  const auto member = take(name);
  if (!member) return std::nullopt;
  const auto text = member->text();
  if (text && text->size() <= bytes_max) return std::string(*text);
  refuse(name, "must be a text of at most " + std::to_string(bytes_max) + " bytes.");
  return std::nullopt;
}

std::optional<std::int64_t> JsonFields::integer(std::string_view name, std::int64_t least,
                                                std::int64_t most) {
  const auto member = take(name);
  if (!member) return std::nullopt;
  const auto number = member->integer();
  if (number && *number >= least && *number <= most) return number;
  refuse(name, "must be a whole number from " + std::to_string(least) + " to " +
                   std::to_string(most) + ".");
  return std::nullopt;
}

std::vector<std::string> JsonFields::texts(std::string_view name, std::size_t count_max,
                                           std::size_t bytes_max) {
  std::vector<std::string> list;
  const auto member = take(name);
  if (!member) return list;
  simdjson::dom::array array;
  bool is_right =
      member->element().get_array().get(array) == simdjson::SUCCESS && array.size() <= count_max;
  if (is_right) {
    for (const auto element : array) {
      std::string_view text;
      is_right = is_right && element.get_string().get(text) == simdjson::SUCCESS &&
                 text.size() <= bytes_max;
      if (is_right) list.emplace_back(text);
    }
  }
  if (is_right) return list;
  refuse(name, "must be a list of at most " + std::to_string(count_max) + " texts of at most " +
                   std::to_string(bytes_max) + " bytes.");
  return {};
}

std::optional<std::string> JsonFields::choice(std::string_view name,
                                              std::initializer_list<std::string_view> choices) {
  const auto member = take(name);
  if (!member) return std::nullopt;
  const auto text = member->text();
  if (text && std::ranges::find(choices, *text) != choices.end()) return std::string(*text);
  std::string what = "must be one of";
  for (const auto* one = choices.begin(); one != choices.end(); ++one)
    what.append(one == choices.begin() ? " " : ", ").append(*one);
  refuse(name, what + ".");
  return std::nullopt;
}

std::optional<std::string> JsonFields::object_text(std::string_view name, std::size_t bytes_max) {
  const auto member = take(name);
  if (!member) return std::nullopt;
  if (member->is_object()) {
    std::string compact = simdjson::minify(member->element());
    if (compact.size() <= bytes_max) return compact;
  }
  refuse(name, "must be a JSON object of at most " + std::to_string(bytes_max) + " bytes.");
  return std::nullopt;
}

std::optional<Json> JsonFields::object(std::string_view name) {
  auto member = take(name);
  if (!member || member->is_object()) return member;
  refuse(name, "must be a JSON object.");
  return std::nullopt;
}

Result<Done> JsonFields::finish() {
  simdjson::dom::object members;
  if (wrong_.empty() && object_.element().get_object().get(members) == simdjson::SUCCESS) {
    for (const auto& [name, value] : members) {
      if (std::ranges::find(asked_, name) != asked_.end()) continue;
      const auto nearest = std::ranges::min_element(asked_, {}, [&](std::string_view known) {
        return edit_distance(name.substr(0, 64), known);
      });
      wrong_ = where_ + std::string(name.substr(0, 64)) + " is not known here";
      if (nearest != asked_.end()) wrong_ += "; did you mean " + std::string(*nearest) + "?";
      break;
    }
  }
  if (wrong_.empty()) return Done{};
  return fail(ErrorCode::malformed, "a member of the body", wrong_);
}

}  // namespace stagedoor::base
