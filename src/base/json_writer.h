// Writes one JSON object, member after member.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/json.h"

namespace stagedoor::base {

// A member's name: a constant of ours that JSON holds as it is, which the compiler checks.
class JsonName {
 public:
  consteval JsonName(const char* text) : text_(text) {
    for (const char c : text_)
      if (c < 0x20 || c > 0x7e || c == '"' || c == '\\') throw "not plain ASCII";
  }
  constexpr operator std::string_view() const { return text_; }

 private:
  std::string_view text_;
};

// Appends to `out`, which must stay; `end` closes the object.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) { out_ += '{'; }

  JsonWriter& text(JsonName name, std::string_view value) {
    append_json_string(begin(name), value);
    return *this;
  }
  // null where it is empty.
  JsonWriter& text_or_null(JsonName name, std::string_view value) {
    return value.empty() ? json(name, "null") : text(name, value);
  }
  JsonWriter& number(JsonName name, std::int64_t value) {
    begin(name) += std::to_string(value);
    return *this;
  }
  template <class Texts>
  JsonWriter& texts(JsonName name, const Texts& values) {
    auto& out = begin(name);
    out += '[';
    bool is_first = true;
    for (const std::string_view value : values) {
      if (!std::exchange(is_first, false)) out += ',';
      append_json_string(out, value);
    }
    out += ']';
    return *this;
  }
  // What is JSON already.
  JsonWriter& json(JsonName name, std::string_view value) {
    begin(name) += value;
    return *this;
  }
  // The name of a member whose value the caller appends to what is returned.
  std::string& begin(JsonName name) {
    if (!is_first_) out_ += ',';
    is_first_ = false;
    return out_.append(1, '"').append(std::string_view(name)).append("\":");
  }
  void end() { out_ += '}'; }

 private:
  std::string& out_;
  bool is_first_ = true;
};

}  // namespace stagedoor::base
