#include "base/json_shape.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace stagedoor::base {
namespace {

using simdjson::dom::element;

std::string number_text(element value) {
  if (std::int64_t whole; value.get(whole) == simdjson::SUCCESS) return std::to_string(whole);
  if (std::uint64_t whole; value.get(whole) == simdjson::SUCCESS) return std::to_string(whole);
  double number = 0;
  if (value.get_double().get(number) != simdjson::SUCCESS) return "0";
  if (number == 0) return "0";                    // also for -0
  constexpr double whole_max = 9007199254740992;  // 2^53
  if (std::abs(number) < whole_max && number == std::floor(number))
    return std::to_string(static_cast<std::int64_t>(number));
  return fmt::format("{}", number);
}

using NamedText = std::pair<std::string_view, std::string>;

std::string object_text(std::vector<NamedText> members) {
  std::ranges::sort(members, {}, &NamedText::first);
  std::string out = "{";
  for (const auto& [name, text] : members) {
    if (out.size() > 1) out += ',';
    append_json_string(out, name);
    out += ':';
    out += text;
  }
  return out + '}';
}

std::string wrong_type(const std::string& path, std::string_view wanted,
                       std::vector<FieldFault>& faults) {
  add_fault(faults, path, "invalid_type", fmt::format("must be {}", wanted));
  return {};
}

std::string in_range(const Json& json, double least, double most, const std::string& path,
                     std::vector<FieldFault>& faults) {
  double number = 0;
  if (json.element().get_double().get(number) == simdjson::SUCCESS && number >= least &&
      number <= most)
    return number_text(json.element());
  add_fault(faults, path, "out_of_range", fmt::format("must be from {} to {}", least, most));
  return {};
}

// Of lists and objects, `value` counted; 0 for what is neither. The reader has bounded it.
std::size_t depth_of(element value) {
  std::size_t inside = 0;
  if (simdjson::dom::array items; value.get(items) == simdjson::SUCCESS) {
    for (const auto item : items) inside = std::max(inside, depth_of(item));
  } else if (simdjson::dom::object members; value.get(members) == simdjson::SUCCESS) {
    for (const auto member : members) inside = std::max(inside, depth_of(member.value));
  } else {
    return 0;
  }
  return inside + 1;
}

}  // namespace

void add_fault(std::vector<FieldFault>& faults, std::string path, std::string_view code,
               std::string message) {
  if (faults.size() < field_faults_max)
    faults.push_back({std::move(path), std::string(code), std::move(message)});
}

std::string member_path(std::string_view path, std::string_view name) {
  // A stranger chooses some names, and their length.
  return fmt::format("{}{}{}", path, path.empty() ? "" : ".", name.substr(0, 64));
}

std::size_t character_count(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

void append_canonical(std::string& out, const Json& json) {
  const auto value = json.element();
  if (simdjson::dom::array items; value.get(items) == simdjson::SUCCESS) {
    char before = '[';
    if (items.size() == 0) out += before;
    for (const auto item : items) {
      out += std::exchange(before, ',');
      append_canonical(out, Json(item));
    }
    out += ']';
  } else if (simdjson::dom::object members; value.get(members) == simdjson::SUCCESS) {
    std::vector<NamedText> texts;
    for (const auto member : members) {
      std::string text;
      append_canonical(text, Json(member.value));
      texts.emplace_back(member.key, std::move(text));
    }
    out += object_text(std::move(texts));
  } else if (const auto text = json.text()) {
    append_json_string(out, *text);
  } else if (bool flag = false; value.get(flag) == simdjson::SUCCESS) {
    out += flag ? "true" : "false";
  } else {
    out += json.is_null() ? "null" : number_text(value);
  }
}

JsonShape JsonShape::text(TextLimits limits) {
  return JsonShape([limits](const Json& json, const std::string& path, auto& faults) {
    const auto text = json.text();
    if (!text) return wrong_type(path, "a text", faults);
    std::string canonical;
    const auto count = character_count(*text);
    if (count < limits.characters_min) {
      add_fault(faults, path, "missing", "must not be empty");
    } else if (count > limits.characters_max) {
      add_fault(faults, path, "too_long",
                fmt::format("must have at most {} characters", limits.characters_max));
    } else if (limits.is_good != nullptr && !limits.is_good(*text)) {
      add_fault(faults, path, "invalid_form", fmt::format("must be {}", limits.must_be));
    } else {
      append_json_string(canonical, *text);
    }
    return canonical;
  });
}

JsonShape JsonShape::choice(std::initializer_list<std::string_view> choices) {
  return JsonShape(
      [list = std::vector(choices)](const Json& json, const std::string& path, auto& faults) {
        std::string canonical;
        const auto text = json.text();
        if (text && std::ranges::find(list, *text) != list.end()) {
          append_json_string(canonical, *text);
        } else {
          add_fault(faults, path, text ? "invalid_choice" : "invalid_type",
                    fmt::format("must be one of {}", fmt::join(list, ", ")));
        }
        return canonical;
      });
}

JsonShape JsonShape::flag() {
  return JsonShape([](const Json& json, const std::string& path, auto& faults) -> std::string {
    bool flag = false;
    if (json.element().get(flag) != simdjson::SUCCESS)
      return wrong_type(path, "true or false", faults);
    return flag ? "true" : "false";
  });
}

JsonShape JsonShape::number(double least, double most) {
  return JsonShape([least, most](const Json& json, const std::string& path, auto& faults) {
    if (!json.element().is_number()) return wrong_type(path, "a number", faults);
    return in_range(json, least, most, path, faults);
  });
}

JsonShape JsonShape::whole(std::int64_t least, std::int64_t most) {
  return JsonShape([least, most](const Json& json, const std::string& path, auto& faults) {
    if (!json.integer() && !json.element().is_uint64())
      return wrong_type(path, "a whole number", faults);
    return in_range(json, static_cast<double>(least), static_cast<double>(most), path, faults);
  });
}

JsonShape JsonShape::list(JsonShape each, std::size_t count_max) {
  return JsonShape([each = std::move(each), count_max](const Json& json, const std::string& path,
                                                       auto& faults) -> std::string {
    simdjson::dom::array items;
    if (json.element().get(items) != simdjson::SUCCESS) return wrong_type(path, "a list", faults);
    if (items.size() > count_max) {
      add_fault(faults, path, "too_many", fmt::format("must have at most {} entries", count_max));
      return {};
    }
    std::string canonical = "[";
    std::size_t index = 0;
    for (const auto item : items) {
      if (index > 0) canonical += ',';
      canonical += each.read(Json(item), fmt::format("{}[{}]", path, index++), faults);
    }
    return canonical + ']';
  });
}

JsonShape JsonShape::map(JsonShape each, std::size_t count_max) {
  return JsonShape([each = std::move(each), count_max](const Json& json, const std::string& path,
                                                       auto& faults) -> std::string {
    simdjson::dom::object members;
    if (json.element().get(members) != simdjson::SUCCESS)
      return wrong_type(path, "an object", faults);
    if (members.size() > count_max) {
      add_fault(faults, path, "too_many", fmt::format("must have at most {} members", count_max));
      return {};
    }
    std::vector<NamedText> texts;
    for (const auto member : members)
      texts.emplace_back(member.key,
                         each.read(Json(member.value), member_path(path, member.key), faults));
    return object_text(std::move(texts));
  });
}

JsonShape JsonShape::any_object(std::size_t bytes_max) {
  return JsonShape([bytes_max](const Json& json, const std::string& path, auto& faults) {
    if (!json.is_object()) return wrong_type(path, "an object", faults);
    std::string canonical;
    if (depth_of(json.element()) > any_object_depth_max) {
      add_fault(faults, path, "too_deep",
                fmt::format("must be nested at most {} deep", any_object_depth_max));
      return canonical;
    }
    append_canonical(canonical, json);
    if (canonical.size() > bytes_max) {
      add_fault(faults, path, "too_long", fmt::format("must have at most {} bytes", bytes_max));
      canonical.clear();
    }
    return canonical;
  });
}

JsonShape JsonShape::object(std::vector<Member> members, Others others, Between between) {
  return JsonShape([members = std::move(members), others, between = std::move(between)](
                       const Json& json, const std::string& path, auto& faults) -> std::string {
    simdjson::dom::object found;
    if (json.element().get(found) != simdjson::SUCCESS)
      return wrong_type(path, "an object", faults);
    const auto faults_before = faults.size();
    std::vector<NamedText> texts;
    for (const auto& [name, shape, presence] : members) {
      const auto member = json.member(name);
      if (member && !member->is_null()) {
        texts.emplace_back(name, shape.read(*member, member_path(path, name), faults));
      } else if (presence == Presence::required) {
        add_fault(faults, member_path(path, name), "missing", "is required");
      }
    }
    for (const auto member : found) {
      if (others == Others::refused &&
          std::ranges::find(members, member.key, &Member::name) == members.end())
        add_fault(faults, member_path(path, member.key), "unknown_member", "is not known here");
    }
    if (faults.size() > faults_before) return {};
    if (between) between(json, path, faults);
    return object_text(std::move(texts));
  });
}

}  // namespace stagedoor::base
