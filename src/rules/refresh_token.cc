#include "rules/refresh_token.h"

#include <array>

#include "base/text.h"

namespace stagedoor::rules {
namespace {

base::Secret token_of(std::span<const std::uint8_t> bytes) {
  std::string text = "sdr_";
  base::append_base64url(text, base::as_text(bytes));
  return base::Secret(std::move(text));
}

}  // namespace

base::Secret new_refresh_token(base::Random& random) {
  std::array<std::uint8_t, 32> bytes;
  random.fill(bytes);
  return token_of(bytes);
}

base::Secret next_refresh_token(std::string_view spent, const crypto::HmacKey& key) {
  return token_of(key.mac(spent));
}

crypto::Digest hash_of_refresh_token(std::string_view token) {
  return crypto::sha256(token);
}

RefreshVerdict judge(const RefreshToken& token, const RefreshToken* next, base::Instant now) {
  if (token.revoked_at || now >= token.expires_at) return RefreshVerdict::refused;
  if (!token.used_at) return RefreshVerdict::rotates;
  const bool is_retry = now - *token.used_at <= refresh_retry_window && next != nullptr &&
                        !next->used_at && !next->revoked_at;
  return is_retry ? RefreshVerdict::comes_again : RefreshVerdict::stolen;
}

}  // namespace stagedoor::rules
