// Problem documents: each leads to a page of its own.
#include "api/problem.h"

#include <gtest/gtest.h>

#include <set>

#include "api/problem_pages.h"
#include "base/json.h"
#include "http/request_for_test.h"
#include "http/router.h"

namespace stagedoor::api {
namespace {

using base::ErrorCode;

std::string page_of(std::string_view path, int* status) {
  http::Router router;
  add_problem_pages(router);
  const auto match = router.match("GET", path);
  if (match.route == nullptr) return {};
  http::RequestForTest request("GET", path);
  request.route_pattern(match.route->pattern);
  http::Response response;
  std::get<http::Handler>(match.route->handler)(*request, response);
  *status = response.status();
  return response.body();
}

// Rule problem-has-a-page.
TEST(Problem, EveryErrorGivesADocumentWhoseTypeIsThePathOfAPageThatSaysTheSameTitle) {
  for (int code = 0; code <= static_cast<int>(ErrorCode::unavailable); ++code) {
    http::Response response;
    reply_problem(response, {static_cast<ErrorCode>(code), "for the log", "for the caller"});
    base::JsonReader reader;
    const auto document = reader.read(response.body());
    ASSERT_TRUE(document) << response.body();
    EXPECT_EQ(response.content_type(), "application/problem+json");
    EXPECT_EQ(document->member("status")->integer(), response.status());
    EXPECT_EQ(document->member("detail")->text(), "for the caller");
    EXPECT_EQ(response.body().find("for the log"), std::string::npos);
    int status = 0;
    const auto page = page_of(*document->member("type")->text(), &status);
    EXPECT_EQ(status, 200) << response.body();
    EXPECT_NE(page.find(*document->member("title")->text()), std::string::npos);
  }
}

TEST(Problem, TypesAreDistinctAndEachStatusOfThePlumbingHasOne) {
  std::set<std::string_view> types;
  for (const auto& problem : problems()) EXPECT_TRUE(types.insert(problem.type).second);
  for (const int status : {400, 401, 403, 404, 405, 408, 413, 415, 429, 431, 500, 503})
    EXPECT_EQ(problem_of_status(status).status, status);
  EXPECT_EQ(problem_of_status(599).status, 500);
}

TEST(Problem, AnUnknownTypeIsNotFoundAndWhatIsAskedForIsNotEchoed) {
  int status = 0;
  const auto page = page_of("/problems/%3Cscript%3E", &status);
  EXPECT_EQ(status, 404);
  EXPECT_EQ(page.find("script"), std::string::npos);
}

}  // namespace
}  // namespace stagedoor::api
