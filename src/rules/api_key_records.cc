#include "rules/api_key_records.h"

#include <array>
#include <charconv>

namespace stagedoor::rules {
namespace {

std::optional<std::int64_t> number_of(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::string text_of(const ApiKeyCursor& cursor) {
  return cursor.app_id + "." + std::string(name_of(cursor.environment)) + "." +
         std::to_string(cursor.number);
}

std::optional<ApiKeyCursor> read_api_key_cursor(std::string_view text) {
  if (text.size() > 128) return std::nullopt;
  std::array<std::string_view, 3> parts;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto dot = text.find('.');
    if ((dot == text.npos) != (i + 1 == parts.size())) return std::nullopt;
    parts[i] = text.substr(0, dot);
    text = dot == text.npos ? std::string_view() : text.substr(dot + 1);
  }
  const auto number = number_of(parts[2]);
  if (!number || (parts[1] != "live" && parts[1] != "test")) return std::nullopt;
  ApiKeyCursor cursor;
  cursor.app_id = parts[0];
  cursor.environment = parts[1] == "live" ? Environment::live : Environment::test;
  cursor.number = *number;
  return cursor;
}

}  // namespace stagedoor::rules
