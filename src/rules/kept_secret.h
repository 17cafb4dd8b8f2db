// A secret that a workspace has left with us and that we must be able to say again: the key of its
// language model, the headers that let a tool in elsewhere.
//
// Rule kept-secret-sealed: it stands in the database sealed (crypto/seal.h) under a key of the
// server secret, which is outside the database, and bound to what it belongs to, so that one moved
// to another row opens nothing. It is in no answer, no log and no audit entry.
//
// Rule kept-secret-survives-rotation: what is sealed under either generation of the server secret
// can be opened; before the secret is rotated everything is sealed anew under the newer one, so
// that nothing is lost with the older.
//
// Used by: store/sqlite_catalog_items.h, store/sqlite_personas.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/secret.h"
#include "crypto/seal.h"

namespace stagedoor::rules {

// Safe for concurrent use.
class SecretKeeper {
 public:
  // The keys of the server secret's generations (ServerSecret::sealing_secret), the newest first;
  // at least one.
  SecretKeeper(const std::vector<base::Secret>& keys, base::Random& random);

  // `belongs_to` names what it is a secret of: "language_model 5e0c...".
  std::string seal(std::string_view text, std::string_view belongs_to) const;
  // nullopt: sealed under a key that is gone, changed, or of something else.
  std::optional<base::Secret> open(std::string_view sealed, std::string_view belongs_to) const;
  // Whether it is sealed under the newest key.
  bool is_current(std::string_view sealed, std::string_view belongs_to) const;

 private:
  std::vector<crypto::SealingKey> keys_;
  base::Random& random_;
};

}  // namespace stagedoor::rules
