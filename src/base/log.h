// What the operator reads: one JSON object per line. Where it goes is decided in server/.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <variant>

namespace stagedoor::base {

enum class LogLevel { debug, info, warning, error };

// A named value. There is no way to make one from a Secret.
struct LogField {
  std::string_view name;
  std::variant<std::string_view, std::int64_t, double> value;

  LogField(std::string_view field, std::string_view text) : name(field), value(text) {}
  LogField(std::string_view field, const char* text) : name(field), value(std::string_view(text)) {}
  LogField(std::string_view field, std::integral auto number)
      : name(field), value(static_cast<std::int64_t>(number)) {}
  LogField(std::string_view field, double number) : name(field), value(number) {}
};

// Safe for concurrent use.
class Log {
 public:
  virtual ~Log() = default;
  virtual bool writes(LogLevel level) const = 0;
  // `event` is one dotted word, as in docs/reference/logs.md.
  virtual void write(LogLevel level, std::string_view event,
                     std::initializer_list<LogField> fields) = 0;
};

}  // namespace stagedoor::base
