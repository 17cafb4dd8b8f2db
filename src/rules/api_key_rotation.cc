#include "rules/api_key_rotation.h"

#include <algorithm>

namespace stagedoor::rules {
namespace {

std::unexpected<base::Error> conflict(std::string hint) {
  return base::fail(base::ErrorCode::conflict, "rotation of a key", std::move(hint));
}

}  // namespace

base::Instant Retirement::end_of(std::optional<base::Instant> own_expiry) const {
  const base::Instant end = std::chrono::floor<std::chrono::seconds>(now + grace);
  return own_expiry ? std::min(end, *own_expiry) : end;
}

base::Result<base::Done> check_grace(std::chrono::seconds grace) {
  if (grace.count() >= 0 && grace <= api_key_grace_max) return base::Done{};
  return base::fail(base::ErrorCode::malformed, "grace of a rotation",
                    "The grace is 0 to 2592000 seconds (30 days).");
}

base::Result<base::Done> check_may_rotate(const ApiKey& key, const Retirement& retirement) {
  if (key.revoked_at) return conflict("This key is revoked; create a new one.");
  if (key.replaced_by)
    return conflict("This key has a successor already: " + api_key_id_text(*key.replaced_by) + ".");
  if (key.has_expired(retirement.now)) return conflict("This key has expired; create a new one.");
  if (key.frozen_at && !retirement.is_at_once())
    return conflict("This key is frozen: rotate it with a grace of 0, or unfreeze it first.");
  return base::Done{};
}

}  // namespace stagedoor::rules
