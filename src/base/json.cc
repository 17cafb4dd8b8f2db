#include "base/json.h"

#include <algorithm>
#include <array>
#include <boost/container/small_vector.hpp>

namespace stagedoor::base {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

// The first member name that an object somewhere inside holds twice.
std::optional<std::string> name_given_twice(element value) {
  if (array items; value.get(items) == simdjson::SUCCESS) {
    for (const auto item : items)
      if (auto name = name_given_twice(item)) return name;
    return std::nullopt;
  }
  object members;
  if (value.get(members) != simdjson::SUCCESS) return std::nullopt;
  boost::container::small_vector<std::string_view, 16> names;
  for (const auto member : members) {
    names.push_back(member.key);
    if (auto name = name_given_twice(member.value)) return name;
  }
  std::ranges::sort(names);
  const auto twice = std::ranges::adjacent_find(names);
  if (twice == names.end()) return std::nullopt;
  return std::string(twice->substr(0, 64));
}

constexpr std::array<bool, 256> is_plain = [] {
  std::array<bool, 256> table{};
  for (std::size_t byte = 0x20; byte < 0x80; ++byte) table[byte] = byte != '"' && byte != '\\';
  return table;
}();

// Where the run of characters ends that a JSON string holds as they are: ASCII, but for the quote,
// the backslash and the controls.
std::size_t plain_until(std::string_view text, std::size_t at) {
  while (at < text.size() && is_plain[static_cast<unsigned char>(text[at])]) ++at;
  return at;
}

// Length of the valid UTF-8 sequence at `at` (Unicode table 3-7); 0 where there is none.
std::size_t utf8_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) -> unsigned {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0u;
  };
  const auto continues = [&](std::size_t i) { return (byte(i) & 0xc0) == 0x80; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return continues(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const bool in_range = !(first == 0xe0 && byte(1) < 0xa0) && !(first == 0xed && byte(1) > 0x9f);
    return in_range && continues(1) && continues(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const bool in_range = !(first == 0xf0 && byte(1) < 0x90) && !(first == 0xf4 && byte(1) > 0x8f);
    return in_range && continues(1) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

std::optional<Json> Json::member(std::string_view name) const {
  object members;
  if (element_.get(members) != simdjson::SUCCESS) return std::nullopt;
  simdjson::dom::element found;
  if (members.at_key(name).get(found) != simdjson::SUCCESS) return std::nullopt;
  return Json(found);
}

std::optional<std::string_view> Json::text() const {
  std::string_view text;
  if (element_.get(text) != simdjson::SUCCESS) return std::nullopt;
  return text;
}

std::optional<std::int64_t> Json::integer() const {
  if (!element_.is_int64()) return std::nullopt;
  return element_.get_int64().value_unsafe();
}

std::optional<bool> Json::flag() const {
  if (!element_.is_bool()) return std::nullopt;
  return element_.get_bool().value_unsafe();
}

std::optional<double> Json::number() const {
  if (!element_.is_number()) return std::nullopt;
  return element_.get_double().value_unsafe();
}

Result<Json> JsonReader::read(std::string_view text) {
  padded_.reserve(text.size() + simdjson::SIMDJSON_PADDING);
  padded_.assign(text);
  if (parser_.max_depth() != json_depth_max || parser_.capacity() < text.size()) {
    const auto room = std::max<std::size_t>(text.size(), 4096);
    if (parser_.allocate(room, json_depth_max) != simdjson::SUCCESS)
      return fail(ErrorCode::unavailable, "no memory for JSON");
  }
  element root;
  const auto error = parser_.parse(padded_.data(), padded_.size(), false).get(root);
  if (error == simdjson::DEPTH_ERROR) {
    return fail(ErrorCode::malformed, "JSON too deep", "The JSON is nested deeper than 32 levels.");
  }
  if (error != simdjson::SUCCESS) {
    return fail(ErrorCode::malformed, simdjson::error_message(error),
                "The body is not valid JSON.");
  }
  if (const auto name = name_given_twice(root)) {
    return fail(ErrorCode::malformed, "JSON member given twice",
                "The JSON names the member \"" + *name + "\" twice.");
  }
  return Json(root);
}

void append_json_string(std::string& out, std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  out += '"';
  for (std::size_t at = 0; at < text.size();) {
    if (const auto end = plain_until(text, at); end > at) {
      out.append(text, at, end - at);
      at = end;
      continue;
    }
    const char c = text[at];
    const auto length = utf8_length(text, at);
    if (length == 0) {
      out += "\xef\xbf\xbd";
      ++at;
      continue;
    }
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (length == 1 && static_cast<unsigned char>(c) < 0x20) {
      out += "\\u00";
      out += digits[static_cast<unsigned char>(c) >> 4];
      out += digits[static_cast<unsigned char>(c) & 15];
    } else {
      out += text.substr(at, length);
    }
    at += length;
  }
  out += '"';
}

}  // namespace stagedoor::base
