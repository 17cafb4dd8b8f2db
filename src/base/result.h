// The value, or the Error that explains its absence.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <expected>
#include <string>
#include <utility>

namespace stagedoor::base {

// The closed list of ways a request can end badly. What each becomes on the wire (status, code,
// words) is decided once per door, in its error_reply.cc, and nowhere else.
enum class ErrorCode {
  malformed,           // We cannot parse it, or it breaks a stated limit.
  credential_missing,  // None came, or not in the place where it is read.
  unauthenticated,     // None that we accept. Unknown, revoked or expired stays our secret.
  token_invalid,       // A token (JWT or session token) that is not genuine, or not for this.
  mistyped_key,        // An API key whose checksum fails: told offline, so it tells nothing.
  wrong_environment,   // A test key where live data was asked for, or the other way round.
  token_expired,       // Said only after the signature has proved genuine.
  token_spent,         // Genuine, but it has opened all the sessions that it may.
  app_mismatch,        // Genuine, but of another app than the one named beside it.
  app_unknown,
  avatar_unknown,
  forbidden,            // Known caller, not allowed.
  not_found,            // Absent, or the caller may not know that it exists.
  conflict,             // It would break what must stay true: a second of one kind, the last owner.
  payment_required,     // The plan or what was paid for does not cover it.
  concurrency_limited,  // The app has all the live sessions that it may have.
  rate_limited,         // Try later.
  unsupported,          // Understood, and not something this server does.
  unavailable,          // A part we need did not answer. Refuse; never guess.
};

// What went wrong. `detail` is for the operator's log and never holds a credential; `hint` may be
// shown to the caller and says what to change, it may be empty.
struct Error {
  ErrorCode code;
  std::string detail;
  std::string hint;
  std::chrono::seconds retry_after{0};  // of `rate_limited`, where it is known
};

template <class T>
using Result = std::expected<T, Error>;

// The value of a step that has no other.
struct Done {};

inline std::unexpected<Error> fail(ErrorCode code, std::string detail, std::string hint = {}) {
  return std::unexpected(Error{code, std::move(detail), std::move(hint)});
}
inline std::unexpected<Error> fail(Error error) {
  return std::unexpected(std::move(error));
}

}  // namespace stagedoor::base
