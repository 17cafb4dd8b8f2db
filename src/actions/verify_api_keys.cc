#include "actions/verify_api_keys.h"

#include <utility>

#include "actions/find_api_key.h"

namespace stagedoor::actions {
namespace {

using rules::ApiKeyStanding;
using rules::CallerKind;

bool is_of(const rules::KnownApiKey& key, const rules::Caller& caller) {
  if (caller.kind() == CallerKind::api_key)
    // The same object nearly always; an app that was changed has another.
    return key.environment == caller.environment() &&
           (key.app == &caller.app() || key.app->id == caller.app().id);
  return !caller.workspace_id().empty() && key.app->workspace_id == caller.workspace_id();
}

}  // namespace

std::string_view name_of(KeyVerdict verdict) {
  switch (verdict) {
    case KeyVerdict::valid:
      return "valid";
    case KeyVerdict::unknown:
      return "unknown";
    case KeyVerdict::malformed:
      return "malformed";
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

std::optional<rules::ApiKeyHash> VerifyApiKeys::hash_of(
    std::string_view text, std::optional<rules::Environment> environment, Outcome& outcome) const {
  const auto key = rules::ReadApiKey::of(text);
  if (!key) {
    if (const auto foreign = rules::foreign_hash_of(text)) return parts_.hasher.current(*foreign);
    const bool is_mistyped = key.error().code == base::ErrorCode::mistyped_key;
    outcome.verdict = is_mistyped ? KeyVerdict::mistyped : KeyVerdict::malformed;
    outcome.hint = key.error().hint;
    return std::nullopt;
  }
  if (!environment || key->environment() == *environment) return parts_.hasher.current(*key);
  outcome.verdict = KeyVerdict::wrong_environment;
  return std::nullopt;
}

void VerifyApiKeys::operator()(const rules::Caller& caller, const Asked& asked,
                               std::span<const std::string_view> texts, Batch& batch) const {
  const auto now = parts_.clock.now();
  auto environment = asked.environment;
  if (caller.kind() == CallerKind::api_key) environment = caller.environment();
  auto& [outcomes, hashes, places, known] = batch;
  outcomes.assign(texts.size(), {});
  hashes.clear();
  places.clear();
  // All hashes first, then all look-ups: see ApiKeyStore::find_many.
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto hash = hash_of(texts[i], environment, outcomes[i]);
    if (!hash) continue;
    hashes.push_back(*hash);
    places.push_back(i);
  }
  known.assign(hashes.size(), std::nullopt);
  parts_.keys.find_many(hashes, known);
  for (std::size_t i = 0; i < places.size(); ++i) {
    // What is not a good key under the current server secret: under an older one, or refused.
    if (!known[i]) known[i] = look_up_api_key_of(parts_.keys, parts_.hasher, texts[places[i]]);
    outcomes[places[i]] = of_known(caller, asked, environment, known[i], now);
  }
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
    outcome.limit = parts_.admit.take_of_key(*known, client, now);
    outcome.verdict = outcome.limit.is_allowed ? KeyVerdict::valid : KeyVerdict::rate_limited;
    parts_.key_usage.count(
        known->id, client,
        outcome.limit.is_allowed ? rules::CallOutcome::admitted : rules::CallOutcome::refused, now);
  }
  return outcome;
}

}  // namespace stagedoor::actions
