#include "rules/item_scope.h"

#include "rules/caller.h"

namespace stagedoor::rules {

ItemScope scope_of(const Caller& caller, Environment environment) {
  ItemScope scope{.workspace_id = caller.workspace_id(), .environment = environment};
  if (caller.kind() == CallerKind::api_key) scope.app_id = caller.app().id;
  return scope;
}

ItemScope scope_in_both_environments(const Caller& caller) {
  return scope_of(caller, Environment::live);
}

bool has_room(const TakenRoom& taken, std::int64_t more, std::int64_t whole) {
  return more <= whole - taken.of_workspace && more <= whole / 2 - taken.of_app;
}

bool is_found_in(const ItemScope& scope, std::string_view workspace_id, std::string_view app_id) {
  return scope.workspace_id == workspace_id &&
         (app_id.empty() || scope.app_id.empty() || app_id == scope.app_id);
}

}  // namespace stagedoor::rules
