#include "crypto/password.h"

#include <argon2.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace stagedoor::crypto {
namespace {

using base::ErrorCode;

constexpr std::size_t salt_bytes = 16;
constexpr std::size_t hash_bytes = 32;
constexpr std::size_t encoded_bytes_max = 256;

std::string prefix_of(const PasswordHasher::Cost& cost) {
  return "$argon2id$v=19$m=" + std::to_string(cost.memory_kibibytes) +
         ",t=" + std::to_string(cost.passes) + ",p=" + std::to_string(cost.lanes) + "$";
}

// RFC 4648 4 without padding, as the PHC string format wants it.
template <std::size_t size>
std::string random_base64(base::Random& random) {
  std::array<std::uint8_t, size> bytes;
  random.fill(bytes);
  auto text = base::base64url(base::as_text(bytes));
  std::ranges::replace(text, '-', '+');
  std::ranges::replace(text, '_', '/');
  return text;
}

base::Result<std::string> hash_at(const PasswordHasher::Cost& cost, std::string_view password,
                                  base::Random& random) {
  std::array<std::uint8_t, salt_bytes> salt;
  random.fill(salt);
  std::array<char, encoded_bytes_max> encoded{};
  const int outcome = argon2id_hash_encoded(
      cost.passes, cost.memory_kibibytes, cost.lanes, password.data(), password.size(), salt.data(),
      salt.size(), hash_bytes, encoded.data(), encoded.size());
  if (outcome != ARGON2_OK)
    return base::fail(ErrorCode::unavailable,
                      std::string("Argon2: ") + argon2_error_message(outcome));
  return std::string(encoded.data());
}

}  // namespace

base::Result<base::Done> check_password(const base::Secret& password) {
  const auto size = password.expose().size();
  if (size >= password_bytes_min && size <= password_bytes_max) return base::Done{};
  return base::fail(ErrorCode::malformed, "length of a password", "A password has 8 to 256 bytes.");
}

// A place among the hashes that run; given back at its end.
class PasswordHasher::Turn {
 public:
  explicit Turn(PasswordHasher& hasher) : hasher_(hasher) {
    std::unique_lock lock(hasher_.mutex_);
    if (hasher_.running_ >= hasher_.cost_.at_once) {
      if (hasher_.waiting_ >= hasher_.cost_.at_once) return;
      ++hasher_.waiting_;
      hasher_.turn_ended_.wait(lock, [&] { return hasher_.running_ < hasher_.cost_.at_once; });
      --hasher_.waiting_;
    }
    ++hasher_.running_;
    is_taken_ = true;
  }
  ~Turn() {
    if (!is_taken_) return;
    {
      const std::lock_guard lock(hasher_.mutex_);
      --hasher_.running_;
    }
    hasher_.turn_ended_.notify_one();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  bool is_taken() const { return is_taken_; }

 private:
  PasswordHasher& hasher_;
  bool is_taken_ = false;
};

PasswordHasher::PasswordHasher(Cost cost, base::Random& random)
    : cost_(cost), prefix_(prefix_of(cost)), random_(random) {
  // Chance in the place of salt and hash: to tell a password from it takes the same work as from
  // one of an account.
  nobodys_ = prefix_ + random_base64<salt_bytes>(random) + "$" + random_base64<hash_bytes>(random);
}

base::Result<std::string> PasswordHasher::hash(const base::Secret& password) {
  if (auto right = check_password(password); !right) return base::fail(right.error());
  const Turn turn(*this);
  if (!turn.is_taken()) return base::fail(ErrorCode::unavailable, "too many passwords at once");
  return hash_at(cost_, password.expose(), random_);
}

base::Result<PasswordHasher::Verdict> PasswordHasher::verify(const base::Secret& password,
                                                             std::string_view kept) {
  const auto text = password.expose().substr(0, password_bytes_max + 1);
  const std::string encoded(kept.empty() ? nobodys_ : kept);
  const Turn turn(*this);
  if (!turn.is_taken()) return base::fail(ErrorCode::unavailable, "too many passwords at once");
  const int outcome = argon2id_verify(encoded.c_str(), text.data(), text.size());
  if (outcome == ARGON2_OK) return kept.empty() ? Verdict::wrong : Verdict::right;
  if (outcome == ARGON2_VERIFY_MISMATCH) return Verdict::wrong;
  return base::fail(ErrorCode::unavailable,
                    std::string("Argon2: ") + argon2_error_message(outcome));
}

bool PasswordHasher::is_outdated(std::string_view kept) const {
  return !kept.starts_with(prefix_);
}

}  // namespace stagedoor::crypto
