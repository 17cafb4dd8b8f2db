#include "actions/limit_end_user.h"

#include <string>

namespace stagedoor::actions {
namespace {

using rules::Environment;
using Step = LimitEndUser::Step;

// What tells one end user at one step from all others: an app's id has no zero byte in it.
std::string counted_as(const LimitEndUser::Request& request) {
  std::string who(request.app.id);
  who += '\0';
  who += request.environment == Environment::live ? 'l' : 't';
  who += request.step == Step::minting ? 'm' : 'o';
  return who.append(request.end_user_id);
}

std::unexpected<base::Error> refused(const LimitEndUser::Request& request,
                                     const rules::RateVerdict& verdict) {
  const std::string what = request.step == Step::minting ? "minting" : "opening a session";
  base::Error error{
      base::ErrorCode::rate_limited,
      "over the rate limit end-user by " + what + ": " + std::string(request.end_user_id),
      "The end user's rate limit for " + what + " is used up."};
  error.retry_after = std::chrono::ceil<std::chrono::seconds>(verdict.retry_after);
  return base::fail(std::move(error));
}

}  // namespace

base::Result<base::Done> LimitEndUser::take(const Request& request,
                                            const rules::RateLimit& limit) const {
  const auto now = parts_.clock.now();
  const auto verdict =
      parts_.limiter.take(rules::RateKind::end_user, counted_as(request), limit, now);
  if (!verdict.is_allowed) return refused(request, verdict);
  if (!verdict.is_shadow) return base::Done{};
  rules::AuditEntry entry;
  entry.at = now;
  entry.workspace_id = request.app.workspace_id;
  entry.actor = request.actor;
  entry.action = request.step == Step::minting ? "session_token.mint" : "session.open";
  entry.subject = request.app.id;
  entry.peer = request.peer;
  entry.request_id = request.request_id;
  entry.detail = "over the rate limit end-user, which only watches";
  parts_.audit.note(std::move(entry));
  return base::Done{};
}

}  // namespace stagedoor::actions
