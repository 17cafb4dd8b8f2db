#include "actions/rotate_api_key.h"

#include <algorithm>

namespace stagedoor::actions {
namespace {

struct Made {
  rules::NewApiKey record;
  rules::ApiKeyText text;
};

Made successor_of(const KeyMaking& parts, const KeyManager& manager, const rules::ApiKey& old,
                  std::optional<base::Instant> expires_at, base::Instant now) {
  auto text = rules::ApiKeyText::make(old.environment, parts.random);
  rules::ApiKey key;
  key.id = new_key_id(parts.random);
  key.app_id = old.app_id;
  key.environment = old.environment;
  key.name = old.name;
  key.ends = text.ends();
  key.terms = old.terms;
  key.expires_at = expires_at;
  key.created_by = manager.actor();
  key.created_at = now;
  auto entry =
      manager.entry(now, rules::AuditAction::api_key_rotate, rules::api_key_id_text(old.id),
                    workspace_of(parts.catalog, old.app_id));
  entry.detail = "replaced by " + rules::api_key_id_text(key.id);
  const auto hash = parts.hasher.current(text);
  return {{std::move(key), hash, std::move(entry)}, std::move(text)};
}

}  // namespace

base::Result<RotateApiKey::Rotated> RotateApiKey::operator()(const KeyManager& manager,
                                                             const Request& request) const {
  const auto now = parts_.clock.now();
  if (auto grace = rules::check_grace(request.grace); !grace) return base::fail(grace.error());
  const auto old = manager.find(request.id, parts_.records, parts_.catalog);
  if (!old) return base::fail(old.error());
  auto expires_at = old->expires_at;
  if (request.expires_at) {
    expires_at = std::chrono::floor<std::chrono::seconds>(*request.expires_at);
    if (*expires_at <= now || *expires_at > rules::api_key_expiry_max)
      return base::fail(base::ErrorCode::malformed, "expiry of a successor",
                        "expires_at is not in the future, or later than the year 2106.");
  }
  // The key may be older than its own maker's rights: a rotation must not renew what is stronger.
  if (auto may = manager.check_may_renew(old->terms, expires_at, parts_.tiers); !may)
    return base::fail(may.error());
  const rules::Retirement retirement{.now = now, .grace = request.grace};
  if (auto may = rules::check_may_rotate(*old, retirement); !may) return base::fail(may.error());
  auto made = successor_of(parts_, manager, *old, expires_at, now);
  auto retired = parts_.records.rotate(manager.maker(), old->id, retirement, made.record);
  if (!retired) return base::fail(retired.error());
  return Rotated{*std::move(retired), {std::move(made.record.key), std::move(made.text)}};
}

base::Result<RotateAppKeys::Rotated> RotateAppKeys::operator()(const KeyManager& manager,
                                                               const Request& request) const {
  const auto now = parts_.clock.now();
  if (auto grace = rules::check_grace(request.grace); !grace) return base::fail(grace.error());
  const auto place = manager.choose(parts_.catalog, request.app_id, request.environment);
  if (!place) return base::fail(place.error());
  Rotated rotated;
  const auto make = [&](const rules::ApiKey& old) -> base::Result<rules::NewApiKey> {
    if (auto may = manager.check_may_renew(old.terms, old.expires_at, parts_.tiers); !may)
      return base::fail(may.error());
    auto made = successor_of(parts_, manager, old, old.expires_at, now);
    rotated.successors.push_back({made.record.key, std::move(made.text)});
    return std::move(made.record);
  };
  auto entry = manager.entry(now, rules::AuditAction::app_rotate_keys, place->app->id,
                             place->app->workspace_id);
  // Its first word tells a reader of one environment whether the entry is theirs.
  entry.detail = std::string(rules::name_of(place->environment)) + " keys, grace " +
                 std::to_string(request.grace.count()) + " s";
  auto done =
      parts_.records.rotate_all(manager.maker(), place->app->id, place->environment,
                                {.now = now, .grace = request.grace}, make, std::move(entry));
  if (!done) return base::fail(done.error());
  rotated.old_and_new = std::move(done->old_and_new);
  rotated.frozen = std::move(done->frozen);
  rotated.left = done->left;
  return rotated;
}

}  // namespace stagedoor::actions
