#include "rules/session_record.h"

#include <algorithm>
#include <cctype>
#include <string_view>

namespace stagedoor::rules {
namespace {

bool is_found(std::string_view search, const SessionRecord& record) {
  if (search.empty() || search == record.id) return true;
  const auto alike = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  };
  return record.facts && !std::ranges::search(record.facts->client_label, search, alike).empty();
}

bool is_meant_face(const SessionQuery& query, const SessionRecord& record) {
  const bool is_of_faces = query.of == SessionQuery::Of::live_faces || query.kind ||
                           !query.persona_id.empty() || !query.client_label.empty();
  if (!is_of_faces) return true;
  const auto& facts = record.facts;
  return facts && query.kind.value_or(facts->kind) == facts->kind &&
         (query.persona_id.empty() || query.persona_id == facts->persona_id) &&
         (query.client_label.empty() || query.client_label == facts->client_label);
}

}  // namespace

SessionQuery visible_sessions(const Caller& caller) {
  SessionQuery query;
  query.workspace_id = caller.workspace_id();
  if (caller.kind() == CallerKind::api_key) {
    query.app_id = caller.app().id;
    query.environment = caller.environment();
  }
  return query;
}

bool is_meant(const SessionQuery& query, const SessionRecord& record) {
  const auto is = [](std::string_view wish, std::string_view value) {
    return wish.empty() || wish == value;
  };
  const auto state = record.ended_at ? SessionState::ended : SessionState::live;
  return record.workspace_id == query.workspace_id && is(query.app_id, record.app_id) &&
         is(query.end_user_id, record.end_user_id) && is(query.avatar_id, record.avatar_id) &&
         query.api_key_id.value_or(record.api_key_id) == record.api_key_id &&
         query.environment.value_or(record.environment) == record.environment &&
         query.state.value_or(state) == state &&
         query.began_from.value_or(record.began_at) <= record.began_at &&
         (!query.began_before || record.began_at < *query.began_before) &&
         is_found(query.search, record) && is_meant_face(query, record);
}

}  // namespace stagedoor::rules
