// Writes one JSON object, member after member.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/json.h"

namespace stagedoor::base {

// Appends to `out`, which must stay; `end` closes the object.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) { out_ += '{'; }

  JsonWriter& text(std::string_view name, std::string_view value) {
    append_json_string(begin(name), value);
    return *this;
  }
  // null where it is empty.
  JsonWriter& text_or_null(std::string_view name, std::string_view value) {
    return value.empty() ? json(name, "null") : text(name, value);
  }
  JsonWriter& number(std::string_view name, std::int64_t value) {
    begin(name) += std::to_string(value);
    return *this;
  }
  JsonWriter& texts(std::string_view name, std::span<const std::string> values) {
    auto& out = begin(name);
    out += '[';
    for (const auto& value : values) {
      if (&value != &values.front()) out += ',';
      append_json_string(out, value);
    }
    out += ']';
    return *this;
  }
  // What is JSON already.
  JsonWriter& json(std::string_view name, std::string_view value) {
    begin(name) += value;
    return *this;
  }
  // The name of a member whose value the caller appends to what is returned.
  std::string& begin(std::string_view name) {
    if (!is_first_) out_ += ',';
    is_first_ = false;
    append_json_string(out_, name);
    return out_ += ':';
  }
  void end() { out_ += '}'; }

 private:
  std::string& out_;
  bool is_first_ = true;
};

}  // namespace stagedoor::base
