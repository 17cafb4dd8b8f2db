#include "rules/item_scope.h"

#include <gtest/gtest.h>

namespace stagedoor::rules {
namespace {

// Rule item-of-app.
TEST(ItemScope, AKeyFindsItsAppsAndTheWorkspacesAndAPersonAll) {
  const ItemScope key{.workspace_id = "ws_1", .app_id = "app_1"}, person{.workspace_id = "ws_1"};
  struct Case {
    std::string_view workspace_id, app_id;
    bool for_key, for_person;
  };
  for (const auto& one : {Case{"ws_1", "app_1", true, true}, Case{"ws_1", "", true, true},
                          Case{"ws_1", "app_2", false, true}, Case{"ws_1", "app_", false, true},
                          Case{"ws_2", "app_1", false, false}, Case{"ws_2", "", false, false},
                          Case{"", "", false, false}}) {
    EXPECT_EQ(is_found_in(key, one.workspace_id, one.app_id), one.for_key) << one.app_id;
    EXPECT_EQ(is_found_in(person, one.workspace_id, one.app_id), one.for_person) << one.app_id;
  }
}

// Rule item-room-of-app.
TEST(ItemScope, AnAppHasRoomForHalfAndTheWorkspaceForAll) {
  EXPECT_TRUE(has_room({.of_workspace = 0, .of_app = 0}, 1, 10));
  EXPECT_TRUE(has_room({.of_workspace = 4, .of_app = 4}, 1, 10));
  EXPECT_FALSE(has_room({.of_workspace = 5, .of_app = 5}, 1, 10));
  EXPECT_TRUE(has_room({.of_workspace = 9, .of_app = 4}, 1, 10));
  EXPECT_FALSE(has_room({.of_workspace = 10, .of_app = 0}, 1, 10));
  EXPECT_TRUE(has_room({.of_workspace = 0, .of_app = 0}, 5, 10));
  EXPECT_FALSE(has_room({.of_workspace = 0, .of_app = 0}, 6, 10));
  EXPECT_FALSE(has_room({.of_workspace = 20, .of_app = 20}, 0, 10)) << "kept under a wider bound";
}

}  // namespace
}  // namespace stagedoor::rules
