// What a JSON value must look like, said once: it finds all that is wrong, and writes what is right
// in canonical form.
//
//   const auto shape = JsonShape::object({{"name", JsonShape::text({.characters_max = 100})},
//                                         {"speed", JsonShape::number(0.5, 2)}});
//   std::vector<FieldFault> faults;
//   const auto canonical = shape.read(json, "voice", faults);
//
// Canonical: members in the order of their bytes, no blanks, numbers in their shortest form,
// members that are null left out. Equal content has equal bytes.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace stagedoor::base {

// What is wrong with one member. `code` is one word for programs: missing, invalid_type,
// invalid_choice, invalid_form, out_of_range, too_long, too_many, too_deep, unknown_member,
// conflict, unknown_reference, unsupported.
struct FieldFault {
  std::string path;  // "personaConfig.tools[0].name"
  std::string code;
  std::string message;  // a sentence that says what would be right
  bool operator==(const FieldFault&) const = default;
};
inline constexpr std::size_t field_faults_max = 32;
// How deep an object of a form of its own may be nested, itself counted: so much less than a whole
// text (json_depth_max) that whatever it is kept in can be read again.
inline constexpr std::size_t any_object_depth_max = 24;
void add_fault(std::vector<FieldFault>& faults, std::string path, std::string_view code,
               std::string message);
// "personaConfig" and "name": "personaConfig.name".
std::string member_path(std::string_view path, std::string_view name);

// A value; cheap to copy. Safe for concurrent use.
class JsonShape {
 public:
  struct TextLimits {
    std::size_t characters_min = 0, characters_max = 256;
    // Where it is given: what the text must be besides, and the words that say so.
    bool (*is_good)(std::string_view) = nullptr;
    std::string_view must_be = {};
  };
  static JsonShape text(TextLimits limits);
  static JsonShape choice(std::initializer_list<std::string_view> choices);
  static JsonShape flag();
  static JsonShape number(double least, double most);
  static JsonShape whole(std::int64_t least, std::int64_t most);
  static JsonShape list(JsonShape each, std::size_t count_max);
  // An object with any member names.
  static JsonShape map(JsonShape each, std::size_t count_max);
  // Nested at most any_object_depth_max deep.
  static JsonShape any_object(std::size_t bytes_max);

  struct Member;
  enum class Others { ignored, refused };
  // What must hold between the members; called where each of them is right in itself.
  using Between = std::function<void(const Json& object, const std::string& path,
                                     std::vector<FieldFault>& faults)>;
  static JsonShape object(std::vector<Member> members, Others others = Others::ignored,
                          Between between = {});

  // The canonical form; empty where something was wrong with the value. Adds at most up to
  // field_faults_max faults.
  std::string read(const Json& json, const std::string& path,
                   std::vector<FieldFault>& faults) const {
    return read_(json, path, faults);
  }

 private:
  using Read =
      std::function<std::string(const Json&, const std::string&, std::vector<FieldFault>&)>;
  explicit JsonShape(Read read) : read_(std::move(read)) {}
  Read read_;
};

enum class Presence { optional, required };
struct JsonShape::Member {
  std::string_view name;
  JsonShape shape;
  Presence presence = Presence::optional;
};

// Any JSON in canonical form; here a null inside stays.
void append_canonical(std::string& out, const Json& json);

// How many characters (code points) there are in valid UTF-8.
std::size_t character_count(std::string_view text);

}  // namespace stagedoor::base
