#include "actions/log_out.h"

namespace stagedoor::actions {

base::Result<base::Done> LogOut::operator()(const base::Secret& refresh_token,
                                            const CallOrigin& origin) const {
  return people_.accounts.end_log_in(
      rules::hash_of_refresh_token(refresh_token.expose()),
      entry_of(people_, origin, "", rules::AuditAction::account_log_out, ""));
}

base::Result<base::Done> LogOut::everywhere(const rules::Caller& caller,
                                            const CallOrigin& origin) const {
  if (auto ours = check_is_ours(people_, caller); !ours) return ours;
  const auto ended = people_.accounts.end_all_log_ins(
      caller.account_id(),
      entry_of(people_, origin, caller.actor(), rules::AuditAction::account_log_out_everywhere,
               caller.account_id()));
  if (!ended) return base::fail(ended.error());
  return base::Done{};
}

}  // namespace stagedoor::actions
