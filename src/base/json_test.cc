#include "base/json.h"

#include <gtest/gtest.h>

namespace stagedoor::base {
namespace {

TEST(Json, MembersAreReadByTheirKind) {
  JsonReader reader;
  const auto json = reader.read(R"({"a":12,"b":"text","c":null,"d":{"e":-3},"f":12.0})");
  ASSERT_TRUE(json);
  EXPECT_EQ(json->member("a")->integer(), 12);
  EXPECT_FALSE(json->member("a")->text());
  EXPECT_EQ(json->member("b")->text(), "text");
  EXPECT_TRUE(json->member("c")->is_null());
  EXPECT_EQ(json->member("d")->member("e")->integer(), -3);
  EXPECT_FALSE(json->member("f")->integer());
  EXPECT_FALSE(json->member("g"));
}

TEST(Json, WhatIsNotJsonIsRefused) {
  JsonReader reader;
  for (const auto* text : {"", " ", "{", "{\"a\":}", "{\"a\":1}}", "{'a':1}", "[1,]", "nul",
                           "{\"a\":1} x", "\"\xff\"", "{\"a\":01}"})
    EXPECT_EQ(reader.read(text).error().code, ErrorCode::malformed) << text;
}

TEST(Json, AMemberNamedTwiceIsRefusedAlsoDeepInside) {
  JsonReader reader;
  for (const auto* text :
       {R"({"a":1,"a":1})", R"({"x":[{"a":1,"b":2,"a":3}]})", R"({"a":1,"\u0061":2})"}) {
    const auto json = reader.read(text);
    ASSERT_FALSE(json) << text;
    EXPECT_NE(json.error().hint.find("\"a\" twice"), std::string::npos);
  }
}

TEST(Json, DepthIsBounded) {
  JsonReader reader;
  EXPECT_TRUE(reader.read(std::string(20, '[') + std::string(20, ']')));
  const auto deep = reader.read(std::string(100000, '[') + std::string(100000, ']'));
  ASSERT_FALSE(deep);
  EXPECT_EQ(deep.error().code, ErrorCode::malformed);
  EXPECT_TRUE(reader.read("{}")) << "a refusal leaves the reader fit for the next text";
}

TEST(JsonString, EveryTextBecomesOneThatReadsBack) {
  JsonReader reader;
  for (const auto& text : {std::string("plain"), std::string("a\"b\\c"), std::string("\n\t\x01"),
                           std::string("\0", 1), std::string("é…😀")}) {
    std::string out;
    append_json_string(out, text);
    EXPECT_EQ(reader.read(out)->text(), text);
  }
}

TEST(JsonString, InvalidUtf8IsReplaced) {
  JsonReader reader;
  for (const auto* text : {"\xff", "\xc0\xaf", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\xe2\x80"}) {
    std::string out;
    append_json_string(out, text);
    ASSERT_TRUE(reader.read(out)) << out;
    EXPECT_NE(out.find("\xef\xbf\xbd"), std::string::npos);
  }
}

}  // namespace
}  // namespace stagedoor::base
