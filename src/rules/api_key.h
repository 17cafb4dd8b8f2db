// An API key: the long-lived secret with which an app's own server calls us.
//
//   good ──freeze──▶ frozen ──unfreeze──▶ good
//     ├──────time─────▶ expired
//     └─────revoke────▶ revoked (for good; also from frozen and expired)
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
// Rule api-key-expiry: a key with an expiry is refused from that very second on, with the words for
// an unknown one. It is the end of the key and not of what it has opened: expiry is no alarm. Its
// tokens live to their own expiry, which is no later than the key's was when they were minted
// (rule session-token-lifetime), and sessions to their own end.
//
// Rule api-key-networks: a key for named networks (CIDR, IPv4 or IPv6) is refused from any other
// address, and then told so, since who holds it has shown that it is genuine.
//
// Rule api-key-frozen: a frozen key is refused as a revoked one is, with all that it has opened;
// but it can be unfrozen, so nobody needs to hesitate.
//
// Rule api-key-imported-hashes: a key that was made elsewhere comes as the SHA-256 of its text. We
// keep HMAC(secret, that hash), so that for it too a stolen database can't test guesses. Only a
// text that is not in our form is looked up this way, and none with exactly two dots, which is read
// as a person's token (rules/jwt.h): such a key can be imported by its hash, but never
// authenticates.
//
// Used by: actions/create_api_key.h, actions/authenticate_api_key.h
// Kept by: store/sqlite_api_keys.h, store/sqlite_api_key_records.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
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
// It looks at what was read, and lives no longer than that.
class ReadApiKey {
 public:
  // `unauthenticated` with a hint for what is not in the form of a key, `mistyped_key` where only
  // the checksum fails. Both are decided by the text alone.
  static base::Result<ReadApiKey> of(std::string_view text);

  Environment environment() const { return environment_; }
  std::string_view expose() const { return text_; }

 private:
  friend class ApiKeyText;
  ReadApiKey(Environment environment, std::string_view text)
      : environment_(environment), text_(text) {}
  Environment environment_;
  std::string_view text_;
};

// The same as a text of its own.
class ApiKeyText {
 public:
  // Refuses as ReadApiKey does.
  static base::Result<ApiKeyText> parse(std::string_view text);
  static ApiKeyText make(Environment environment, base::Random& random);

  Environment environment() const { return environment_; }
  const base::Secret& secret() const { return secret_; }
  operator ReadApiKey() const { return {environment_, secret_.expose()}; }
  std::string ends() const;  // "av_test_Ab3d…x9Zk"

 private:
  ApiKeyText(Environment environment, base::Secret secret)
      : environment_(environment), secret_(std::move(secret)) {}
  Environment environment_;
  base::Secret secret_;
};

using ApiKeyHash = crypto::Digest;

// What is known of a key that was made elsewhere: the SHA-256 of its text.
struct ForeignKeyHash {
  crypto::Digest sha256;
};
inline constexpr std::size_t foreign_key_bytes_max = 512;
// nullopt for a text that is one of ours or tries to be, and for one that no key can have: empty,
// over 512 bytes, or with white space.
std::optional<ForeignKeyHash> foreign_hash_of(std::string_view key_text);
// The hash as others write it: 64 hex digits, or base64 in either alphabet, padded or not.
std::optional<ForeignKeyHash> read_foreign_hash(std::string_view text);

// The keyed hashes under which a key may be stored: one per generation of the server secret.
class ApiKeyHasher {
 public:
  // Newest first; at least one.
  explicit ApiKeyHasher(std::vector<crypto::HmacKey> generations);
  ApiKeyHash current(const ReadApiKey& key) const { return of_generation(0, key); }
  ApiKeyHash current(const ForeignKeyHash& key) const { return of_generation(0, key); }
  std::size_t generations() const { return generations_.size(); }
  ApiKeyHash of_generation(std::size_t index, const ReadApiKey& key) const;
  // Never that of a key of ours: those are 45 bytes of text, and this is 32.
  ApiKeyHash of_generation(std::size_t index, const ForeignKeyHash& key) const;

 private:
  std::vector<crypto::HmacKey> generations_;
};

// A key's public name: "key_" and 16 hex digits.
std::string api_key_id_text(std::uint64_t id);
std::optional<std::uint64_t> parse_api_key_id(std::string_view text);

// What a key may do, from where and how often. Keys with the same terms share one object.
struct ApiKeyTerms {
  Permissions scopes = Permissions::usual_of_api_keys();
  std::vector<base::Network> networks;  // from where it may be used; empty: from anywhere
  std::string tier = "free";            // which rate limit of the settings holds for it
  std::optional<RateLimit> own_limit;   // instead of its tier's
  bool operator==(const ApiKeyTerms&) const = default;

  bool allows(const base::Address& client) const;
};

// Whole seconds, and what four bytes of them can hold.
inline constexpr base::Instant api_key_expiry_max{std::chrono::seconds{0xffff'fffe}};
inline constexpr std::size_t api_key_name_bytes_max = 100;
inline constexpr std::size_t api_key_networks_max = 64;
inline constexpr std::size_t api_key_reason_bytes_max = 200;

// Whether the text may be a key's name, or why it was frozen or revoked (empty: no reason given):
// UTF-8 of some length without control characters. `malformed` with a hint.
base::Result<base::Done> check_key_name(std::string_view name);
base::Result<base::Done> check_key_reason(std::string_view reason);

enum class ApiKeyStanding : unsigned char { good, frozen, revoked };
enum class ApiKeyHashKind : unsigned char { own, imported };

struct ApiKey {
  std::uint64_t id = 0;
  std::string app_id;
  Environment environment = Environment::test;
  std::string name;
  std::string ends;
  ApiKeyHashKind hash_kind = ApiKeyHashKind::own;
  ApiKeyTerms terms = {};
  std::optional<base::Instant> expires_at = {};  // at it exactly the key is expired
  std::string created_by = "operator";           // "acc_...", "key_..." or "operator"
  base::Instant created_at;
  std::optional<base::Instant> frozen_at = {};
  std::string frozen_reason = {};
  std::optional<base::Instant> revoked_at;
  std::string revoked_reason;
  std::optional<std::uint64_t> replaced_by = {};  // by the key that a rotation made

  bool has_expired(base::Instant now) const { return expires_at && now >= *expires_at; }
};

// What a request with a key rests on.
struct KnownApiKey {
  std::uint64_t id;
  Environment environment;
  const App* app;            // lives as long as the store
  const ApiKeyTerms* terms;  // lives as long as the store
  std::optional<base::Instant> expires_at = {};
  ApiKeyStanding standing = ApiKeyStanding::good;

  bool has_expired(base::Instant now) const { return expires_at && now >= *expires_at; }
};

// Where keys are found. Safe for concurrent use; all of it from memory, without waiting.
class ApiKeyStore {
 public:
  virtual ~ApiKeyStore() = default;
  // A key that is neither frozen nor revoked. nullopt: unknown, or one of these; which of them is
  // nobody's business.
  virtual std::optional<KnownApiKey> find(const ApiKeyHash& hash) const {
    auto known = look_up(hash);
    if (known && known->standing != ApiKeyStanding::good) known.reset();
    return known;
  }
  // The same for many at once: `known` has a place for each hash.
  virtual void find_many(std::span<const ApiKeyHash> hashes,
                         std::span<std::optional<KnownApiKey>> known) const {
    for (std::size_t i = 0; i < hashes.size(); ++i) known[i] = find(hashes[i]);
  }
  // Also frozen and revoked ones, for whoever may be told how a key stands.
  virtual std::optional<KnownApiKey> look_up(const ApiKeyHash& hash) const = 0;
  // Whether it is frozen or revoked. False also for a key that was never ours: another region's.
  virtual bool is_revoked(std::uint64_t id) const = 0;
  // Moves a key to its hash under the current server secret.
  virtual void rehash(std::uint64_t id, const ApiKeyHash& from, const ApiKeyHash& to) = 0;
};

}  // namespace stagedoor::rules
