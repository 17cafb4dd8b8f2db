// Passwords: Argon2id (RFC 9106), by libargon2.
//
// Rule account-password-argon2id: of a password we keep an Argon2id hash with a salt of its own,
// at the cost that the settings say, never below what OWASP's Password Storage Cheat Sheet asks
// for (19 MiB, two passes, one lane); one made at another cost is made anew at the next log-in.
//
// Each hash takes its memory while it runs, so only so many run at once, and few wait: a crowd of
// log-ins is refused, and can neither fill the memory nor hold all workers.
//
// Why: docs/decisions/0008-passwords-by-libargon2.md
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"

namespace stagedoor::crypto {

inline constexpr std::size_t password_bytes_min = 8;
inline constexpr std::size_t password_bytes_max = 256;

// `malformed` with a hint for a length that is not 8 to 256 bytes.
base::Result<base::Done> check_password(const base::Secret& password);

// Safe for concurrent use.
class PasswordHasher {
 public:
  struct Cost {
    std::uint32_t memory_kibibytes = 19 * 1024;
    std::uint32_t passes = 2;
    std::uint32_t lanes = 1;
    std::size_t at_once = 2;  // hashes that run; as many callers wait for one to end
  };
  PasswordHasher(Cost cost, base::Random& random);

  // The hash in the PHC string format: "$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>".
  // `unavailable` while too many are under way. Takes tens of milliseconds: not from an event loop.
  base::Result<std::string> hash(const base::Secret& password);

  enum class Verdict : unsigned char { right, wrong };
  // The same work for an account that does not exist: then `kept` is empty, and it is wrong.
  base::Result<Verdict> verify(const base::Secret& password, std::string_view kept);

  // Whether a hash was made at another cost than ours.
  bool is_outdated(std::string_view kept) const;

 private:
  class Turn;
  const Cost cost_;
  const std::string prefix_;  // what a hash at our cost begins with
  base::Random& random_;
  std::string nobodys_;  // in the form of a hash, and of no password
  std::mutex mutex_;
  std::condition_variable turn_ended_;
  std::size_t running_ = 0, waiting_ = 0;
};

}  // namespace stagedoor::crypto
