#include "server/session_office.h"

#include <algorithm>

namespace stagedoor::server {

SessionOffice::SessionOffice(Parts parts, const Config& config)
    : parts_(parts),
      events_(parts.log),
      ledger_(*parts.workspace.ledger, parts.workspace.minutes),
      minute_watch_({.catalog = *parts.workspace.catalog,
                     .meter = parts.workspace.minutes,
                     .sessions = sessions_,
                     .clock = parts.workspace.clock,
                     .log = parts.log}),
      admit_({.catalog = *parts.workspace.catalog,
              .api_keys = *parts.workspace.keys,
              .keys = *parts.workspace.token_keys,
              .redemptions = *parts.workspace.redemptions,
              .sessions = sessions_,
              .revocations = *parts.workspace.revocations,
              .members = *parts.workspace.people,
              .limit_end_user = *parts.workspace.limit_end_user,
              .limiter = *parts.workspace.limiter,
              .minutes = parts.workspace.minutes,
              .marker = *parts.workspace.client_marker,
              .ledger = ledger_,
              .audit = parts.audit,
              .events = events_,
              .clock = parts.workspace.clock,
              .random = parts.workspace.random,
              .log = parts.log},
             {.region = config.region,
              .stranger = config.limits.stranger,
              .unlisted_origins = config.unlisted_origins == "none" ? rules::UnlistedOrigins::none
                                                                    : rules::UnlistedOrigins::any}),
      revoke_({.catalog = *parts.workspace.catalog,
               .keys = *parts.workspace.token_keys,
               .revocations = *parts.workspace.revocations,
               .clock = parts.workspace.clock}),
      end_({.sessions = sessions_, .ledger = ledger_, .clock = parts.workspace.clock}),
      tokens_api_({.mint = *parts.workspace.mint,
                   .mint_persona = *parts.workspace.mint_persona,
                   .revoke = revoke_,
                   .clock = parts.workspace.clock}),
      sessions_api_({.sessions = sessions_, .end = end_}) {}

base::Result<base::Done> SessionOffice::open() {
  if (auto opened = parts_.workspace.ledger->open(); !opened) return opened;
  if (auto loaded = load_minutes(); !loaded) return loaded;
  minute_watch_.start();
  parts_.workspace.keys->on_revoked(
      [this](std::span<const std::uint64_t> ids) { end_sessions_of_keys(ids); });
  parts_.workspace.revocations->on_revoked(
      [this](const rules::TokenRevocation& revocation) { return end_sessions_of(revocation); });
  return base::Done{};
}

base::Result<base::Done> SessionOffice::load_minutes() {
  const auto now = parts_.workspace.clock.now();
  const auto uses = parts_.workspace.ledger->live_use_since(rules::month_of(now));
  if (!uses) return base::fail(uses.error());
  for (const auto& use : *uses) parts_.workspace.minutes.load(use.app_id, use.seconds, now);
  return base::Done{};
}

void SessionOffice::close() {
  minute_watch_.stop();
  parts_.workspace.keys->on_revoked({});
  parts_.workspace.revocations->on_revoked({});
  parts_.workspace.ledger->finish();
}

void SessionOffice::add_to(http::Router& router, const front::Guard& guard) const {
  tokens_api_.add_to(router, guard);
  sessions_api_.add_to(router, guard);
}

std::optional<rules::SessionEnd> SessionOffice::must_end(const rules::LiveSession& session) const {
  const auto key = rules::parse_api_key_id(session.api_key_id);
  if ((key && parts_.workspace.keys->is_revoked(*key)) ||
      parts_.workspace.revocations->is_revoked(session.revocable()))
    return rules::SessionEnd::revoked;
  const bool counts = session.environment == rules::Environment::live;
  const auto* app = counts ? parts_.workspace.catalog->app(session.app_id) : nullptr;
  if (app != nullptr &&
      rules::are_minutes_used_up(*app, parts_.workspace.minutes, parts_.workspace.clock.now()))
    return rules::SessionEnd::minutes_used_up;
  if (parts_.is_stopping.load()) return rules::SessionEnd::shutting_down;
  return std::nullopt;
}

void SessionOffice::end_sessions_of_keys(std::span<const std::uint64_t> api_key_ids) {
  const auto rests_on_one = [&](const rules::LiveSession& session) {
    const auto key = rules::parse_api_key_id(session.api_key_id);
    return key && std::ranges::binary_search(api_key_ids, *key);
  };
  const auto ended = sessions_.end_where(rests_on_one, rules::SessionEnd::revoked);
  parts_.log.write(base::LogLevel::warning, "api_key.revoked",
                   {{"api_keys", api_key_ids.size()}, {"live_sessions_ended", ended}});
}

std::size_t SessionOffice::end_sessions_of(const rules::TokenRevocation& revocation) {
  const auto ended = sessions_.end_where(
      [&](const rules::LiveSession& session) { return revocation.covers(session.revocable()); },
      rules::SessionEnd::revoked);
  parts_.log.write(base::LogLevel::warning, "session_token.revoked",
                   {{"subject", rules::name_of(revocation.subject)},
                    {"workspace_id", revocation.workspace_id},
                    {"app_id", revocation.app_id},
                    {"environment", rules::name_of(revocation.environment)},
                    {"live_sessions_ended", ended}});
  return ended;
}

}  // namespace stagedoor::server
