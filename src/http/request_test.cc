// SPDX-License-Identifier: Apache-2.0

#include "http/request.h"

#include <gtest/gtest.h>

#include "http/request_for_test.h"

namespace stagedoor::http {
namespace {

TEST(Request, AQueryParameterIsDecodedAndPlusIsASpace) {
  const RequestForTest request("GET", "/?a=x%2By+z&b=&c");
  EXPECT_EQ(request->query("a"), "x+y z");
  EXPECT_EQ(request->query("b"), "");
  EXPECT_EQ(request->query("c"), "");
  EXPECT_EQ(request->query("d"), std::nullopt);
}

TEST(Request, OfSeveralParametersOfANameTheFirstCounts) {
  EXPECT_EQ(RequestForTest("GET", "/?a=1&a=2")->query("a"), "1");
}

TEST(Request, BrokenEscapesInAQueryMakeTheParameterAbsent) {
  EXPECT_EQ(RequestForTest("GET", "/?a=%2")->query("a"), std::nullopt);
  EXPECT_EQ(RequestForTest("GET", "/?a=%zz")->query("a"), std::nullopt);
  EXPECT_EQ(RequestForTest("GET", "/?%=1&a=2")->query("a"), "2");
}

TEST(Request, APartOfThePathIsDecodedButPlusStays) {
  RequestForTest request("GET", "/v2/a%20b+c/d/e");
  request.route_pattern("/v2/{id}/d/{other}");
  EXPECT_EQ(request->path_part("id"), "a b+c");
  EXPECT_EQ(request->path_part("other"), "e");
  EXPECT_EQ(request->path_part("none"), "");
}

TEST(Request, FieldNamesCompareWithoutCaseAndAreCounted) {
  const RequestForTest request("GET", "/", {{"X-Key", "1"}, {"x-kEY", "2"}});
  EXPECT_EQ(request->header("X-KEY"), "1");
  EXPECT_EQ(request->header_count("x-key"), 2u);
  EXPECT_EQ(request->header("y"), std::nullopt);
}

// Rule url-redacted.
TEST(Request, SecretsInTheTargetNeverReachALog) {
  RequestForTest request("GET", "/ws?token=abc&x=1&TOKEN=def&to%6ben=ghi&%zz=jkl&flag&token");
  request.secrets_in_target({.query_names = {"token"}});
  EXPECT_EQ(request->target_for_log(),
            "/ws?token=***&x=1&TOKEN=***&to%6ben=***&%zz=***&flag&token");
}

// Rule url-redacted.
TEST(Request, ASecretInThePathNeverReachesALog) {
  const auto logged = [](std::string_view target) {
    RequestForTest request("GET", target);
    request.secrets_in_target({.path_prefixes = {"/engines/"}});
    return request->target_for_log();
  };
  EXPECT_EQ(logged("/engines/abc/ws?x=1"), "/engines/***/ws?x=1");
  EXPECT_EQ(logged("/engines/abc"), "/engines/***");
  EXPECT_EQ(logged("/engines/"), "/engines/***");
  EXPECT_EQ(logged("/other/engines/abc"), "/other/engines/abc");
}

TEST(Request, ATokenInAListIsFoundWithoutCaseAndOnlyWhole) {
  EXPECT_TRUE(has_token("keep-alive,  UPGRADE", "upgrade"));
  EXPECT_FALSE(has_token("keep-alive, upgraded", "upgrade"));
  EXPECT_FALSE(has_token("", "upgrade"));
}

}  // namespace
}  // namespace stagedoor::http
