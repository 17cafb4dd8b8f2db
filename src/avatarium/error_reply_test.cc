#include "avatarium/error_reply.h"

#include <gtest/gtest.h>

namespace stagedoor::avatarium {
namespace {

using base::ErrorCode;

http::Response replied(const base::Error& error, const std::vector<base::FieldFault>& faults = {}) {
  http::Response response;
  reply(http::Request(), response, error, faults);
  return response;
}

TEST(AvatariumErrorReply, PrintsTheVendorsErrorsToTheLetter) {
  const auto* meta = R"(,"meta":{"requestId":"req_"}})";
  for (const auto code :
       {ErrorCode::unauthenticated, ErrorCode::mistyped_key, ErrorCode::wrong_environment}) {
    const auto response = replied({code, "for the log", ""});
    EXPECT_EQ(response.status(), 401);
    EXPECT_EQ(response.body(), std::string(R"({"error":{"code":"INVALID_API_KEY","message":)"
                                           R"("The provided API key is invalid or has been )"
                                           R"(revoked"})") +
                                   meta);
  }
  EXPECT_EQ(replied({ErrorCode::credential_missing, "", ""}).body(),
            std::string(R"({"error":{"code":"UNAUTHORIZED","message":)"
                        R"("Authentication required. Provide an API key or JWT token."})") +
                meta);
  EXPECT_EQ(replied({ErrorCode::token_expired, "", "Refresh it."}).body(),
            std::string(R"({"error":{"code":"TOKEN_EXPIRED","message":)"
                        R"("Your authentication token has expired. Please sign in again."})") +
                meta);
}

TEST(AvatariumErrorReply, PutsWhatToMendBesideTheMessage) {
  EXPECT_EQ(replied({ErrorCode::unauthenticated, "", "Mend \"this\"."}).body(),
            R"({"error":{"code":"INVALID_API_KEY","message":)"
            R"("The provided API key is invalid or has been revoked","hint":"Mend \"this\"."},)"
            R"("meta":{"requestId":"req_"}})");
}

TEST(AvatariumErrorReply, KeepsTheStatusesApart) {
  const auto status = [](ErrorCode code) { return replied({code, "", ""}).status(); };
  EXPECT_EQ(status(ErrorCode::malformed), 400);
  EXPECT_EQ(status(ErrorCode::token_invalid), 401);
  EXPECT_EQ(status(ErrorCode::payment_required), 402);
  EXPECT_EQ(status(ErrorCode::forbidden), 403);
  EXPECT_EQ(status(ErrorCode::not_found), 404);
  EXPECT_EQ(status(ErrorCode::conflict), 409);
  EXPECT_EQ(status(ErrorCode::rate_limited), 429);
  EXPECT_EQ(status(ErrorCode::unsupported), 501);
  EXPECT_EQ(status(ErrorCode::unavailable), 503);
}

TEST(AvatariumErrorReply, TellsNothingThatIsForTheLog) {
  for (int code = 0; code <= static_cast<int>(ErrorCode::unavailable); ++code) {
    const auto response = replied({static_cast<ErrorCode>(code), "for the log", ""});
    EXPECT_GE(response.status(), 400);
    EXPECT_EQ(response.body().find("for the log"), std::string::npos);
  }
}

TEST(AvatariumErrorReply, ListsEachMemberAtFault) {
  EXPECT_EQ(replied({ErrorCode::malformed, "", "h"}, {{"a", "missing", "is required"}}).body(),
            R"({"error":{"code":"BAD_REQUEST","message":"The request is not valid.","hint":"h",)"
            R"("details":[{"field":"a","reason":"missing","message":"is required"}]},)"
            R"("meta":{"requestId":"req_"}})");
}

TEST(AvatariumErrorReply, SpeaksForThePlumbingToo) {
  http::Response response;
  reply(response, 405, "not so");
  EXPECT_EQ(response.body(), R"({"error":{"code":"METHOD_NOT_ALLOWED","message":"not so"},)"
                             R"("meta":{"requestId":null}})");
}

}  // namespace
}  // namespace stagedoor::avatarium
