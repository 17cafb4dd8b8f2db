#include "front/credential.h"

#include <gtest/gtest.h>

#include "http/request_for_test.h"

namespace stagedoor::front {
namespace {

using base::ErrorCode;
using http::RequestForTest;
using Fields = RequestForTest::Fields;

// "code: hint", or the credential in brackets.
std::string read(const base::Result<std::string_view>& result) {
  if (result) return "[" + std::string(*result) + "]";
  switch (result.error().code) {
    case ErrorCode::credential_missing:
      return "missing: " + result.error().hint;
    case ErrorCode::malformed:
      return "malformed: " + result.error().hint;
    default:
      return "another error";
  }
}
std::string bearer(Fields fields) {
  const RequestForTest request("GET", "/", fields);
  return read(bearer_of(*request));
}
std::string api_key(Fields fields) {
  const RequestForTest request("GET", "/", fields);
  return read(api_key_header_of(*request, "X-Api-Key"));
}

TEST(Bearer, IsWhatFollowsTheWordWhateverItsCase) {
  EXPECT_EQ(bearer({{"Authorization", "Bearer av_test_x"}}), "[av_test_x]");
  EXPECT_EQ(bearer({{"authorization", "bearer av_test_x"}}), "[av_test_x]");
  EXPECT_EQ(bearer({{"AUTHORIZATION", "BEARER a.b.c"}}), "[a.b.c]");
  EXPECT_EQ(bearer({{"Authorization", "  Bearer av_test_x \t"}}), "[av_test_x]");
}

TEST(Bearer, AnyFurtherSpaceBelongsToTheCredentialWhoseReaderSaysSo) {
  EXPECT_EQ(bearer({{"Authorization", "Bearer  av_test_x"}}), "[ av_test_x]");
  EXPECT_EQ(bearer({{"Authorization", "Bearer av_ test_x"}}), "[av_ test_x]");
}

TEST(Bearer, NothingAtAllIsMissingWithoutAnAccusation) {
  EXPECT_EQ(bearer({}), "missing: ");
  EXPECT_EQ(bearer({{"Authorization", ""}}), "missing: ");
}

TEST(Bearer, AKeyWithoutTheWordIsToldToPutItThere) {
  for (const auto* value : {"av_live_x", "av_test_x", "av_test_x y"})
    EXPECT_EQ(bearer({{"Authorization", value}}),
              "missing: Put the word Bearer before the key: Authorization: Bearer <key>.");
}

TEST(Bearer, AnotherSchemeIsToldWhichOneIsRead) {
  for (const auto* value : {"Basic dXNlcjpwYXNz", "Bearerx y", "Digest x", "a.b.c", "Bearer\tx"})
    EXPECT_EQ(bearer({{"Authorization", value}}),
              "missing: Send the credential as Authorization: Bearer <credential>.")
        << value;
}

TEST(Bearer, TheWordAloneIsToldThatNothingFollows) {
  EXPECT_EQ(bearer({{"Authorization", "Bearer"}}), "missing: Nothing follows the word Bearer.");
  EXPECT_EQ(bearer({{"Authorization", "Bearer "}}), "missing: Nothing follows the word Bearer.");
}

TEST(Bearer, AKeyInAnotherDialectsHeaderIsToldWhereItIsRead) {
  EXPECT_EQ(
      bearer({{"X-Api-Key", "av_test_x"}}),
      "missing: Send the API key as Authorization: Bearer <key>; X-Api-Key is not read here.");
}

TEST(Bearer, TwoHeadersAreRefusedEvenWhenEqual) {
  const std::string expected = "malformed: Send one Authorization header, not several.";
  EXPECT_EQ(bearer({{"Authorization", "Bearer x"}, {"authorization", "Bearer x"}}), expected);
  EXPECT_EQ(bearer({{"Authorization", ""}, {"Authorization", "Bearer x"}}), expected);
}

TEST(ApiKeyHeader, IsItsWholeValue) {
  EXPECT_EQ(api_key({{"X-Api-Key", "av_test_x"}}), "[av_test_x]");
  EXPECT_EQ(api_key({{"x-api-key", " av_test_x "}}), "[av_test_x]");
  EXPECT_EQ(api_key({{"X-Api-Key", "Bearer av_test_x"}}), "[Bearer av_test_x]");
}

TEST(ApiKeyHeader, MissingIsToldWhereItBelongs) {
  EXPECT_EQ(api_key({}), "missing: Send an API key in the X-Api-Key header.");
  EXPECT_EQ(api_key({{"X-Api-Key", ""}}), "missing: Send an API key in the X-Api-Key header.");
  EXPECT_EQ(api_key({{"Authorization", "Bearer x"}}),
            "missing: Send the API key in the X-Api-Key header; Authorization is not read here.");
}

TEST(ApiKeyHeader, TwoHeadersAreRefusedEvenWhenEqual) {
  EXPECT_EQ(api_key({{"X-Api-Key", "x"}, {"X-API-KEY", "x"}}),
            "malformed: Send one X-Api-Key header, not several.");
}

TEST(Credential, ARefusalNeverRepeatsWhatCame) {
  for (const auto& text :
       {bearer({{"Authorization", "Basic hunter2hunter2"}}),
        bearer({{"Authorization", "av_test_hunter2"}}), bearer({{"X-Api-Key", "hunter2"}}),
        api_key({{"Authorization", "hunter2"}})})
    EXPECT_EQ(text.find("hunter2"), std::string::npos);
}

// Rule challenge-on-401.
TEST(Challenge, SaysHowACredentialIsShownAndOfOneThatWasShownThatItIsNoGood) {
  const auto told = [](int status, ErrorCode code, std::string_view header = {}) {
    http::Response response;
    response.start(status, "application/json");
    tell_challenge(response, {code, "", ""}, header);
    return std::string(response.extra_headers());
  };
  EXPECT_EQ(told(401, ErrorCode::credential_missing), "WWW-Authenticate: Bearer\r\n");
  for (const auto code : {ErrorCode::unauthenticated, ErrorCode::mistyped_key,
                          ErrorCode::wrong_environment, ErrorCode::token_expired})
    EXPECT_EQ(told(401, code), "WWW-Authenticate: Bearer error=\"invalid_token\"\r\n");
  EXPECT_EQ(told(401, ErrorCode::unauthenticated, "X-Api-Key"),
            "WWW-Authenticate: ApiKey header=\"X-Api-Key\"\r\n");
  for (const int status : {400, 403, 429, 503})
    EXPECT_EQ(told(status, ErrorCode::unauthenticated), "");
  http::Response response;
  response.start(401, "application/json");
  response.header("WWW-Authenticate", "Bearer");
  tell_challenge(response, {ErrorCode::unauthenticated, "", ""});
  EXPECT_EQ(response.extra_headers(), "WWW-Authenticate: Bearer\r\n");
}

}  // namespace
}  // namespace stagedoor::front
