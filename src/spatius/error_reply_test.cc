#include "spatius/error_reply.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace stagedoor::spatius {
namespace {

using base::ErrorCode;

constexpr ErrorCode all_codes[] = {
    ErrorCode::malformed,         ErrorCode::unauthenticated, ErrorCode::mistyped_key,
    ErrorCode::wrong_environment, ErrorCode::token_expired,   ErrorCode::token_spent,
    ErrorCode::app_mismatch,      ErrorCode::app_unknown,     ErrorCode::avatar_unknown,
    ErrorCode::forbidden,         ErrorCode::not_found,       ErrorCode::concurrency_limited,
    ErrorCode::rate_limited,      ErrorCode::unsupported,     ErrorCode::unavailable};

TEST(ConsoleReply, EveryErrorIsOneObjectInErrorsWithANumericStatus) {
  for (const auto code : all_codes) {
    http::Response response;
    reply_console(response, {code, "for the log", {}}, "/expireAt");
    base::JsonReader reader;
    const auto json = reader.read(response.body());
    ASSERT_TRUE(json) << response.body();
    const base::Json error(json->element()["errors"].at(0).value());
    EXPECT_EQ(error.member("status")->integer(), response.status());
    EXPECT_EQ(error.member("source")->member("pointer")->text(), "/expireAt");
    for (const auto* name : {"id", "code", "title", "detail"})
      EXPECT_FALSE(error.member(name)->text()->empty()) << name;
    EXPECT_EQ(response.body().find("for the log"), std::string::npos);
    EXPECT_EQ(response.body().find("nauthorized"), std::string::npos)
        << "read as a LiveKit trouble";
  }
}

TEST(UpgradeReply, HasTheStatusAndWordsOfTheContract) {
  const auto reply = [](ErrorCode code) {
    http::Response response;
    reply_upgrade(response, {code, "for the log", {}}, "ava_1");
    return std::pair(response.status(), response.body());
  };
  EXPECT_EQ(reply(ErrorCode::unauthenticated),
            std::pair(400, std::string("{\"message\":\"Invalid session token\"}\n")));
  const auto contains = [&](ErrorCode code, int status, std::string_view words) {
    const auto [got, body] = reply(code);
    EXPECT_EQ(got, status);
    EXPECT_NE(body.find(words), std::string::npos) << body;
    EXPECT_TRUE(body.ends_with("}\n"));
  };
  contains(ErrorCode::token_spent, 400, "Invalid session token");
  contains(ErrorCode::app_mismatch, 400, "app id mismatch");
  contains(ErrorCode::token_expired, 401, "session token expired");
  contains(ErrorCode::avatar_unknown, 404, "Avatar not found: ava_1");
  contains(ErrorCode::app_unknown, 404, "App not found");
  EXPECT_EQ(reply(ErrorCode::app_unknown).second.find("Avatar not found"), std::string::npos);
}

}  // namespace
}  // namespace stagedoor::spatius
