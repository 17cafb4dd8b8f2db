// API keys in memory, for tests of actions: found and changed as in the real store.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <algorithm>
#include <map>
#include <vector>

#include "rules/api_key_records.h"

namespace stagedoor::actions {

class KeysForTest : public rules::ApiKeyStore, public rules::ApiKeyRecords {
 public:
  explicit KeysForTest(const rules::Catalog& catalog) : catalog_(catalog) {}

  std::optional<rules::KnownApiKey> look_up(const rules::ApiKeyHash& hash) const override {
    const auto found = by_hash.find(hash);
    if (found == by_hash.end()) return std::nullopt;
    const auto& key = found->second;
    rules::KnownApiKey known{key.id, key.environment, catalog_.app(key.app_id), &key.terms};
    known.expires_at = key.expires_at;
    known.standing = key.revoked_at  ? rules::ApiKeyStanding::revoked
                     : key.frozen_at ? rules::ApiKeyStanding::frozen
                                     : rules::ApiKeyStanding::good;
    return known;
  }
  bool is_revoked(std::uint64_t id) const override {
    const auto key = read(id);
    return key && (key->revoked_at || key->frozen_at);
  }
  void rehash(std::uint64_t, const rules::ApiKeyHash& from, const rules::ApiKeyHash& to) override {
    // In its place: whoever has just looked it up still holds its terms.
    auto key = by_hash.extract(from);
    key.key() = to;
    by_hash.insert(std::move(key));
  }

  base::Result<base::Done> create(const rules::ApiKeyMaker&,
                                  std::vector<rules::NewApiKey> made) override {
    for (const auto& one : made)
      if (by_hash.contains(one.hash))
        return base::fail(base::ErrorCode::conflict, "hash is here already");
    for (auto& one : made) add(std::move(one));
    return base::Done{};
  }
  base::Result<base::Done> record(const rules::ApiKeyMaker&, rules::AuditEntry) override {
    return base::Done{};
  }
  base::Result<rules::ApiKey> read(std::uint64_t id) const override {
    for (const auto& [hash, key] : by_hash)
      if (key.id == id) return key;
    return base::fail(base::ErrorCode::not_found, "no key", "There is no key with this id.");
  }
  base::Result<rules::ApiKeyPage> list(const rules::ApiKeyQuery& query) const override {
    rules::ApiKeyPage page;
    for (const auto& [hash, key] : by_hash)
      if (query.app_id.empty() || key.app_id == query.app_id) page.keys.push_back(key);
    return page;
  }
  base::Result<rules::BlastRadius> blast_radius(const rules::ApiKey&) const override {
    return rules::BlastRadius{};
  }
  base::Result<rules::ApiKey> freeze(std::uint64_t id, base::Instant now, std::string reason,
                                     rules::AuditEntry entry) override {
    return change(id, std::move(entry), [&](rules::ApiKey& key) {
      if (key.frozen_at) return;
      key.frozen_at = now;
      key.frozen_reason = reason;
    });
  }
  base::Result<rules::ApiKey> freeze_for_report(std::uint64_t id, const crypto::Digest&,
                                                base::Instant now, std::string reason,
                                                rules::AuditEntry entry) override {
    return freeze(id, now, std::move(reason), std::move(entry));
  }
  base::Result<rules::ApiKey> unfreeze(const rules::ApiKeyMaker&, std::uint64_t id,
                                       rules::AuditEntry entry) override {
    return change(id, std::move(entry), [](rules::ApiKey& key) { key.frozen_at.reset(); });
  }
  base::Result<rules::ApiKey> revoke(std::uint64_t id, base::Instant now, std::string reason,
                                     rules::AuditEntry entry) override {
    return change(id, std::move(entry), [&](rules::ApiKey& key) {
      if (key.revoked_at) return;
      key.revoked_at = now;
      key.revoked_reason = reason;
    });
  }
  base::Result<rules::ApiKey> rotate(const rules::ApiKeyMaker&, std::uint64_t id,
                                     const rules::Retirement& retirement,
                                     rules::NewApiKey successor) override {
    const auto old = read(id);
    if (!old) return old;
    if (auto may = rules::check_may_rotate(*old, retirement); !may) return base::fail(may.error());
    return retire(*old, retirement, std::move(successor));
  }
  base::Result<Rotated> rotate_all(const rules::ApiKeyMaker&, const std::string& app_id,
                                   rules::Environment environment,
                                   const rules::Retirement& retirement, const MakeSuccessor& make,
                                   rules::AuditEntry) override {
    Rotated rotated;
    const auto before = by_hash;
    for (const auto& [hash, key] : before) {
      if (key.app_id != app_id || key.environment != environment || key.revoked_at) continue;
      auto successor = make(key);
      if (!successor) {
        by_hash = before;
        return base::fail(successor.error());
      }
      rotated.old_and_new.emplace_back(key.id, successor->key.id);
      (void)retire(key, retirement, *std::move(successor));
    }
    return rotated;
  }

  std::map<rules::ApiKeyHash, rules::ApiKey> by_hash;
  std::vector<rules::AuditEntry> entries;

 private:
  void add(rules::NewApiKey made) {
    by_hash[made.hash] = std::move(made.key);
    entries.push_back(std::move(made.entry));
  }
  template <class Change>
  base::Result<rules::ApiKey> change(std::uint64_t id, rules::AuditEntry entry,
                                     const Change& change) {
    for (auto& [hash, key] : by_hash) {
      if (key.id != id) continue;
      change(key);
      entries.push_back(std::move(entry));
      return key;
    }
    return read(id);
  }
  base::Result<rules::ApiKey> retire(const rules::ApiKey& old, const rules::Retirement& retirement,
                                     rules::NewApiKey successor) {
    const auto successor_id = successor.key.id;
    const auto entry = successor.entry;
    add(std::move(successor));
    return change(old.id, entry, [&](rules::ApiKey& key) {
      key.replaced_by = successor_id;
      if (retirement.is_at_once()) {
        key.revoked_at = retirement.now;
      } else {
        key.expires_at = retirement.end_of(key.expires_at);
      }
    });
  }

  const rules::Catalog& catalog_;
};

}  // namespace stagedoor::actions
