// SPDX-License-Identifier: Apache-2.0

#include "http/router.h"

#include <gtest/gtest.h>

namespace stagedoor::http {
namespace {

void add(Router& router, std::string method, std::string pattern) {
  router.add({.method = std::move(method),
              .pattern = std::move(pattern),
              .handler = Handler([](const Request&, Response&) {})});
}

TEST(Router, APartMatchesExactlyOneSegmentThatIsNotEmpty) {
  Router router;
  add(router, "GET", "/v1/{id}/x");
  EXPECT_TRUE(router.match("GET", "/v1/abc/x").route);
  for (const std::string_view path :
       {"/v1//x", "/v1/a/b/x", "/v1/a/x/", "/v1/a", "/v1", "", "*", "v1/a/x"}) {
    EXPECT_FALSE(router.match("GET", path).route) << path;
    EXPECT_FALSE(router.match("GET", path).path_known) << path;
  }
}

TEST(Router, APathWithoutPartsComesBeforeAPattern) {
  Router router;
  add(router, "GET", "/v1/{id}");
  add(router, "GET", "/v1/me");
  EXPECT_EQ(router.match("GET", "/v1/me").route->pattern, "/v1/me");
  EXPECT_EQ(router.match("GET", "/v1/you").route->pattern, "/v1/{id}");
}

TEST(Router, HeadIsServedByGet) {
  Router router;
  add(router, "GET", "/a");
  add(router, "POST", "/b");
  EXPECT_TRUE(router.match("HEAD", "/a").route);
  EXPECT_FALSE(router.match("HEAD", "/b").route);
}

TEST(Router, AnotherMethodTellsAllMethodsOfThePath) {
  Router router;
  add(router, "GET", "/v1/{id}");
  add(router, "DELETE", "/v1/{id}");
  add(router, "POST", "/v1/me");
  const auto match = router.match("PUT", "/v1/me");
  EXPECT_FALSE(match.route);
  EXPECT_TRUE(match.path_known);
  EXPECT_EQ(match.allow, "POST, GET, HEAD, DELETE");
}

TEST(Router, ThePatternServesWhatTheExactPathDoesNot) {
  Router router;
  add(router, "GET", "/v1/me");
  add(router, "DELETE", "/v1/{id}");
  EXPECT_EQ(router.match("DELETE", "/v1/me").route->pattern, "/v1/{id}");
}

TEST(Router, TheLongestPrefixWritesTheRefusal) {
  Router router;
  const auto writer = [](std::string text) {
    return [text](Response& response, int status, std::string_view) {
      response.start(status, "text/plain").append(text);
    };
  };
  router.errors("/", writer("root"));
  router.errors("/v1/console/", writer("console"));
  router.errors("/v1/", writer("v1"));
  const auto words_for = [&](std::string_view path) {
    Response response;
    router.errors_for(path)(response, 404, "");
    return response.body();
  };
  EXPECT_EQ(words_for("/v1/console/x"), "console");
  EXPECT_EQ(words_for("/v1/x"), "v1");
  EXPECT_EQ(words_for("/x"), "root");
  EXPECT_EQ(words_for(""), "root");
}

}  // namespace
}  // namespace stagedoor::http
