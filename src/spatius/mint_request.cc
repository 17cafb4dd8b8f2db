#include "spatius/mint_request.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

#include "base/json.h"

namespace stagedoor::spatius {
namespace {

using base::ErrorCode;
using base::Json;

template <class T>
using Read = std::expected<T, MintRefusal>;

std::unexpected<MintRefusal> refuse(ErrorCode code, std::string hint,
                                    std::string_view pointer = {}) {
  return std::unexpected(MintRefusal{{code, "mint request", std::move(hint)}, pointer});
}

// proto JSON writes an int64 as a string of digits, and reads both.
std::optional<std::int64_t> int64_of(const Json& member) {
  if (const auto number = member.integer()) return number;
  const auto text = member.text();
  if (!text || text->empty()) return std::nullopt;
  std::int64_t number;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return number;
}

Read<base::Instant> expiry_of(const Json& body) {
  constexpr std::int64_t year_9999 = 253402300799;
  auto member = body.member("expireAt");
  const auto snake = body.member("expire_at");
  if (member && snake)
    return refuse(ErrorCode::malformed, "Give expireAt or expire_at, not both.", "/expireAt");
  if (!member) member = snake;
  if (!member || member->is_null())
    return refuse(ErrorCode::malformed,
                  "expireAt is missing: when the token expires, in Unix seconds.", "/expireAt");
  const auto seconds = int64_of(*member);
  if (!seconds)
    return refuse(ErrorCode::malformed, "expireAt must be a whole number of Unix seconds.",
                  "/expireAt");
  return base::from_unix_seconds(std::clamp<std::int64_t>(*seconds, 0, year_9999));
}

Read<std::string> optional_text(const Json& body, std::string_view name, std::string_view pointer) {
  const auto member = body.member(name);
  if (!member || member->is_null()) return std::string();
  const auto text = member->text();
  if (!text || text->size() > 128)
    return refuse(ErrorCode::malformed,
                  std::string(name) + " must be a string of at most 128 bytes.", pointer);
  return std::string(*text);
}

}  // namespace

Read<actions::MintSessionToken::Request> read_mint_request(std::string_view text) {
  thread_local base::JsonReader reader;
  const auto body = reader.read(text);
  if (!body) return std::unexpected(MintRefusal{body.error(), {}});
  if (!body->is_object())
    return refuse(ErrorCode::malformed, "The body must be a JSON object with expireAt.");
  const auto expires_at = expiry_of(*body);
  if (!expires_at) return std::unexpected(expires_at.error());
  auto app_id = optional_text(*body, "appId", "/appId");
  if (!app_id) return std::unexpected(app_id.error());
  auto avatar_id = optional_text(*body, "avatarId", "/avatarId");
  if (!avatar_id) return std::unexpected(avatar_id.error());
  actions::MintSessionToken::Request mint{};
  mint.expires_at = *expires_at;
  mint.app_id = *std::move(app_id);
  mint.avatar_id = *std::move(avatar_id);
  return mint;
}

}  // namespace stagedoor::spatius
