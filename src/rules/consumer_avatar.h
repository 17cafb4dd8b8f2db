// An avatar that a person has made for themselves, for others to meet under a short address.
//
// Kept by: store/sqlite_consumer_avatars.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "rules/audit.h"
#include "rules/identity.h"

namespace stagedoor::rules {

inline constexpr std::int64_t consumer_avatars_of_person_max = 100;
inline constexpr std::size_t short_id_length = 11;

struct ConsumerAvatar {
  std::string id;        // a UUID
  std::string short_id;  // 11 base62 characters
  std::string owner;     // owner_of the person's identity
  std::string slug;      // one of its kind with its owner
  std::string content;   // canonical JSON (base/json_shape.h)
  bool is_public = true;
  base::Instant created_at;
};

// A person, also one without an account here: the issuer and its name for them, which never holds
// a line break.
inline std::string owner_of(const Identity& identity) {
  return identity.issuer + '\n' + identity.subject;
}

// Safe for concurrent use; not from an event loop.
class ConsumerAvatars {
 public:
  virtual ~ConsumerAvatars() = default;
  // The newest first; at most consumer_avatars_of_person_max.
  virtual base::Result<std::vector<ConsumerAvatar>> of(std::string_view owner) = 0;
  // Durable, with its entry, when it returns. `conflict` where the owner has one of this slug, or
  // has as many as they may.
  virtual base::Result<base::Done> create(const ConsumerAvatar& avatar,
                                          const AuditEntry& entry) = 0;
};

}  // namespace stagedoor::rules
