#include "base/json_shape.h"

#include <gtest/gtest.h>

#include "base/iso_time.h"

namespace stagedoor::base {
namespace {

struct Outcome {
  std::string canonical;
  std::vector<FieldFault> faults;
};

Outcome read(const JsonShape& shape, std::string_view text) {
  JsonReader reader;
  const auto json = reader.read(text);
  EXPECT_TRUE(json) << text;
  Outcome outcome;
  outcome.canonical = shape.read(*json, "it", outcome.faults);
  return outcome;
}

std::vector<std::string> wrongs(const JsonShape& shape, std::string_view text) {
  std::vector<std::string> list;
  for (const auto& fault : read(shape, text).faults) list.push_back(fault.path + " " + fault.code);
  return list;
}

using Texts = std::vector<std::string>;

TEST(JsonShape, WritesEqualContentInEqualBytes) {
  const auto shape = JsonShape::object({{"b", JsonShape::number(-10, 10)},
                                        {"a", JsonShape::text({})},
                                        {"c", JsonShape::any_object(100)}});
  const auto* canonical = R"({"a":"y","b":1,"c":{"x":[1,null,{"p":2,"q":"é"}],"z":0.5}})";
  for (const auto* text :
       {R"({"a":"y","b":1,"c":{"x":[1,null,{"p":2,"q":"é"}],"z":0.5}})",
        R"( { "c":{"z":5e-1,"x":[1.0,null,{"q":"é","p":2}]}, "b":1.0, "a":"y", "d":3 } )"}) {
    EXPECT_EQ(read(shape, text).canonical, canonical);
  }
}

TEST(JsonShape, LeavesOutMembersThatAreNullOrNotKnown) {
  const auto shape = JsonShape::object({{"a", JsonShape::flag()}});
  EXPECT_EQ(read(shape, R"({"a":null,"b":1})").canonical, "{}");
  EXPECT_TRUE(read(shape, R"({"a":null,"b":1})").faults.empty());
}

TEST(JsonShape, RefusesUnknownMembersWhereItIsToldTo) {
  const auto shape = JsonShape::object({{"a", JsonShape::flag()}}, JsonShape::Others::refused);
  EXPECT_EQ(wrongs(shape, R"({"a":true,"bb":1})"), Texts{"it.bb unknown_member"});
}

TEST(JsonShape, NamesEachMemberAtFaultAndWhy) {
  const auto shape = JsonShape::object({
      {"choice", JsonShape::choice({"x", "y"})},
      {"flag", JsonShape::flag()},
      {"list", JsonShape::list(JsonShape::whole(1, 3), 3)},
      {"map", JsonShape::map(JsonShape::text({}), 1)},
      {"needed", JsonShape::flag(), Presence::required},
      {"number", JsonShape::number(0, 1)},
      {"text", JsonShape::text({.characters_min = 1, .characters_max = 3})},
  });
  EXPECT_EQ(wrongs(shape, R"({"choice":"z","flag":1,"list":[1,4,"x"],"map":{"k":1},"number":1.01,)"
                          R"("text":"four"})"),
            (Texts{"it.choice invalid_choice", "it.flag invalid_type", "it.list[1] out_of_range",
                   "it.list[2] invalid_type", "it.map.k invalid_type", "it.needed missing",
                   "it.number out_of_range", "it.text too_long"}));
  EXPECT_EQ(wrongs(shape, R"({"needed":true,"list":[1,1,1,1],"map":{"a":"","b":""},"text":""})"),
            (Texts{"it.list too_many", "it.map too_many", "it.text missing"}));
  EXPECT_EQ(wrongs(shape, "[]"), Texts{"it invalid_type"});
}

TEST(JsonShape, TakesWholeNumbersOnlyAsSuch) {
  const auto shape = JsonShape::whole(0, 100);
  EXPECT_EQ(read(shape, "100").canonical, "100");
  for (const auto* text : {"1.0", "1e1", "\"1\"", "101", "-1", "18446744073709551615"})
    EXPECT_EQ(read(shape, text).faults.size(), 1u) << text;
}

TEST(JsonShape, CountsCharactersNotBytes) {
  const auto shape = JsonShape::text({.characters_max = 2});
  EXPECT_TRUE(read(shape, "\"é€\"").faults.empty());
  EXPECT_FALSE(read(shape, "\"é€x\"").faults.empty());
}

// So that it can be read again as part of what it is kept in.
TEST(JsonShape, TakesAFreeObjectOnlySoDeepThatItCanBeWrappedFurther) {
  const auto shape = JsonShape::any_object(1000);
  const auto nested = [](std::size_t depth) {
    std::string text = "1";
    for (; depth > 0; --depth) text = depth % 2 == 1 ? R"({"a":)" + text + "}" : "[" + text + "]";
    return text;
  };
  EXPECT_EQ(read(shape, nested(any_object_depth_max)).canonical, nested(any_object_depth_max));
  EXPECT_EQ(wrongs(shape, nested(any_object_depth_max + 1)), Texts{"it too_deep"});
  EXPECT_EQ(wrongs(shape, nested(json_depth_max - 1)), Texts{"it too_deep"});
}

TEST(JsonShape, LooksBetweenMembersOnlyWhereEachIsRight) {
  int asked = 0;
  const auto shape = JsonShape::object({{"a", JsonShape::flag()}}, JsonShape::Others::ignored,
                                       [&](const Json&, const std::string&, auto&) { ++asked; });
  read(shape, R"({"a":1})");
  EXPECT_EQ(asked, 0);
  read(shape, R"({"a":true})");
  EXPECT_EQ(asked, 1);
}

TEST(JsonShape, TellsNoMoreFaultsThanAreOfUse) {
  std::string text = "[1";
  for (int i = 0; i < 1000; ++i) text += ",1";
  const auto shape = JsonShape::list(JsonShape::flag(), 2000);
  EXPECT_EQ(read(shape, text + "]").faults.size(), field_faults_max);
}

TEST(IsoTime, HasMillisecondsAndIsInUtc) {
  EXPECT_EQ(iso_time(Instant(std::chrono::milliseconds(1705312800250))),
            "2024-01-15T10:00:00.250Z");
  EXPECT_EQ(iso_time(Instant{}), "1970-01-01T00:00:00.000Z");
}

}  // namespace
}  // namespace stagedoor::base
