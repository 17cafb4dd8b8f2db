// Everything that AdmitCall stands on, in memory, for tests: keys, people, limits without bounds,
// an audit log that can be read.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "actions/admit_call.h"
#include "crypto/random.h"

namespace stagedoor::actions::for_test {

using base::ErrorCode;
using rules::Permission;
using rules::RateKind;
using namespace std::chrono_literals;

class Keys : public rules::ApiKeyStore {
 public:
  std::optional<rules::KnownApiKey> look_up(const rules::ApiKeyHash& hash) const override {
    const auto found = by_hash.find(hash);
    if (found == by_hash.end()) return std::nullopt;
    const auto& key = found->second;
    rules::KnownApiKey known{key.id, key.environment, &app, &key.terms};
    known.expires_at = key.expires_at;
    known.standing = key.revoked_at  ? rules::ApiKeyStanding::revoked
                     : key.frozen_at ? rules::ApiKeyStanding::frozen
                                     : rules::ApiKeyStanding::good;
    return known;
  }
  void rehash(std::uint64_t, const rules::ApiKeyHash&, const rules::ApiKeyHash&) override {}
  bool is_revoked(std::uint64_t) const override { return false; }

  rules::App app{.id = "app_1", .workspace_id = "ws_1", .name = "one", .limits = {}};
  std::map<rules::ApiKeyHash, rules::ApiKey> by_hash;
};

// Tokens are "a.b." and what is to come of them.
class People : public rules::IdentityVerifier, public rules::Members {
 public:
  std::optional<base::Result<rules::Identity>> at_once(std::string_view token,
                                                       base::Instant) override {
    if (token == "a.b.new") return std::nullopt;
    return known(token);
  }
  base::Result<rules::Identity> verify(std::string_view token, base::Instant) override {
    ++verified;
    return known(token);
  }
  base::Result<rules::Member> member_of(const rules::Identity& identity,
                                        std::string_view workspace_id) const override {
    if (!workspace_id.empty() && workspace_id != "ws_1")
      return base::fail(ErrorCode::not_found, "not a member");
    rules::Member member{.account_id = "acc_" + identity.subject,
                         .workspace_id = "ws_1",
                         .role = rules::Role::viewer,
                         .permissions = {}};
    member.permissions.add(Permission::keys_read);
    return member;
  }
  std::optional<rules::Role> role_of(const std::string&, std::string_view) const override {
    return rules::Role::viewer;
  }
  std::atomic<int> verified = 0;

 private:
  static base::Result<rules::Identity> known(std::string_view token) {
    if (token == "a.b.down") return base::fail(ErrorCode::unavailable, "the issuer is down");
    if (token == "a.b.late") return base::fail(ErrorCode::token_expired, "late");
    if (token != "a.b.ada" && token != "a.b.new" && token != "a.b.bob")
      return base::fail(ErrorCode::token_invalid, "not genuine");
    rules::Identity identity;
    identity.issuer = "https://issuer.example";
    identity.subject = std::string(token.substr(4));
    return identity;
  }
};

// One number per caller, without bounds.
class Limiter : public rules::RateLimiter {
 public:
  rules::RateVerdict take(RateKind kind, std::string_view who, const rules::RateLimit& limit,
                          base::Instant now) override {
    const std::lock_guard lock(mutex);
    auto verdict = rules::take(arrivals[{kind, std::string(who)}], limit, now);
    verdict.kind = kind;
    if (watches && !verdict.is_allowed) verdict.is_allowed = verdict.is_shadow = true;
    return verdict;
  }
  std::map<std::pair<RateKind, std::string>, std::int64_t> arrivals;
  bool watches = false;
  std::mutex mutex;
};

class Usage : public rules::KeyUsage {
 public:
  void count(std::uint64_t, const base::Address&, rules::CallOutcome outcome,
             base::Instant) override {
    ++(outcome == rules::CallOutcome::admitted ? admitted : refused);
  }
  std::atomic<int> admitted = 0, refused = 0;
};

class Audit : public rules::AuditLog {
 public:
  base::Result<base::Done> record(rules::AuditEntry) override { return base::Done{}; }
  void note(rules::AuditEntry entry) override {
    const std::lock_guard lock(mutex);
    entries.push_back(std::move(entry));
  }
  void note_later(rules::AuditEntry entry, Complete complete) override {
    complete(entry);
    note(std::move(entry));
  }
  std::vector<rules::AuditEntry> entries;
  std::mutex mutex;
};

inline rules::ApiKeyTerms terms_of(rules::Permissions scopes, std::string tier = "free",
                                   std::optional<rules::RateLimit> own_limit = {}) {
  rules::ApiKeyTerms terms;
  terms.scopes = scopes;
  terms.tier = std::move(tier);
  terms.own_limit = own_limit;
  return terms;
}
inline const auto all_scopes = rules::Permissions::of_api_keys();

struct World {
  explicit World(AdmitCall::Options options = {})
      : admit({.authenticate = authenticate,
               .identities = people,
               .members = people,
               .limiter = limiter,
               .key_usage = usage,
               .audit = audit,
               .clock = clock},
              std::move(options)) {}

  std::string make_key(rules::ApiKeyTerms terms = {}) {
    const auto text = rules::ApiKeyText::make(rules::Environment::test, random);
    rules::ApiKey key;
    key.id = ++keys_made;
    key.app_id = "app_1";
    key.terms = std::move(terms);
    keys.by_hash[hasher.current(text)] = key;
    return std::string(text.secret().expose());
  }
  // A key as it became meanwhile.
  template <class Change>
  std::string make_key_and(const Change& change) {
    const auto text = make_key();
    change(keys.by_hash.at(hasher.current(*rules::ReadApiKey::of(text))));
    return text;
  }
  // A key in the right form that nobody made.
  std::string guess() {
    return std::string(rules::ApiKeyText::make(rules::Environment::test, random).secret().expose());
  }
  AdmitCall::Request asked(base::Result<std::string_view> credential, std::string_view from,
                           Permission needs) {
    return {.credential = std::move(credential),
            .client = *base::parse_address(from),
            .peer = from,
            .request_id = "req-1",
            .action = "GET /v1/keys",
            .needs = needs};
  }
  AdmitCall::Outcome call(std::string_view credential, std::string_view from = "192.0.2.7",
                          Permission needs = Permission::keys_read) {
    return admit(asked(credential, from, needs));
  }
  AdmitCall::Outcome call_without(std::string_view from = "192.0.2.7") {
    return admit(
        asked(base::fail(ErrorCode::credential_missing, "none"), from, Permission::keys_read));
  }
  ErrorCode code_of(std::string_view credential, std::string_view from = "192.0.2.7",
                    Permission needs = Permission::keys_read) {
    const auto outcome = call(credential, from, needs);
    EXPECT_FALSE(outcome.caller);
    return outcome.caller ? ErrorCode::conflict : outcome.caller.error().code;
  }

  base::ManualClock clock{base::Instant(1'800'000'000s)};
  crypto::SystemRandom random;
  rules::ApiKeyHasher hasher{[] {
    std::vector<crypto::HmacKey> generations;
    generations.emplace_back(base::Secret(std::string_view("server secret")));
    return generations;
  }()};
  Keys keys;
  std::uint64_t keys_made = 0;
  People people;
  Limiter limiter;
  Usage usage;
  Audit audit;
  AuthenticateApiKey authenticate{{.keys = keys, .hasher = hasher, .clock = clock}, {}};
  AdmitCall admit;
};

}  // namespace stagedoor::actions::for_test
