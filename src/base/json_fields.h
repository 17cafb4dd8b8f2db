// Reads the members of one JSON object by name and remembers what is wrong with the first that is.
//
//   JsonFields fields(object);
//   const auto name = fields.text("name", {.bytes_max = 100});
//   const auto limit = fields.integer("limit", 1, 100);
//   if (const auto read = fields.finish(); !read) return base::fail(read.error());
//
// `finish` also refuses members that nobody asked for, so that a misspelt limit is not silently no
// limit. A member that is null counts as absent.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace stagedoor::base {

// Not safe for concurrent use. Valid as long as the Json that it reads.
class JsonFields {
 public:
  // `where` is put before names in hints: "leash." for the members of an object inside.
  explicit JsonFields(const Json& object, std::string where = {});

  // Absent, or of another kind, or too long: nullopt; the last two are remembered as wrong.
  std::optional<std::string> text(std::string_view name, std::size_t bytes_max);
  std::optional<std::int64_t> integer(std::string_view name, std::int64_t least, std::int64_t most);
  // At most `count_max` texts of at most `bytes_max`. Absent: none.
  std::vector<std::string> texts(std::string_view name, std::size_t count_max,
                                 std::size_t bytes_max);
  // One of `choices`.
  std::optional<std::string> choice(std::string_view name,
                                    std::initializer_list<std::string_view> choices);
  // An object as compact JSON of at most `bytes_max`.
  std::optional<std::string> object_text(std::string_view name, std::size_t bytes_max);
  // An object to be read by its own JsonFields, whose `finish` is asked with it.
  std::optional<Json> object(std::string_view name);

  // Remembers that the member is wrong; `what` follows its name: "must be ...".
  void refuse(std::string_view name, std::string_view what);

  // `malformed` with a hint that names the first member at fault.
  Result<Done> finish();

 private:
  std::optional<Json> take(std::string_view name);

  Json object_;
  std::string where_;
  std::vector<std::string_view> asked_;
  std::string wrong_;
};

}  // namespace stagedoor::base
