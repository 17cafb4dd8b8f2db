// Strict JSON (RFC 8259) from strangers: whole text checked, depth bounded, a member named twice
// refused (two readers of one text must not see two different things).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <simdjson.h>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace stagedoor::base {

inline constexpr std::size_t json_depth_max = 32;

// A value inside a parsed text; valid as long as its JsonReader does not parse another.
class Json {
 public:
  explicit Json(simdjson::dom::element element) : element_(element) {}

  bool is_object() const { return element_.is_object(); }
  bool is_null() const { return element_.is_null(); }
  // The named member of an object; nullopt: not there, or not an object.
  std::optional<Json> member(std::string_view name) const;
  std::optional<std::string_view> text() const;
  // A whole number that fits: 12 and -3, not 12.0 or "12".
  std::optional<std::int64_t> integer() const;
  // true or false.
  std::optional<bool> flag() const;
  // Any number.
  std::optional<double> number() const;
  simdjson::dom::element element() const { return element_; }

 private:
  simdjson::dom::element element_;
};

// Keeps the memory between texts. Not safe for concurrent use: one per thread.
class JsonReader {
 public:
  // `malformed`, with a hint that says what is wrong: not JSON, too deep, a member named twice.
  Result<Json> read(std::string_view text);

 private:
  simdjson::dom::parser parser_;
  std::string padded_;
};

// Appends `text` as a JSON string with its quotes. Invalid UTF-8 becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);

}  // namespace stagedoor::base
