// An API key: the long-lived secret with which an app's own server calls us.
//
//   created ──revoke──▶ revoked (for good)
//
// Rule api-key-format: `av_live_` or `av_test_`, 31 random base62 characters, and 6 that are the
// CRC-32 of all before them; so a mistyped or made-up key is told offline, by us and by scanners,
// before anything is looked up. 31 characters are 184 bits: nobody guesses one.
//
// Rule api-key-shown-once: the text is given out by the call that creates the key and exists
// nowhere afterwards.
//
// Rule api-key-hashed: what we keep is HMAC-SHA-256 of the text under a server secret that is not
// in the database, so a stolen database neither contains keys nor can test guesses.
//
// Rule api-key-constant-time: a key is found by its keyed hash, never by comparing its text, and
// the checksum is compared in constant time; so timing tells nothing about a key that exists. It
// is measured by Welch's t-test (server/api_key_timing_test.cc): keys never made, revoked ones, and
// guesses that are nearly right take the same time.
//
// Rule api-key-listed-by-ends: lists show the prefix, the first four random characters and the
// last four characters; enough to recognise one's own key, useless to anybody else.
//
// Rule api-key-of-one-app: a key belongs to one app and one environment, for good.
//
// Rule api-key-revoked-at-once: a revoked key is refused from the moment that the revocation is
// durable; another process that shares the data folder refuses it within 100 ms.
//
// Rule api-key-revoked-with-all-it-opened: what a revoked key has minted opens nothing any more,
// and the live sessions that rest on it are ended within the same time: a thief keeps nothing.
//
// Used by: actions/create_api_key.h, actions/authenticate_api_key.h, server/key_commands.h
// Kept by: store/sqlite_api_keys.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/network.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/hash.h"
#include "rules/app.h"
#include "rules/permission.h"
#include "rules/rate_limit.h"

namespace stagedoor::rules {

inline constexpr std::size_t api_key_random_length = 31;
inline constexpr std::size_t api_key_checksum_length = 6;
inline constexpr std::size_t api_key_length = 8 + 31 + 6;

// Text whose form and checksum have been checked; whether such a key exists is another question.
class ApiKeyText {
 public:
  // `unauthenticated` with a hint for what is not in the form of a key, `mistyped_key` where only
  // the checksum fails. Both are decided by the text alone.
  static base::Result<ApiKeyText> parse(std::string_view text);
  static ApiKeyText make(Environment environment, base::Random& random);

  Environment environment() const { return environment_; }
  const base::Secret& secret() const { return secret_; }
  std::string ends() const;  // "av_test_Ab3d…x9Zk"

 private:
  ApiKeyText(Environment environment, base::Secret secret)
      : environment_(environment), secret_(std::move(secret)) {}
  Environment environment_;
  base::Secret secret_;
};

using ApiKeyHash = crypto::Digest;

// The keyed hashes under which a key may be stored: one per generation of the server secret.
class ApiKeyHasher {
 public:
  // Newest first; at least one.
  explicit ApiKeyHasher(std::vector<crypto::HmacKey> generations);
  ApiKeyHash current(const ApiKeyText& key) const;
  std::size_t generations() const { return generations_.size(); }
  ApiKeyHash of_generation(std::size_t index, const ApiKeyText& key) const;

 private:
  std::vector<crypto::HmacKey> generations_;
};

// A key's public name: "key_" and 16 hex digits.
std::string api_key_id_text(std::uint64_t id);
std::optional<std::uint64_t> parse_api_key_id(std::string_view text);

// What a key may do, and until when. Keys with the same terms share one object.
struct ApiKeyTerms {
  Permissions scopes = Permissions::of_api_keys();
  std::optional<base::Instant> expires_at;  // at it exactly the key is expired
  std::vector<base::Network> networks;      // from where it may be used; empty: from anywhere
  std::string tier = "free";                // which rate limit of the settings holds for it
  std::optional<RateLimit> own_limit;       // instead of its tier's
  bool operator==(const ApiKeyTerms&) const = default;
};

struct ApiKey {
  std::uint64_t id = 0;
  std::string app_id;
  Environment environment = Environment::test;
  std::string name;
  std::string ends;
  ApiKeyTerms terms = {};
  std::string created_by = {};  // "acc_...", "key_..." or "operator"
  base::Instant created_at;
  std::optional<base::Instant> frozen_at = {};
  std::string frozen_reason = {};
  std::optional<base::Instant> revoked_at;
  std::string revoked_reason;
  std::optional<std::uint64_t> replaced_by = {};  // by the key that a rotation made
};

// What a request with a good key rests on.
struct KnownApiKey {
  std::uint64_t id;
  Environment environment;
  const App* app;            // lives as long as the store
  const ApiKeyTerms* terms;  // lives as long as the store
};

// Where keys are kept. Safe for concurrent use.
class ApiKeyStore {
 public:
  virtual ~ApiKeyStore() = default;
  // From memory, without waiting. nullopt: unknown or revoked; which of them is nobody's business.
  virtual std::optional<KnownApiKey> find(const ApiKeyHash& hash) const = 0;
  // From memory, without waiting. False also for a key that was never ours: another region's.
  virtual bool is_revoked(std::uint64_t id) const = 0;
  // Durable when it returns.
  virtual base::Result<base::Done> create(const ApiKey& key, const ApiKeyHash& hash) = 0;
  // `not_found`, and nothing changed, where there is no such key. Revoking twice keeps the first.
  virtual base::Result<ApiKey> revoke(std::uint64_t id, base::Instant now, std::string reason) = 0;
  virtual base::Result<std::vector<ApiKey>> list(std::string_view app_id) const = 0;
  // Moves a key to its hash under the current server secret; without waiting.
  virtual void rehash(std::uint64_t id, const ApiKeyHash& from, const ApiKeyHash& to) = 0;
};

}  // namespace stagedoor::rules
