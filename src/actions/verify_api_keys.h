// Verifies API keys for people's own backends: valid, or the exact reason why not.
//
// Rule api-key-verify-explains: a reason beyond "malformed", "mistyped" and "wrong_environment",
// which a key's text alone shows, is told of keys of the caller's own app and environment (of a
// person's workspace) only; every other key is "unknown", whether it exists or not. "malformed" is
// a text that can be no key, neither one of ours nor an imported one, which may be nearly any text.
//
// Whether a key's networks allow it is looked at where the question names the network that the key
// was shown from; a backend that leaves it out is told that nobody looked, and the networks.
//
// A valid key is counted once against its own limit and in its own usage, as if it had called us:
// its limits hold at the backend that asks.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "actions/admit_call.h"
#include "base/clock.h"
#include "base/network.h"
#include "rules/api_key.h"
#include "rules/caller.h"
#include "rules/key_usage.h"
#include "rules/permission.h"
#include "rules/rate_limit.h"

namespace stagedoor::actions {

enum class KeyVerdict : unsigned char {
  valid,
  unknown,
  malformed,
  mistyped,
  wrong_environment,
  revoked,
  frozen,
  expired,
  network,
  missing_scope,
  rate_limited,
};
// "valid", "missing_scope", ...
std::string_view name_of(KeyVerdict verdict);

inline constexpr std::size_t verified_at_once_max = 1000;

// Safe for concurrent use; from memory, without waiting.
class VerifyApiKeys {
 public:
  struct Parts {
    rules::ApiKeyStore& keys;
    const rules::ApiKeyHasher& hasher;
    const AdmitCall& admit;
    rules::KeyUsage& key_usage;
    const base::Clock& clock;
  };
  explicit VerifyApiKeys(Parts parts) : parts_(parts) {}

  // What holds for all keys of one call.
  struct Asked {
    rules::Permissions scopes = {};                      // that each key must have
    std::optional<rules::Environment> environment = {};  // a key's own, whatever it names
    std::optional<base::Address> network = {};           // whence the key was shown
    base::Address client = {};                           // who asks, where no network is named
  };
  struct Outcome {
    KeyVerdict verdict = KeyVerdict::unknown;
    std::string hint = {};                  // what is wrong with the text alone
    std::optional<rules::KnownApiKey> key;  // where the caller may know it
    rules::RateVerdict limit;               // where it was asked: valid, and rate_limited
  };
  // What is asked at once, one outcome per text in their order; its memory can be used again.
  struct Batch {
    std::vector<Outcome> outcomes;

   private:
    friend class VerifyApiKeys;
    // Of the texts that are looked up: the hash, the place among the texts, what was found.
    std::vector<rules::ApiKeyHash> hashes;
    std::vector<std::size_t> places;
    std::vector<std::optional<rules::KnownApiKey>> known;
  };
  void operator()(const rules::Caller& caller, const Asked& asked,
                  std::span<const std::string_view> texts, Batch& batch) const;

 private:
  // What a text alone shows, and under which hash a good key of that text is; nullopt: the text
  // decides.
  std::optional<rules::ApiKeyHash> hash_of(std::string_view text,
                                           std::optional<rules::Environment> environment,
                                           Outcome& outcome) const;
  Outcome of_known(const rules::Caller& caller, const Asked& asked,
                   std::optional<rules::Environment> environment,
                   const std::optional<rules::KnownApiKey>& known, base::Instant now) const;

  Parts parts_;
};

}  // namespace stagedoor::actions
