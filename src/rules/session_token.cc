#include "rules/session_token.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

#include "base/json.h"
#include "base/text.h"

namespace stagedoor::rules {
namespace {

using base::Json;

constexpr std::string_view audience = "motion-server";
constexpr std::string_view type = "session";

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

void append_member(std::string& out, std::string_view name, std::string_view text) {
  out += ",\"";
  out += name;
  out += "\":";
  base::append_json_string(out, text);
}

}  // namespace

std::string text_of(const SessionTokenId& id) {
  return base::base64url(base::as_text(id));
}

SessionTokenId new_session_token_id(base::Random& random, base::Instant now) {
  constexpr std::size_t time_bytes = 6;
  SessionTokenId id;
  auto millis = static_cast<std::uint64_t>(now.time_since_epoch().count());
  for (std::size_t i = time_bytes; i-- > 0; millis >>= 8) id[i] = static_cast<std::uint8_t>(millis);
  random.fill(std::span(id).subspan(time_bytes));
  return id;
}

std::string claims_json(const SessionToken& token) {
  std::string out;
  out.reserve(512);
  out += "{\"type\":\"session\",\"aud\":\"motion-server\"";
  append_member(out, "iss", token.issuer);
  append_member(out, "sub", token.subject);
  append_member(out, "accountId", token.account_id);
  append_member(out, "app", token.app_id);
  append_member(out, "key", token.api_key_id);
  append_member(out, "region", token.region);
  append_member(out, "env", name_of(token.environment));
  if (!token.avatar_id.empty()) append_member(out, "avatar", token.avatar_id);
  append_member(out, "jti", text_of(token.id));
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
  if (!id || claims.text("aud") != audience || claims.text("type") != type ||
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
                    static_cast<int>(std::min<std::int64_t>(leash.integer("sessions"), 1 << 30))}};
  if (!claims.complete() || !leash.complete()) return odd_claims();
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

}  // namespace stagedoor::rules
