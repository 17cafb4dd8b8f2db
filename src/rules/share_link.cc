#include "rules/share_link.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/iso_time.h"
#include "base/text.h"
#include "rules/session_token.h"

namespace stagedoor::rules {
namespace {

using base::Json;
using base::JsonShape;
using Others = base::JsonShape::Others;

constexpr std::string_view token_prefix = "sh_";
constexpr std::size_t token_random_length = 32;

constexpr std::array<std::string_view, 3> kinds = {"LINK", "PLAYER_EMBED", "ORB_EMBED"};

bool is_time(std::string_view text) {
  return base::parse_iso_time(text).has_value();
}

void check_time_members(const Json& link, const std::string& path, ItemFaults& faults) {
  if (link.member("expiresAt") && link.member("expiresInHours"))
    base::add_fault(faults, base::member_path(path, "expiresAt"), "conflict",
                    "Give expiresAt or expiresInHours, not both.");
}

std::vector<JsonShape::Member> changeable() {
  return {
      {"allowAllOrigins", JsonShape::flag()},
      {"allowedOrigins",
       JsonShape::list(
           JsonShape::text({.characters_max = session_token_origin_bytes_max,
                            .is_good = &is_origin,
                            .must_be = "an origin as browsers send it: https://example.com"}),
           session_token_origins_max)},
      {"enabled", JsonShape::flag()},
      {"expiresAt", JsonShape::text({.characters_max = 64,
                                     .is_good = &is_time,
                                     .must_be = "a time with its zone: 2026-11-24T15:27:01Z"})},
      {"expiresInHours", JsonShape::whole(1, share_link_lifetime_max.count())},
      {"isPrimary", JsonShape::flag()},
      {"removeWatermark", JsonShape::flag()},
      {"type", JsonShape::choice({kinds[0], kinds[1], kinds[2]})},
      {"usageLimit", JsonShape::whole(1, share_link_uses_max)},
  };
}

void read_flag(const Json& body, std::string_view name, bool& flag) {
  const auto member = body.member(name);
  if (member && !member->is_null()) flag = member->flag().value_or(flag);
}

// null stands for no end and no limit.
void read_limits(const Json& body, base::Instant now, ShareLinkTerms& terms, ItemFaults& faults) {
  if (const auto limit = body.member("usageLimit"))
    terms.uses_max = limit->is_null() ? std::nullopt : limit->integer();
  if (const auto hours = body.member("expiresInHours")) {
    terms.expires_at.reset();
    if (const auto count = hours->integer()) terms.expires_at = now + std::chrono::hours(*count);
  }
  if (const auto time = body.member("expiresAt")) {
    terms.expires_at.reset();
    if (const auto text = time->text()) terms.expires_at = base::parse_iso_time(*text);
    if (terms.expires_at && *terms.expires_at <= now)
      base::add_fault(faults, "expiresAt", "out_of_range", "must lie in the future");
    if (terms.expires_at && *terms.expires_at > now + share_link_lifetime_max)
      base::add_fault(faults, "expiresAt", "out_of_range", "must be within 366 days");
  }
}

void read_origins(const Json& body, ShareLinkTerms& terms) {
  const auto list = body.member("allowedOrigins");
  simdjson::dom::array origins;
  if (!list || list->element().get(origins) != simdjson::SUCCESS) return;
  terms.allowed_origins.clear();
  for (const auto origin : origins)
    terms.allowed_origins.emplace_back(Json(origin).text().value_or(""));
}

// Of a body whose members are in their form.
void read_terms(const Json& body, base::Instant now, ShareLinkTerms& terms, ItemFaults& faults) {
  read_limits(body, now, terms, faults);
  read_origins(body, terms);
  read_flag(body, "allowAllOrigins", terms.is_for_any_origin);
  read_flag(body, "removeWatermark", terms.is_without_watermark);
  read_flag(body, "enabled", terms.is_enabled);
  read_flag(body, "isPrimary", terms.is_primary);
  const auto kind = body.member("type");
  const auto found = std::ranges::find(kinds, kind ? kind->text().value_or("") : "");
  if (found != kinds.end()) terms.kind = static_cast<ShareLinkKind>(found - kinds.begin());
}

}  // namespace

base::Secret new_share_token(base::Random& random) {
  return base::Secret(std::string(token_prefix) + base::random_base62(random, token_random_length));
}

bool is_share_token(std::string_view text) {
  return text.size() == token_prefix.size() + token_random_length &&
         text.starts_with(token_prefix) &&
         std::ranges::all_of(text.substr(token_prefix.size()), &base::is_base62);
}

std::vector<crypto::Digest> ShareTokenHasher::all(const base::Secret& token) const {
  std::vector<crypto::Digest> hashes;
  for (const auto& key : generations_) hashes.push_back(key.mac(token.expose()));
  return hashes;
}

std::string_view name_of(ShareLinkKind kind) {
  return kinds[static_cast<std::size_t>(kind)];
}

std::string visitor_of(const ShareLink& link) {
  return "share_link:" + link.id;
}

TokenRevocation end_of_what_opened(const ShareLink& link, base::Instant now) {
  return {.subject = RevokedSubject::end_user,
          .workspace_id = link.scope.workspace_id,
          .app_id = link.scope.app_id,
          .environment = link.scope.environment,
          .value = visitor_of(link),
          .minted_until = now};
}

std::string_view why_closed(const ShareLink& link, std::optional<std::string_view> origin,
                            base::Instant now) {
  const auto& terms = link.terms;
  if (!terms.is_enabled) return "the share link is disabled";
  if (terms.expires_at && now >= *terms.expires_at) return "the share link has expired";
  if (terms.uses_max && link.uses >= *terms.uses_max) return "the share link is used up";
  if (link.has_maker_logged_out) return "the share link's maker has logged out everywhere since";
  const bool is_for_some = !terms.is_for_any_origin && !terms.allowed_origins.empty();
  if (is_for_some &&
      (!origin || std::ranges::find(terms.allowed_origins, *origin) == terms.allowed_origins.end()))
    return "the share link is not for this origin";
  return {};
}

std::expected<ShareLinkDraft, ItemFaults> read_share_link(const Json& body, base::Instant now) {
  static const auto shape = [] {
    auto members = changeable();
    members.push_back({"personaId", JsonShape::text({.characters_min = 1, .characters_max = 128}),
                       base::Presence::required});
    return JsonShape::object(std::move(members), Others::ignored, &check_time_members);
  }();
  ItemFaults faults;
  shape.read(body, "", faults);
  if (!faults.empty()) return std::unexpected(std::move(faults));
  ShareLinkDraft draft;
  draft.persona_id = body.member("personaId")->text().value_or("");
  draft.terms.expires_at = now + share_link_lifetime_otherwise;
  draft.terms.uses_max = share_link_uses_otherwise;
  read_terms(body, now, draft.terms, faults);
  if (!faults.empty()) return std::unexpected(std::move(faults));
  return draft;
}

std::expected<ShareLinkTerms, ItemFaults> changed_terms(const ShareLinkTerms& before,
                                                        const Json& change, base::Instant now) {
  static const auto shape = JsonShape::object(changeable(), Others::refused, &check_time_members);
  ItemFaults faults;
  shape.read(change, "", faults);
  if (!faults.empty()) return std::unexpected(std::move(faults));
  auto terms = before;
  read_terms(change, now, terms, faults);
  if (!faults.empty()) return std::unexpected(std::move(faults));
  return terms;
}

}  // namespace stagedoor::rules
