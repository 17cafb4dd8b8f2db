// Finds an API key by its text, under whichever server secret it was hashed.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <optional>
#include <string_view>

#include "rules/api_key.h"

namespace stagedoor::actions {

// `Hashed` is a rules::ReadApiKey or a rules::ForeignKeyHash. A key found under an older secret
// moves to the newest. A frozen or revoked key takes the same steps as one that never was (rule
// api-key-constant-time).
template <class Hashed>
std::optional<rules::KnownApiKey> find_api_key(rules::ApiKeyStore& keys,
                                               const rules::ApiKeyHasher& hasher,
                                               const Hashed& key) {
  for (std::size_t generation = 0; generation < hasher.generations(); ++generation) {
    const auto hash = hasher.of_generation(generation, key);
    const auto known = keys.find(hash);
    if (!known) continue;
    if (generation > 0) keys.rehash(known->id, hash, hasher.current(key));
    return known;
  }
  return std::nullopt;
}

// The same, and frozen and revoked ones too: for whoever may be told how a key stands.
template <class Hashed>
std::optional<rules::KnownApiKey> look_up_api_key(rules::ApiKeyStore& keys,
                                                  const rules::ApiKeyHasher& hasher,
                                                  const Hashed& key) {
  if (auto good = find_api_key(keys, hasher, key)) return good;
  for (std::size_t generation = 0; generation < hasher.generations(); ++generation)
    if (auto known = keys.look_up(hasher.of_generation(generation, key))) return known;
  return std::nullopt;
}

// The same for a text in our form or in another's.
inline std::optional<rules::KnownApiKey> look_up_api_key_of(rules::ApiKeyStore& keys,
                                                            const rules::ApiKeyHasher& hasher,
                                                            std::string_view text) {
  if (const auto key = rules::ReadApiKey::of(text)) return look_up_api_key(keys, hasher, *key);
  const auto foreign = rules::foreign_hash_of(text);
  return foreign ? look_up_api_key(keys, hasher, *foreign) : std::nullopt;
}

}  // namespace stagedoor::actions
