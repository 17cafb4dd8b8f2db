#include "actions/people.h"

#include <utility>

namespace stagedoor::actions {

rules::AuditEntry entry_of(const People& people, const CallOrigin& origin, std::string actor,
                           rules::AuditAction action, std::string subject) {
  rules::AuditEntry entry;
  entry.at = people.clock.now();
  entry.actor = std::move(actor);
  entry.action = name_of(action);
  entry.subject = std::move(subject);
  entry.outcome = rules::AuditOutcome::done;
  entry.peer = origin.peer;
  entry.request_id = origin.request_id;
  return entry;
}

void note_refusal(const People& people, rules::AuditEntry entry, const base::Error& error) {
  entry.outcome = rules::AuditOutcome::refused;
  entry.detail = error.detail;
  people.audit.note(std::move(entry));
}

NewRefreshToken first_refresh_token(const People& people, const std::string& account_id) {
  const auto now = people.clock.now();
  NewRefreshToken token;
  token.text = rules::new_refresh_token(people.random);
  token.kept.hash = rules::hash_of_refresh_token(token.text.expose());
  token.kept.family = "log_" + base::random_base62(people.random, 20);
  token.kept.account_id = account_id;
  token.kept.created_at = now;
  token.kept.expires_at = now + rules::refresh_token_lifetime;
  return token;
}

LoggedIn logged_in(const People& people, rules::Account account, NewRefreshToken refresh) {
  const auto now = people.clock.now();
  LoggedIn made;
  made.access_token = people.keys.access_token(account, people.random, now);
  made.access_expires_at = now + rules::access_token_lifetime;
  made.refresh_token = std::move(refresh.text);
  made.refresh_expires_at = refresh.kept.expires_at;
  made.account = std::move(account);
  return made;
}

base::Result<base::Done> check_is_ours(const People& people, const rules::Caller& caller) {
  if (caller.kind() != rules::CallerKind::person)
    return base::fail(base::ErrorCode::forbidden, "a call of people by an API key",
                      "This is about a person's own account; an API key can't do it.");
  if (caller.identity().issuer == people.keys.issuer()) return base::Done{};
  return base::fail(base::ErrorCode::unsupported, "not an account of our own",
                    "Your log-in is kept by your identity provider; do this there.");
}

}  // namespace stagedoor::actions
