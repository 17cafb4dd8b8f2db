// What a caller may do: permissions, and the scopes that name them on API keys.
//
// Rule permission-nothing-by-default: a set of permissions begins empty; what is not named in it is
// refused.
//
// Rule api-key-scopes: a scope is "area:verb", "area:*" for all verbs of an area, "read-only" for
// every verb that changes nothing, or "*". A key without scopes named has all that its app's keys
// may have; which is not everything: members and the workspace belong to people. "apps:write" and
// "rooms:mint" are never meant by "*" or by naming none: a key that may change its app, or that
// signs for the room services of the whole server, is made on purpose.
//
// What a persona is made of (avatars, voices, language models, tools, knowledge, share links) goes
// with personas: "personas:read" to look at it, "personas:write" to change it.
//
// Used by: rules/api_key.h, rules/account.h, actions/admit_call.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <boost/container/static_vector.hpp>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace stagedoor::rules {

// The order is kept in the store: add at the end.
enum class Permission : unsigned char {
  tokens_mint,
  tokens_revoke,
  sessions_read,
  sessions_end,
  conversations_read,
  conversations_write,
  tts_speak,
  personas_read,
  personas_write,
  keys_read,
  keys_write,
  keys_verify,
  apps_read,
  apps_write,
  rooms_mint,
  usage_read,
  audit_read,
  members_read,
  members_write,
  workspace_write,
};
inline constexpr std::size_t permission_count = 20;

// "tokens:mint".
std::string_view name_of(Permission permission);

// A set of permissions; a value.
class Permissions {
 public:
  constexpr Permissions() = default;
  constexpr Permissions(std::initializer_list<Permission> list) {
    for (const auto permission : list) add(permission);
  }
  static constexpr Permissions of_bits(std::uint32_t bits) {
    Permissions set;
    set.bits_ = bits & ((1u << permission_count) - 1);
    return set;
  }
  // All that an API key may ever have.
  static Permissions of_api_keys();
  // What one has for which no scopes were named, and what "*" stands for.
  static Permissions usual_of_api_keys();

  constexpr void add(Permission permission) { bits_ |= bit(permission); }
  constexpr bool has(Permission permission) const { return (bits_ & bit(permission)) != 0; }
  constexpr bool covers(Permissions other) const { return (other.bits_ & ~bits_) == 0; }
  constexpr Permissions both(Permissions other) const { return of_bits(bits_ & other.bits_); }
  constexpr bool is_empty() const { return bits_ == 0; }
  constexpr std::uint32_t bits() const { return bits_; }
  bool operator==(const Permissions&) const = default;

 private:
  static constexpr std::uint32_t bit(Permission permission) {
    return 1u << static_cast<unsigned>(permission);
  }
  std::uint32_t bits_ = 0;
};

// The permissions that scopes stand for, cut to what API keys may have. `malformed`, with a hint
// that names the unknown scope and the nearest known one.
base::Result<Permissions> read_scopes(const std::vector<std::string>& scopes);

// The scopes that stand for a set, one per permission, in the order of the enumeration.
using Scopes = boost::container::static_vector<std::string_view, permission_count>;
Scopes scopes_of(Permissions permissions);

}  // namespace stagedoor::rules
