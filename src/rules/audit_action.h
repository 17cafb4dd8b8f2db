// The words of the audit log: what can be done here and is recorded. Their one home; the table in
// docs/reference/audit-events.md tells when each is written, and a test that none is left out.
//
// Rule audit-one-word: what was done is one word of this list, a noun and a verb: api_key.create.
// Whoever watches the log rests on these words, so none is made up where an entry is written. Of a
// call that was refused before it became an action, the entry names the call: "POST /v1/keys".
//
// Used by: whoever makes a rules::AuditEntry
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <span>
#include <string_view>

namespace stagedoor::rules {

enum class AuditAction : unsigned char {
  account_change_password,
  account_create,
  account_log_in,
  account_log_out,
  account_log_out_everywhere,
  account_refresh,
  api_key_create,
  api_key_freeze,
  api_key_import,
  api_key_revoke,
  api_key_rotate,
  api_key_unfreeze,
  app_change,
  app_create,
  app_rotate_keys,
  audit_fold,
  audit_read,
  audit_renew_key,
  avatar_change,
  avatar_create,
  avatar_remove,
  consumer_avatar_create,
  conversation_begin,
  conversation_end,
  conversation_remove,
  document_change,
  document_create,
  document_remove,
  end_user_limit_remove,
  end_user_limit_set,
  knowledge_group_change,
  knowledge_group_create,
  knowledge_group_remove,
  language_model_change,
  language_model_create,
  language_model_remove,
  live_session_end,
  member_accept_invitation,
  member_change_role,
  member_invite,
  member_remove,
  member_withdraw_invitation,
  persona_change,
  persona_create,
  persona_remove,
  refresh_token_suspect_theft,
  room_token_mint,
  server_secret_rotate,
  session_begin,
  session_end,
  session_remove,
  session_resume,
  session_token_revoke,
  session_token_suspect_theft,
  share_link_change,
  share_link_create,
  share_link_remove,
  share_link_use,
  store_back_up,
  token_key_export,
  tool_change,
  tool_create,
  tool_remove,
};

// "api_key.create".
std::string_view name_of(AuditAction action);

// Whether the server tells by it that a credential seems to be stolen: such an entry is kept apart
// from the refusals of whoever showed it (rules/audit_notes.h).
bool is_alarm(std::string_view action);

// All of them, in the order of the enumeration.
std::span<const std::string_view> audit_actions();

}  // namespace stagedoor::rules
