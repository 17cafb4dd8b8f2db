#include "actions/admit_call.h"

#include <algorithm>
#include <utility>

#include "rules/jwt.h"

namespace stagedoor::actions {
namespace {

using base::ErrorCode;
using rules::RateKind;

std::string bytes_of(const base::Address& address) {
  return std::string(address.bytes.begin(), address.bytes.end());
}

// How a key stands that was refused, for its owner; that it has expired is said already.
std::string_view standing_text(rules::ApiKeyStanding standing) {
  if (standing == rules::ApiKeyStanding::revoked) return "; it is revoked";
  return standing == rules::ApiKeyStanding::frozen ? "; it is frozen" : "";
}

base::Error too_often(RateKind kind) {
  if (kind == RateKind::app) {
    return {ErrorCode::rate_limited, "over the rate limit of the app",
            "The rate limit of the app, over all of its keys, is used up."};
  }
  return {ErrorCode::rate_limited, "over the rate limit", ""};
}

}  // namespace

bool is_token(std::string_view text) {
  const auto first = text.find('.');
  const auto second = first == text.npos ? text.npos : text.find('.', first + 1);
  return second != text.npos && text.find('.', second + 1) == text.npos;
}

const rules::RateLimit& AdmitCall::limit_of(const rules::ApiKeyTerms& terms) const {
  if (terms.own_limit) return *terms.own_limit;
  auto tier = options_.tiers.find(terms.tier);
  if (tier == options_.tiers.end()) tier = options_.tiers.find("free");
  return tier == options_.tiers.end() ? options_.stranger : tier->second;
}

const rules::RateLimit& AdmitCall::limit_for(RateKind kind) const {
  switch (kind) {
    case RateKind::person:
      return options_.person;
    case RateKind::password:
      return options_.password;
    case RateKind::login:
      return options_.login;
    case RateKind::account_creation:
      return options_.account_creation;
    case RateKind::api_key:
    case RateKind::app:
    case RateKind::end_user:
    case RateKind::stranger:
      return options_.stranger;
  }
  std::unreachable();
}

std::optional<AdmitCall::Outcome> AdmitCall::at_once(const Request& request) const {
  if (!request.credential) return of_stranger(request, request.credential.error());
  if (!rules::has_jwt_form(*request.credential)) return of_key(request, *request.credential);
  auto known = parts_.identities.at_once(*request.credential, parts_.clock.now());
  if (!known) return std::nullopt;
  return of_person(request, *std::move(known));
}

AdmitCall::Outcome AdmitCall::operator()(const Request& request) const {
  if (auto known = at_once(request)) return *std::move(known);
  return of_person(request, parts_.identities.verify(*request.credential, parts_.clock.now()));
}

rules::RateVerdict AdmitCall::take_of_key(const rules::KnownApiKey& key,
                                          const base::Address& client, base::Instant now) const {
  const auto own = take_of_key_alone(key, client, now);
  return own.is_allowed && key.app->limits.rate_limit ? take_of_app(key, own, now) : own;
}

rules::RateVerdict AdmitCall::take_of_key_alone(const rules::KnownApiKey& key,
                                                const base::Address& client,
                                                base::Instant now) const {
  char who[24];
  std::size_t length = 8;
  std::ranges::copy_n(reinterpret_cast<const char*>(&key.id), 8, who);
  if (options_.keys_count_per_network) {
    const auto party = base::party_of(client);
    std::ranges::copy(party.bytes, who + 8);
    length = sizeof who;
  }
  return parts_.limiter.take(RateKind::api_key, {who, length}, limit_of(*key.terms), now);
}

// A call that the key's own limit refuses costs the app nothing.
rules::RateVerdict AdmitCall::take_of_app(const rules::KnownApiKey& key,
                                          const rules::RateVerdict& own, base::Instant now) const {
  const auto& limit = *key.app->limits.rate_limit;
  if (limit.is_unlimited()) return own;
  const auto who = key.app->id + (key.environment == rules::Environment::live ? " live" : " test");
  const auto of_app = parts_.limiter.take(RateKind::app, who, limit, now);
  if (!of_app.is_allowed) return of_app;
  if (own.is_shadow || of_app.is_shadow) return own.is_shadow ? own : of_app;
  return own.limit.is_unlimited() || of_app.remaining < own.remaining ? of_app : own;
}

AdmitCall::Outcome AdmitCall::of_key(const Request& request, std::string_view text) const {
  const bool is_itself = request.purpose == Request::Purpose::revoking_itself;
  auto caller = is_itself ? parts_.authenticate.holder_of(text) : parts_.authenticate.whose(text);
  if (!caller) return of_refused_key(request, text, caller.error());
  const auto now = parts_.clock.now();
  const auto id = caller->api_key_id();
  if (!is_itself) {
    const auto may = AuthenticateApiKey::check_network(*caller, request.client);
    if (!may) {
      parts_.key_usage.count(id, request.client, rules::CallOutcome::refused, now);
      return of_stranger(request, may.error(), &*caller);
    }
  }
  const rules::KnownApiKey key{id, caller->environment(), &caller->app(), &caller->terms()};
  const auto limit = request.purpose == Request::Purpose::work
                         ? take_of_key(key, request.client, now)
                         : take_of_key_alone(key, request.client, now);
  auto outcome = judged(request, *std::move(caller), limit);
  parts_.key_usage.count(
      id, request.client,
      outcome.caller ? rules::CallOutcome::admitted : rules::CallOutcome::refused, now);
  return outcome;
}

AdmitCall::Outcome AdmitCall::of_person(const Request& request,
                                        base::Result<rules::Identity> identity) const {
  if (!identity) {
    // An issuer that does not answer is no fault of the caller, and no guess to slow down.
    if (identity.error().code == ErrorCode::unavailable)
      return {.caller = base::fail(identity.error()), .limit = {}};
    return of_stranger(request, identity.error());
  }
  auto member = parts_.members.member_of(*identity, request.workspace_id);
  if (!member) return of_stranger(request, member.error());
  std::string who;
  who.reserve(identity->issuer.size() + 1 + identity->subject.size());
  who.append(identity->issuer).append(1, '\0').append(identity->subject);
  const auto limit =
      parts_.limiter.take(RateKind::person, who, options_.person, parts_.clock.now());
  return judged(request, rules::Caller(*std::move(identity), *std::move(member)), limit);
}

rules::RateVerdict AdmitCall::take_of_stranger(const Request& request, base::Error& why) const {
  const auto limit =
      parts_.limiter.take(RateKind::stranger, bytes_of(base::party_of(request.client)),
                          options_.stranger, parts_.clock.now());
  if (!limit.is_allowed) why = too_often(limit.kind);
  return limit;
}

AdmitCall::Outcome AdmitCall::of_refused_key(const Request& request, std::string_view text,
                                             base::Error why) const {
  // A text that can be no key has no owner, and that shows in itself.
  const bool may_be_key =
      why.code != ErrorCode::mistyped_key && text.size() <= rules::foreign_key_bytes_max;
  if (!may_be_key) return of_stranger(request, std::move(why));
  const auto limit = take_of_stranger(request, why);
  note_shadow(limit, nullptr, {request.action, request.peer, request.request_id});
  parts_.audit.note_later(refusal(request, why), [this, key = base::Secret(text)](auto& entry) {
    const auto known = parts_.authenticate.look_up(key.expose());
    if (!known) return;
    entry.actor = rules::api_key_id_text(known->id);
    entry.workspace_id = known->app->workspace_id;
    entry.detail += standing_text(known->standing);
  });
  return {.caller = base::fail(std::move(why)), .limit = limit};
}

AdmitCall::Outcome AdmitCall::of_stranger(const Request& request, base::Error why,
                                          const rules::Caller* known) const {
  const auto limit = take_of_stranger(request, why);
  note_shadow(limit, known, {request.action, request.peer, request.request_id});
  note_refusal(request, known ? known->actor() : "", known ? known->workspace_id() : "", why);
  return {.caller = base::fail(std::move(why)), .limit = limit};
}

AdmitCall::Outcome AdmitCall::judged(const Request& request, rules::Caller caller,
                                     rules::RateVerdict limit) const {
  if (!limit.is_allowed) {
    auto error = too_often(limit.kind);
    note_refusal(request, caller.actor(), caller.workspace_id(), error);
    return {.caller = base::fail(std::move(error)), .limit = limit};
  }
  note_shadow(limit, &caller, {request.action, request.peer, request.request_id});
  if (request.needs && !caller.may(*request.needs)) {
    const auto scope = std::string(rules::name_of(*request.needs));
    base::Error error{ErrorCode::forbidden, caller.actor() + " lacks " + scope,
                      "This needs the permission " + scope + ", which the credential has not."};
    note_refusal(request, caller.actor(), caller.workspace_id(), error);
    return {.caller = base::fail(std::move(error)), .limit = limit};
  }
  return {.caller = std::move(caller), .limit = limit};
}

AdmitCall::OpenOutcome AdmitCall::open_call(RateKind kind, const base::Address& client,
                                            std::string_view who, std::string_view peer,
                                            std::string_view request_id,
                                            std::string_view action) const {
  auto whose = bytes_of(base::party_of(client));
  whose += who;
  auto limit = parts_.limiter.take(kind, whose, limit_for(kind), parts_.clock.now());
  note_shadow(limit, nullptr, {action, peer, request_id});
  // Of one account's password, from all networks together; only what its own network allows counts.
  if (limit.is_allowed && kind == RateKind::password && !who.empty()) {
    const auto of_all = parts_.limiter.take(kind, "account " + std::string(who),
                                            options_.password_of_account, parts_.clock.now());
    note_shadow(of_all, nullptr, {action, peer, request_id});
    if (!of_all.is_allowed) limit = of_all;
  }
  if (limit.is_allowed) return {.done = base::Done{}, .limit = limit};
  auto error = too_often(kind);
  parts_.audit.note({.at = parts_.clock.now(),
                     .workspace_id = {},
                     .actor = {},
                     .action = std::string(action),
                     .subject = {},
                     .outcome = rules::AuditOutcome::refused,
                     .peer = std::string(peer),
                     .request_id = std::string(request_id),
                     .detail = error.detail});
  return {.done = base::fail(std::move(error)), .limit = limit};
}

void AdmitCall::note_refused(const rules::Caller& caller, const Request& request,
                             std::string_view detail) const {
  note_refusal(request, caller.actor(), caller.workspace_id(),
               {ErrorCode::forbidden, std::string(detail), ""});
}

void AdmitCall::note_refused(const rules::Caller& caller, const Request& request,
                             const base::Error& why) const {
  switch (why.code) {
    case ErrorCode::unauthenticated:
    case ErrorCode::token_expired:
    case ErrorCode::payment_required:
    case ErrorCode::app_mismatch:
    case ErrorCode::forbidden:
    case ErrorCode::rate_limited:
      return note_refused(caller, request, why.detail);
    default:
      return;
  }
}

rules::AuditEntry AdmitCall::refusal(const Request& request, const base::Error& error) const {
  return {.at = parts_.clock.now(),
          .workspace_id = {},
          .actor = {},
          .action = std::string(request.action),
          .subject = {},
          .outcome = rules::AuditOutcome::refused,
          .peer = std::string(request.peer),
          .request_id = std::string(request.request_id),
          .detail = error.detail};
}

void AdmitCall::note_refusal(const Request& request, const std::string& actor,
                             const std::string& workspace_id, const base::Error& error) const {
  auto entry = refusal(request, error);
  entry.actor = actor;
  entry.workspace_id = workspace_id;
  parts_.audit.note(std::move(entry));
}

void AdmitCall::note_shadow(const rules::RateVerdict& limit, const rules::Caller* known,
                            const Noted& noted) const {
  if (!limit.is_shadow) return;
  parts_.audit.note({.at = parts_.clock.now(),
                     .workspace_id = known ? known->workspace_id() : "",
                     .actor = known ? known->actor() : "",
                     .action = std::string(noted.action),
                     .subject = {},
                     .outcome = rules::AuditOutcome::done,
                     .peer = std::string(noted.peer),
                     .request_id = std::string(noted.request_id),
                     .detail = "over the rate limit " + std::string(rules::name_of(limit.kind)) +
                               ", which only watches"});
}

}  // namespace stagedoor::actions
