// What a client of a live face shows wherever it speaks for its session.
//
// Rule face-engine-key: the vendor's clients show no credential at their engine but the path that
// they were told when the session began. So that path holds a random key, which is in no log and no
// list; the session's id, which lists, logs and events name, opens nothing.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <string_view>

#include "base/random.h"
#include "base/secret.h"
#include "crypto/hash.h"

namespace stagedoor::rules {

class EngineKey {
 public:
  static constexpr std::size_t characters = 22;  // 0-9A-Za-z: 131 bits

  explicit EngineKey(base::Random& random) : text_(base::random_base62(random, characters)) {}
  // Takes the same time whatever is shown.
  bool is(const base::Secret& shown) const { return crypto::equal(text_.expose(), shown.expose()); }
  std::string_view expose() const { return text_.expose(); }

 private:
  base::Secret text_;
};

}  // namespace stagedoor::rules
