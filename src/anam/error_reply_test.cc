#include "anam/error_reply.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace stagedoor::anam {
namespace {

using base::ErrorCode;

constexpr auto last_code = ErrorCode::unavailable;

struct Seen {
  int status;
  std::string error, message;
};

Seen seen(const base::Error& error) {
  http::Response response;
  reply(response, error);
  base::JsonReader reader;
  const auto json = reader.read(response.body());
  EXPECT_TRUE(json) << response.body();
  return {response.status(), std::string(*json->member("error")->text()),
          std::string(*json->member("message")->text())};
}

TEST(AnamErrorReply, AlwaysHasBothWordsInJson) {
  for (int code = 0; code <= static_cast<int>(last_code); ++code) {
    const auto words = seen({static_cast<ErrorCode>(code), "for the log", ""});
    EXPECT_GE(words.status, 400);
    EXPECT_FALSE(words.error.empty());
    EXPECT_FALSE(words.message.empty());
    EXPECT_NE(words.message, "for the log");
  }
}

TEST(AnamErrorReply, KeepsApartWhatClientsTellApart) {
  EXPECT_EQ(seen({ErrorCode::malformed, "", ""}).status, 400);
  EXPECT_EQ(seen({ErrorCode::unauthenticated, "", ""}).status, 401);
  EXPECT_EQ(seen({ErrorCode::forbidden, "", ""}).status, 403);
  EXPECT_EQ(seen({ErrorCode::not_found, "", ""}).status, 404);
  EXPECT_EQ(seen({ErrorCode::conflict, "", ""}).status, 409);
  EXPECT_EQ(seen({ErrorCode::unavailable, "", ""}).status, 503);
  const auto all_places = seen({ErrorCode::concurrency_limited, "", ""});
  EXPECT_EQ(all_places.status, 429);
  EXPECT_EQ(all_places.error, "Concurrent session limit reached");
  const auto too_often = seen({ErrorCode::rate_limited, "", ""});
  EXPECT_EQ(too_often.status, 429);
  EXPECT_NE(too_often.error, all_places.error);
  EXPECT_NE(too_often.error, "Spend cap reached");
  const auto used_up = seen({ErrorCode::payment_required, "", ""});
  EXPECT_EQ(used_up.status, 429);
  EXPECT_EQ(used_up.error, "Spend cap reached");
}

TEST(AnamErrorReply, SaysTheHintWhereThereIsOne) {
  EXPECT_EQ(seen({ErrorCode::malformed, "d", "Mend this."}).message, "Mend this.");
}

TEST(AnamErrorReply, ListsEachMemberAtFault) {
  http::Response response;
  const std::vector<base::FieldFault> faults = {{"a.b", "missing", "is \"required\""},
                                                {"c", "too_long", "is too long"}};
  reply(response, {ErrorCode::malformed, "d", "h"}, faults);
  EXPECT_EQ(response.body(), R"({"error":"Bad Request","message":"h","details":[)"
                             R"({"path":"a.b","message":"is \"required\"","code":"missing"},)"
                             R"({"path":"c","message":"is too long","code":"too_long"}],)"
                             R"("summary":"a.b: is \"required\"; c: is too long"})");
}

TEST(AnamErrorReply, NamesTheAvatarOfAPersonaThatHasGone) {
  http::Response response;
  reply(response, {ErrorCode::avatar_unknown, "d", "It has gone."});
  EXPECT_EQ(response.status(), 400);
  EXPECT_EQ(response.body(),
            R"({"error":"Bad Request","message":"It has gone.","details":[)"
            R"({"path":"personaConfig.avatarId","message":"There is no avatar with this id.",)"
            R"("code":"unknown_reference"}],)"
            R"("summary":"personaConfig.avatarId: There is no avatar with this id."})");
  EXPECT_EQ(seen({ErrorCode::app_unknown, "", ""}).status, 401);
}

TEST(AnamErrorReply, SpeaksForThePlumbingToo) {
  http::Response response;
  reply(response, 413, "too large");
  EXPECT_EQ(response.status(), 413);
  EXPECT_EQ(response.body(), R"({"error":"Payload Too Large","message":"too large"})");
}

}  // namespace
}  // namespace stagedoor::anam
