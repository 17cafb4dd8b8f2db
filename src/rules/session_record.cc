#include "rules/session_record.h"

#include <string_view>

namespace stagedoor::rules {

bool is_meant(const SessionQuery& query, const SessionRecord& record) {
  const auto is = [](std::string_view wish, std::string_view value) {
    return wish.empty() || wish == value;
  };
  const auto state = record.ended_at ? SessionState::ended : SessionState::live;
  return record.workspace_id == query.workspace_id && is(query.app_id, record.app_id) &&
         is(query.end_user_id, record.end_user_id) && is(query.avatar_id, record.avatar_id) &&
         query.api_key_id.value_or(record.api_key_id) == record.api_key_id &&
         query.environment.value_or(record.environment) == record.environment &&
         query.state.value_or(state) == state;
}

}  // namespace stagedoor::rules
