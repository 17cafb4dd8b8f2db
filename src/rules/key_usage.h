// How API keys are used: when last, from where, how often. Counted in memory, kept now and then.
//
// Rule usage-of-keys: every call with a genuine key is counted once, in the hour in which it came
// and for the network from which, also where a limit, its scopes or its networks refuse it: a
// stolen key shows where the thief is. The count is on disk within seconds, and an end that is not
// a crash loses none. A key that is frozen, revoked or expired is none; the audit log has its use.
//
// Rule usage-networks-bounded: of a key so many networks are told apart (IPv6 by /64); calls from
// further ones are counted together as "other", so that who has a key can't fill the disk with it.
//
// Used by: actions/admit_call.h
// Kept by: store/sqlite_key_usage.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/network.h"

namespace stagedoor::rules {

enum class CallOutcome : unsigned char { admitted, refused };

// Safe for concurrent use; without waiting.
class KeyUsage {
 public:
  virtual ~KeyUsage() = default;
  virtual void count(std::uint64_t api_key_id, const base::Address& client, CallOutcome outcome,
                     base::Instant now) = 0;
};

// When a key was last used, and how often ever.
struct KeyUse {
  base::Instant last_at;
  std::string last_peer;  // the client's address
  std::int64_t count = 0;
};

// What has been counted, for lists of keys. Safe for concurrent use; not from an event loop.
class KeyUses {
 public:
  virtual ~KeyUses() = default;
  // nullopt: never used.
  virtual std::optional<KeyUse> last_use(std::uint64_t api_key_id) const = 0;
};

inline constexpr std::size_t networks_per_key_max = 256;

// The calls of one key over some time. Not safe for concurrent use.
struct KeyCounts {
  struct Hour {
    std::int64_t hour = 0;  // since the epoch
    std::int64_t calls = 0;
    std::int64_t refusals = 0;  // of the calls
  };
  struct Network {
    base::Address party;  // base::party_of the clients; all zero: the others together
    base::Instant first_at, last_at;
    std::int64_t calls = 0;
  };
  std::int64_t calls = 0;
  base::Instant last_at;
  base::Address last_client;
  std::vector<Hour> hours;  // the newest last
  std::vector<Network> networks;

  void add(const base::Address& client, CallOutcome outcome, base::Instant now);
  void add(const KeyCounts& others);

 private:
  Hour& hour_of(std::int64_t hour);
  Network& network_of(const base::Address& party, base::Instant first_at);
  std::size_t last_network_ = 0;
};

}  // namespace stagedoor::rules
