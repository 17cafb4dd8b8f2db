#include "rules/jwt.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "rules/session_token.h"

namespace stagedoor::rules {
namespace {

using base::Json;

constexpr std::int64_t last_second = 253402300799;  // 9999-12-31T23:59:59Z

std::unexpected<base::Error> odd(std::string what) {
  auto detail = "JWT: " + what;
  return base::fail(base::ErrorCode::token_invalid, std::move(detail),
                    "The token is not one that is read here: " + std::move(what) + ".");
}

// Reads the members of one object and keeps the first thing that was wrong.
class Members {
 public:
  explicit Members(Json object) : object_(object) {}

  // Empty: not there. Wrong: not a text, or longer than may be.
  std::optional<std::string> text(const char* name, std::size_t bytes_max) {
    const auto member = object_.member(name);
    if (!member) return std::nullopt;
    const auto text = member->text();
    if (!text) return wrong(name, "is not a text");
    if (text->size() > bytes_max) return wrong(name, "is too long");
    return std::string(*text);
  }
  std::optional<std::int64_t> time(const char* name) {
    const auto member = object_.member(name);
    if (!member) return std::nullopt;
    const auto seconds = member->integer();
    if (seconds && *seconds >= 0 && *seconds <= last_second) return seconds;
    wrong(name, "is not a whole number of seconds since 1970");
    return std::nullopt;
  }
  std::vector<std::string> texts(const char* name) {
    std::vector<std::string> out;
    const auto member = object_.member(name);
    if (!member) return out;
    if (const auto one = member->text()) {
      out.emplace_back(*one);
      return out;
    }
    simdjson::dom::array items;
    if (member->element().get(items) != simdjson::SUCCESS || items.size() > jwt_audiences_max) {
      wrong(name, "is neither a text nor a list of at most 64");
      return out;
    }
    for (const auto item : items) {
      const auto text = Json(item).text();
      if (!text) wrong(name, "holds what is not a text");
      out.emplace_back(text.value_or(""));
    }
    return out;
  }
  bool yes(const char* name) {
    const auto member = object_.member(name);
    bool is_yes = false;
    return member && member->element().get(is_yes) == simdjson::SUCCESS && is_yes;
  }
  std::optional<std::string> wrong(const char* name, const char* how) {
    if (trouble_.empty()) trouble_ = std::string(name) + " " + how;
    return std::nullopt;
  }
  const std::string& trouble() const { return trouble_; }

 private:
  Json object_;
  std::string trouble_;
};

bool has_controls(std::string_view text) {
  return std::ranges::any_of(text, [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) == 0x7f;
  });
}

// Rule jwt-embedded-keys-refused and rule jwt-extensions-refused: by name alone.
constexpr std::array<std::string_view, 7> refused_members = {"jwk",  "jku", "x5u", "x5c",
                                                             "crit", "b64", "cty"};

base::Result<JwtHeader> read_header(Json object) {
  for (const auto name : refused_members)
    if (object.member(name)) return odd("its header has " + std::string(name));
  Members members(object);
  JwtHeader header;
  header.algorithm = members.text("alg", 16).value_or("");
  header.key_id = members.text("kid", jwt_key_id_bytes_max);
  header.type = members.text("typ", 64).value_or("");
  if (!members.trouble().empty()) return odd(members.trouble());
  if (header.algorithm.empty()) return odd("its header names no alg");
  return header;
}

base::Result<JwtClaims> read_claims_of(Json object) {
  Members members(object);
  JwtClaims claims;
  claims.issuer = members.text("iss", jwt_bytes_max).value_or("");
  claims.subject = members.text("sub", jwt_subject_bytes_max).value_or("");
  claims.audiences = members.texts("aud");
  claims.expires_at = members.time("exp");
  claims.not_before = members.time("nbf");
  claims.issued_at = members.time("iat");
  claims.authenticated_at = members.time("auth_time");
  // Some issuers leave it empty or null where they know none.
  if (const auto email = object.member("email"); email && !email->is_null())
    claims.email = members.text("email", jwt_email_bytes_max).value_or("");
  claims.email_is_verified = members.yes("email_verified");
  claims.generation = members.time("gen").value_or(0);
  if (!members.trouble().empty()) return odd(members.trouble());
  if (has_controls(claims.subject) || has_controls(claims.email))
    return odd("it holds control characters");
  const auto type = object.member("type");
  claims.is_session_token = type && is_session_token_type(type->text().value_or(""));
  return claims;
}

struct Segments {
  std::string_view header, payload, signature;
};
std::optional<Segments> segments_of(std::string_view token) {
  const auto first = token.find('.');
  const auto second = first == token.npos ? token.npos : token.find('.', first + 1);
  if (second == token.npos || token.find('.', second + 1) != token.npos) return std::nullopt;
  return Segments{.header = token.substr(0, first),
                  .payload = token.substr(first + 1, second - first - 1),
                  .signature = token.substr(second + 1)};
}

}  // namespace

bool has_jwt_form(std::string_view text) {
  return segments_of(text).has_value();
}

base::Result<Jwt> read_jwt(std::string_view token) {
  if (token.size() > jwt_bytes_max) return odd("it is longer than 8 KiB");
  const auto segments = segments_of(token);
  if (!segments) return odd("it is not three segments with dots between them");
  const auto header_text = base::from_base64url(segments->header);
  const auto payload_text = base::from_base64url(segments->payload);
  auto signature = base::from_base64url(segments->signature);
  if (!header_text || !payload_text || !signature) return odd("a segment is not base64url");
  if (signature->empty()) return odd("it is not signed");

  thread_local base::JsonReader reader;
  const auto header_json = reader.read(*header_text);
  if (!header_json || !header_json->is_object()) return odd("its header is not a JSON object");
  auto header = read_header(*header_json);
  if (!header) return base::fail(header.error());
  const auto payload_json = reader.read(*payload_text);
  if (!payload_json || !payload_json->is_object()) return odd("its claims are not a JSON object");
  auto claims = read_claims_of(*payload_json);
  if (!claims) return base::fail(claims.error());

  Jwt jwt;
  jwt.header = *std::move(header);
  jwt.claims = *std::move(claims);
  jwt.signed_bytes = segments->header.size() + 1 + segments->payload.size();
  jwt.signature = *std::move(signature);
  return jwt;
}

}  // namespace stagedoor::rules
