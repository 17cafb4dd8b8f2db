#include "front/query.h"

#include <gtest/gtest.h>

#include <string>

#include "http/request_for_test.h"

namespace stagedoor::front {
namespace {

struct Asked {
  explicit Asked(std::string_view query) : request("GET", "/x?" + std::string(query)) {}
  http::RequestForTest request;
};

TEST(Query, TheEnvironmentIsLiveOrTestOrNotSaid) {
  EXPECT_EQ(*environment_in_query(*Asked("environment=live").request), rules::Environment::live);
  EXPECT_EQ(*environment_in_query(*Asked("environment=test").request), rules::Environment::test);
  EXPECT_EQ(*environment_in_query(*Asked("a=b").request), std::nullopt);
  for (const auto* odd : {"environment=", "environment=Live", "environment=prod"})
    EXPECT_NE(environment_in_query(*Asked(odd).request).error().hint.find("`environment`"),
              std::string::npos)
        << odd;
}

TEST(Query, ALimitIsAWholeNumberFromOneToWhatACallGives) {
  EXPECT_EQ(*limit_in_query(*Asked("a=b").request, 20, 100), 20);
  EXPECT_EQ(*limit_in_query(*Asked("limit=100").request, 20, 100), 100);
  for (const auto* odd : {"limit=", "limit=0", "limit=101", "limit=1x", "limit=-1"})
    EXPECT_FALSE(limit_in_query(*Asked(odd).request, 20, 100)) << odd;
}

}  // namespace
}  // namespace stagedoor::front
