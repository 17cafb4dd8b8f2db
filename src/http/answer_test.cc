// SPDX-License-Identifier: Apache-2.0

#include "http/answer.h"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

namespace stagedoor::http {
namespace {

constexpr AnswerFacts facts{.date = "Thu, 01 Jan 1970 00:00:00 GMT",
                            .request_id = "id",
                            .persistence = Persistence::keep_alive,
                            .body = BodySent::with_body};

std::string sent(const Response& response, const AnswerFacts& with = facts) {
  std::string out;
  append_answer(out, response, with);
  return out;
}

TEST(Answer, HeadAndBodyAreWrittenInOrder) {
  Response response;
  response.start(201, "application/json") += "{}";
  response.header("Location", "/x");
  EXPECT_EQ(sent(response),
            "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
            "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\nX-Request-Id: id\r\nLocation: /x\r\n\r\n{}");
}

TEST(Answer, AFieldThatWouldSplitTheAnswerMakesItABare500) {
  for (const std::string_view value :
       std::vector<std::string_view>{"a\r\nSet-Cookie: b", "a\nb", "a\rb", {"a\0b", 3}}) {
    Response response;
    response.header("X", value);
    response.start(200, "text/plain") += "secret";
    const auto text = sent(response);
    EXPECT_TRUE(text.starts_with("HTTP/1.1 500 ")) << text;
    EXPECT_FALSE(text.contains("Set-Cookie")) << text;
    EXPECT_FALSE(text.contains("secret")) << text;
  }
}

TEST(Answer, OnHeadTheLengthIsToldAndTheBodyIsNotSent) {
  Response response;
  response.start(200, "text/plain") += "12345";
  auto head_only = facts;
  head_only.body = BodySent::head_only;
  EXPECT_TRUE(sent(response, head_only).contains("Content-Length: 5\r\n"));
  EXPECT_TRUE(sent(response, head_only).ends_with("\r\n\r\n"));
}

TEST(Answer, NoContentHasNeitherLengthNorBody) {
  Response response;
  response.start(204, "text/plain") += "x";
  EXPECT_FALSE(sent(response).contains("Content-Length"));
  EXPECT_TRUE(sent(response).ends_with("\r\n\r\n"));
}

TEST(Answer, StartingAgainForgetsTheBodyAndClearingForgetsAll) {
  Response response;
  response.start(200, "text/plain") += "first";
  response.start(404, "text/html") += "second";
  EXPECT_EQ(response.body(), "second");
  response.header("A", "b");
  response.clear();
  EXPECT_EQ(response.status(), 500);
  EXPECT_EQ(response.body() + std::string(response.extra_headers()), "");
}

}  // namespace
}  // namespace stagedoor::http
