#include "actions/verify_api_keys.h"

#include <utility>

#include "actions/find_api_key.h"

namespace stagedoor::actions {
namespace {

using rules::ApiKeyStanding;
using rules::CallerKind;

bool is_of(const rules::KnownApiKey& key, const rules::Caller& caller) {
  if (caller.kind() == CallerKind::api_key)
    return key.app->id == caller.app().id && key.environment == caller.environment();
  return !caller.workspace_id().empty() && key.app->workspace_id == caller.workspace_id();
}

}  // namespace

std::string_view name_of(KeyVerdict verdict) {
  switch (verdict) {
    case KeyVerdict::valid:
      return "valid";
    case KeyVerdict::unknown:
      return "unknown";
    case KeyVerdict::mistyped:
      return "mistyped";
    case KeyVerdict::wrong_environment:
      return "wrong_environment";
    case KeyVerdict::revoked:
      return "revoked";
    case KeyVerdict::frozen:
      return "frozen";
    case KeyVerdict::expired:
      return "expired";
    case KeyVerdict::network:
      return "network";
    case KeyVerdict::missing_scope:
      return "missing_scope";
    case KeyVerdict::rate_limited:
      return "rate_limited";
  }
  std::unreachable();
}

void VerifyApiKeys::operator()(const rules::Caller& caller, const Asked& asked,
                               std::span<const std::string_view> texts,
                               std::vector<Outcome>& outcomes) const {
  const auto now = parts_.clock.now();
  auto environment = asked.environment;
  if (caller.kind() == CallerKind::api_key) environment = caller.environment();
  outcomes.clear();
  outcomes.reserve(texts.size());
  for (const auto text : texts) outcomes.push_back(of_text(caller, asked, environment, text, now));
}

VerifyApiKeys::Outcome VerifyApiKeys::of_text(const rules::Caller& caller, const Asked& asked,
                                              std::optional<rules::Environment> environment,
                                              std::string_view text, base::Instant now) const {
  const auto key = rules::ApiKeyText::parse(text);
  if (key) {
    if (environment && key->environment() != *environment)
      return {KeyVerdict::wrong_environment, std::nullopt, {}};
    return of_known(caller, asked, environment, look_up_api_key(parts_.keys, parts_.hasher, *key),
                    now);
  }
  if (key.error().code == base::ErrorCode::mistyped_key)
    return {KeyVerdict::mistyped, std::nullopt, {}};
  const auto foreign = rules::foreign_hash_of(text);
  if (!foreign) return {};
  return of_known(caller, asked, environment, look_up_api_key(parts_.keys, parts_.hasher, *foreign),
                  now);
}

VerifyApiKeys::Outcome VerifyApiKeys::of_known(const rules::Caller& caller, const Asked& asked,
                                               std::optional<rules::Environment> environment,
                                               const std::optional<rules::KnownApiKey>& known,
                                               base::Instant now) const {
  if (!known || !is_of(*known, caller)) return {};
  if (environment && known->environment != *environment) return {};
  Outcome outcome;
  outcome.key = known;
  const auto client = asked.network.value_or(asked.client);
  if (known->standing == ApiKeyStanding::revoked) {
    outcome.verdict = KeyVerdict::revoked;
  } else if (known->standing == ApiKeyStanding::frozen) {
    outcome.verdict = KeyVerdict::frozen;
  } else if (known->has_expired(now)) {
    outcome.verdict = KeyVerdict::expired;
  } else if (asked.network && !known->terms->allows(*asked.network)) {
    outcome.verdict = KeyVerdict::network;
  } else if (!known->terms->scopes.covers(asked.scopes)) {
    outcome.verdict = KeyVerdict::missing_scope;
  } else {
    outcome.limit = parts_.admit.take_of_key(known->id, *known->terms, client, now);
    outcome.verdict = outcome.limit.is_allowed ? KeyVerdict::valid : KeyVerdict::rate_limited;
    parts_.key_usage.count(
        known->id, client,
        outcome.limit.is_allowed ? rules::CallOutcome::admitted : rules::CallOutcome::refused, now);
  }
  return outcome;
}

}  // namespace stagedoor::actions
