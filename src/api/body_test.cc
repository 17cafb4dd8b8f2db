#include "api/body.h"

#include <gtest/gtest.h>

#include "http/request_for_test.h"

namespace stagedoor::api {
namespace {

using http::RequestForTest;

std::string hint_of(std::string_view json, void (*read)(Body&)) {
  const RequestForTest request("POST", "/", {}, json);
  Body body(*request);
  read(body);
  const auto done = body.finish();
  if (done) return "";
  EXPECT_EQ(done.error().code, base::ErrorCode::malformed);
  return done.error().hint;
}

void read_room(Body& body) {
  body.text("room", {1, 8});
  body.number_if("ttl_seconds", {1, 60});
  body.flag_if("hidden");
  body.word_if("role", {"viewer", "owner"});
  body.texts_if("scopes", 2, {1, 8});
  body.text_map_if("tags", 2, {0, 8});
  if (auto grants = body.object_if("grants")) grants->flag_if("can_publish");
}

TEST(Body, WhatIsAsIsShouldBeIsRead) {
  EXPECT_EQ(hint_of(R"({"room":"a"})", &read_room), "");
  EXPECT_EQ(hint_of(R"({"room":"a","ttl_seconds":60,"hidden":true,"role":"owner","scopes":["a"],)"
                    R"("tags":{"a":"b"},"grants":{"can_publish":false}})",
                    &read_room),
            "");
}

TEST(Body, NullCountsAsNotThere) {
  EXPECT_EQ(hint_of(R"({"room":"a","ttl_seconds":null,"grants":null})", &read_room), "");
  EXPECT_EQ(hint_of(R"({"room":null})", &read_room), "\"room\" must be a text of 1 to 8 bytes.");
}

TEST(Body, AMemberOfAnotherKindIsNamedWithItsForm) {
  EXPECT_EQ(hint_of("", &read_room), "\"room\" must be a text of 1 to 8 bytes.");
  EXPECT_EQ(hint_of(R"({"room":"123456789"})", &read_room),
            "\"room\" must be a text of 1 to 8 bytes.");
  EXPECT_EQ(hint_of(R"({"room":"a","ttl_seconds":61})", &read_room),
            "\"ttl_seconds\" must be a whole number from 1 to 60.");
  EXPECT_EQ(hint_of(R"({"room":"a","ttl_seconds":1.0})", &read_room),
            "\"ttl_seconds\" must be a whole number from 1 to 60.");
  EXPECT_EQ(hint_of(R"({"room":"a","hidden":"true"})", &read_room),
            "\"hidden\" must be true or false.");
  EXPECT_EQ(hint_of(R"({"room":"a","role":"admin"})", &read_room),
            "\"role\" must be one of viewer, owner.");
  EXPECT_EQ(hint_of(R"({"room":"a","scopes":["a","b","c"]})", &read_room),
            "\"scopes\" must be a list of at most 2 items, each of which must be a text of 1 to 8 "
            "bytes.");
  EXPECT_EQ(hint_of(R"({"room":"a","tags":{"a":1}})", &read_room),
            "\"tags\" must be an object of at most 2 members, each of which must be a text of at "
            "most 8 bytes.");
  EXPECT_EQ(hint_of(R"({"room":"a","grants":[]})", &read_room), "\"grants\" must be an object.");
  EXPECT_EQ(hint_of(R"({"room":"a","grants":{"can_publish":1}})", &read_room),
            "\"grants.can_publish\" must be true or false.");
}

// Rule api-unknown-member-refused.
TEST(Body, AnUnknownMemberIsNamedWithTheNearestKnownOne) {
  EXPECT_EQ(hint_of(R"({"room":"a","ttl_second":5})", &read_room),
            "\"ttl_second\" is no member of this body; did you mean \"ttl_seconds\"?");
  EXPECT_EQ(hint_of(R"({"room":"a","grants":{"canPublish":true}})", &read_room),
            "\"grants.canPublish\" is no member of this body; did you mean \"can_publish\"?");
  EXPECT_EQ(hint_of(R"({"room":"a","entirely_other":1})", &read_room),
            "\"entirely_other\" is no member of this body.");
}

TEST(Body, WhatIsNoObjectIsRefused) {
  EXPECT_EQ(hint_of("[]", &read_room), "The body must be a JSON object.");
  EXPECT_EQ(hint_of("{", &read_room), "The body is not valid JSON.");
  EXPECT_EQ(hint_of(R"({"room":"a","room":"b"})", &read_room),
            "The JSON names the member \"room\" twice.");
}

}  // namespace
}  // namespace stagedoor::api
