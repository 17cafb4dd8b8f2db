#include "rules/session_token.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

#include "base/json.h"
#include "base/text.h"
#include "crypto/hash.h"

namespace stagedoor::rules {
namespace {

using base::Json;

constexpr std::string_view audience = "motion-server";
constexpr std::array<std::string_view, 3> types = {"session", "ephemeral", "stateful"};

// Reads members and remembers whether any was missing or of the wrong kind.
class Members {
 public:
  explicit Members(std::optional<Json> object) : object_(object), complete_(object.has_value()) {}

  std::string text(std::string_view name) {
    const auto member = find(name);
    const auto text = member ? member->text() : std::nullopt;
    complete_ = complete_ && text.has_value();
    return std::string(text.value_or(""));
  }
  std::int64_t integer(std::string_view name) {
    const auto member = find(name);
    const auto number = member ? member->integer() : std::nullopt;
    complete_ = complete_ && number && *number >= 0 && *number <= 253402300799;  // year 9999
    return complete_ ? *number : 0;
  }
  std::optional<Json> find(std::string_view name) {
    return object_ ? object_->member(name) : std::nullopt;
  }
  bool complete() const { return complete_; }

 private:
  std::optional<Json> object_;
  bool complete_;
};

std::optional<SessionTokenId> parse_id(std::string_view text) {
  const auto bytes = base::from_base64url(text);
  SessionTokenId id;
  if (!bytes || bytes->size() != id.size()) return std::nullopt;
  std::memcpy(id.data(), bytes->data(), id.size());
  return id;
}

std::unexpected<base::Error> odd_claims() {
  return base::fail(base::ErrorCode::unauthenticated, "session token with odd claims");
}

// nullopt: there is a member of that name, and it is not a list of texts.
std::optional<std::vector<std::string>> texts_of(const std::optional<Json>& member,
                                                 std::size_t count_max) {
  std::vector<std::string> list;
  if (!member) return list;
  simdjson::dom::array array;
  if (member->element().get_array().get(array) != simdjson::SUCCESS || array.size() > count_max ||
      array.size() == 0)
    return std::nullopt;
  for (const auto element : array) {
    std::string_view text;
    if (element.get_string().get(text) != simdjson::SUCCESS) return std::nullopt;
    list.emplace_back(text);
  }
  return list;
}

void append_list(std::string& out, std::string_view name, const std::vector<std::string>& list) {
  if (list.empty()) return;
  out.append(",\"").append(name).append("\":");
  char before = '[';
  for (const auto& text : list) {
    out += before;
    base::append_json_string(out, text);
    before = ',';
  }
  out += ']';
}

// What few tokens carry; each only where it says something.
void append_rarities(std::string& out, const SessionToken& token) {
  append_list(out, "regions", token.regions);
  append_list(out, "origins", token.allowed_origins);
  if (!token.metadata.empty()) out.append(",\"meta\":").append(token.metadata);
  if (token.leash.warning_before.count() > 0)
    out.append(",\"warn\":").append(std::to_string(token.leash.warning_before.count()));
}

// False: one of them is odd.
bool read_rarities(const Json& claims, SessionToken& token) {
  auto regions = texts_of(claims.member("regions"), session_token_regions_max);
  auto origins = texts_of(claims.member("origins"), session_token_origins_max);
  if (!regions || !origins) return false;
  token.regions = *std::move(regions);
  token.allowed_origins = *std::move(origins);
  if (const auto metadata = claims.member("meta")) {
    if (!metadata->is_object()) return false;
    token.metadata = simdjson::minify(metadata->element());
  }
  if (const auto warning = claims.member("warn")) {
    const auto seconds = warning->integer();
    if (!seconds || *seconds < 1 || *seconds > 253402300799) return false;
    token.leash.warning_before = std::chrono::seconds(*seconds);
  }
  return true;
}

void append_member(std::string& out, std::string_view name, std::string_view text) {
  out += ",\"";
  out += name;
  out += "\":";
  base::append_json_string(out, text);
}

void append_persona(std::string& out, const PersonaClaim& persona) {
  if (persona.kind == PersonaClaim::Kind::none) return;
  append_member(out, "persona", persona.address);
  if (!persona.client_label.empty()) append_member(out, "label", persona.client_label);
}

// nullopt: odd.
std::optional<PersonaClaim> read_persona(const Json& claims) {
  const auto text = [&](std::string_view name) {
    const auto member = claims.member(name);
    return std::string(member ? member->text().value_or("") : "");
  };
  const auto type = std::ranges::find(types, text("type"));
  if (type == types.end()) return std::nullopt;
  PersonaClaim persona;
  persona.kind = static_cast<PersonaClaim::Kind>(type - types.begin());
  if (persona.kind == PersonaClaim::Kind::none) return persona;
  persona.address = text("persona");
  persona.client_label = text("label");
  const auto digest = base::from_base64url(persona.address);
  if (!digest || digest->size() != std::tuple_size_v<crypto::Digest>) return std::nullopt;
  return persona;
}

}  // namespace

std::string text_of(const SessionTokenId& id) {
  return base::base64url(base::as_text(id));
}

bool is_session_token_type(std::string_view type) {
  return std::ranges::find(types, type) != types.end();
}

SessionTokenId new_session_token_id(base::Random& random, base::Instant now) {
  constexpr std::size_t time_bytes = 6;
  SessionTokenId id;
  auto millis = static_cast<std::uint64_t>(now.time_since_epoch().count());
  for (std::size_t i = time_bytes; i-- > 0; millis >>= 8) id[i] = static_cast<std::uint8_t>(millis);
  random.fill(std::span(id).subspan(time_bytes));
  return id;
}

base::Instant minted_at(const SessionTokenId& id) {
  std::int64_t millis = 0;
  for (const auto byte : std::span(id).first(6)) millis = millis << 8 | byte;
  return base::Instant(std::chrono::milliseconds(millis));
}

std::string claims_json(const SessionToken& token) {
  std::string out;
  out.reserve(512);
  out += "{\"type\":\"";
  out += types[static_cast<std::size_t>(token.persona.kind)];
  out += "\",\"aud\":\"motion-server\"";
  append_member(out, "iss", token.issuer);
  append_member(out, "sub", token.subject);
  append_member(out, "accountId", token.account_id);
  append_member(out, "app", token.app_id);
  append_member(out, "key", token.api_key_id);
  append_member(out, "region", token.region);
  append_member(out, "env", name_of(token.environment));
  if (!token.avatar_id.empty()) append_member(out, "avatar", token.avatar_id);
  append_persona(out, token.persona);
  append_member(out, "jti", text_of(token.id));
  append_rarities(out, token);
  const auto issued_at = base::unix_seconds(token.issued_at);
  // Eight numbers of at most 20 characters and 61 that stand between them.
  std::array<char, 256> numbers;
  auto* const end = fmt::format_to(
      numbers.data(),
      FMT_COMPILE(",\"iat\":{},\"nbf\":{},\"exp\":{},\"uses\":{},"
                  "\"leash\":{{\"by\":{},\"length\":{},\"idle\":{},\"sessions\":{}}}}}"),
      issued_at, issued_at, base::unix_seconds(token.expires_at), token.uses_max,
      base::unix_seconds(token.leash.connect_by), token.leash.length_max.count(),
      token.leash.idle_max.count(), token.leash.sessions_max);
  out.append(numbers.data(), end);
  return out;
}

base::Result<SessionToken> read_claims(std::string_view json) {
  thread_local base::JsonReader reader;
  const auto root = reader.read(json);
  if (!root) return odd_claims();
  Members claims(*root);
  Members leash(claims.find("leash"));
  const auto id = parse_id(claims.text("jti"));
  const auto environment = claims.text("env");
  const auto avatar = claims.find("avatar");
  auto persona = read_persona(*root);
  if (!id || claims.text("aud") != audience || !persona ||
      (environment != "live" && environment != "test") || (avatar && !avatar->text()))
    return odd_claims();
  SessionToken token{
      .id = *id,
      .issuer = claims.text("iss"),
      .subject = claims.text("sub"),
      .account_id = claims.text("accountId"),
      .app_id = claims.text("app"),
      .api_key_id = claims.text("key"),
      .region = claims.text("region"),
      .environment = environment == "live" ? Environment::live : Environment::test,
      .avatar_id = avatar ? std::string(*avatar->text()) : std::string(),
      .issued_at = base::from_unix_seconds(claims.integer("nbf")),
      .expires_at = base::from_unix_seconds(claims.integer("exp")),
      .uses_max = static_cast<int>(std::min<std::int64_t>(claims.integer("uses"), 1'000'000)),
      .leash = {.connect_by = base::from_unix_seconds(leash.integer("by")),
                .length_max = std::chrono::seconds(leash.integer("length")),
                .idle_max = std::chrono::seconds(leash.integer("idle")),
                .sessions_max =
                    static_cast<int>(std::min<std::int64_t>(leash.integer("sessions"), 1 << 30))},
      .persona = *std::move(persona)};
  if (!claims.complete() || !leash.complete() || !read_rarities(*root, token)) return odd_claims();
  return token;
}

base::Result<base::Done> check_lifetime(base::Instant expires_at, base::Instant now) {
  if (expires_at <= now) {
    return base::fail(base::ErrorCode::malformed, "expireAt not in the future",
                      "expireAt must lie in the future, in Unix seconds; it is now " +
                          std::to_string(base::unix_seconds(now)) + ".");
  }
  if (expires_at > now + session_token_lifetime_max) {
    return base::fail(base::ErrorCode::malformed, "expireAt too far",
                      "expireAt may lie at most 24 hours ahead, in Unix seconds; it is now " +
                          std::to_string(base::unix_seconds(now)) + ".");
  }
  return base::Done{};
}

base::Result<base::Done> check_time(const SessionToken& token, base::Instant now) {
  if (now >= token.expires_at)
    return base::fail(base::ErrorCode::token_expired, "session token expired");
  if (now >= token.leash.connect_by)
    return base::fail(base::ErrorCode::token_expired, "session token's connect-by time has passed");
  if (token.issued_at > now + session_token_clock_skew_max)
    return base::fail(base::ErrorCode::unauthenticated, "session token is not valid yet");
  return base::Done{};
}

bool is_origin(std::string_view text) {
  const auto scheme = text.substr(0, text.find("://"));
  if (scheme.size() == text.size() || text.size() > session_token_origin_bytes_max) return false;
  const auto is_lower = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  const auto host = text.substr(scheme.size() + 3);
  // Host and port together; what a browser would write differently matches nothing, and harms none.
  return !scheme.empty() && scheme.front() >= 'a' &&
         std::ranges::all_of(scheme, [&](char c) { return is_lower(c) || c == '-' || c == '+'; }) &&
         !host.empty() && std::ranges::all_of(host, [&](char c) {
           return is_lower(c) || c == '-' || c == '.' || c == ':' || c == '[' || c == ']' ||
                  c == '_';
         });
}

base::Result<base::Done> check_origin(const SessionToken& token,
                                      std::optional<std::string_view> origin,
                                      UnlistedOrigins unlisted) {
  const auto& allowed = token.allowed_origins;
  if (allowed.empty()) {
    if (unlisted == UnlistedOrigins::any || !origin) return base::Done{};
  } else if (origin && std::ranges::find(allowed, *origin) != allowed.end()) {
    return base::Done{};
  }
  return base::fail(base::ErrorCode::forbidden, "an origin that the token does not list",
                    "The session token is not for a page of this origin");
}

base::Result<base::Done> check_region(const SessionToken& token, std::string_view region) {
  if (token.regions.empty() || std::ranges::find(token.regions, region) != token.regions.end())
    return base::Done{};
  return base::fail(base::ErrorCode::forbidden,
                    "token for other regions than " + std::string(region),
                    "The session token is for other regions");
}

}  // namespace stagedoor::rules
