// The STUN and TURN servers that a live face's client is told, with credentials of its own.
//
// TURN credentials are short-lived, as coturn's use-auth-secret has them (the draft "A REST API For
// Access To TURN Services"): a user name that begins with the second in which they end, and as
// password its HMAC-SHA1 under a secret that both servers know. The rest of the name is random: it
// crosses the network in clear, so it names no session.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "crypto/hmac_sha1.h"
#include "server/live_settings.h"

namespace stagedoor::server {

// Safe for concurrent use.
class IceServers {
 public:
  // `malformed` for TURN servers without a secret, or a secret without servers; `unavailable` where
  // its file can't be read.
  static base::Result<IceServers> of(const LiveSettings& settings, const base::Clock& clock,
                                     base::Random& random);

  // A JSON array as browsers have it (contract 3.2), for one client.
  std::string operator()() const;

 private:
  IceServers(const LiveSettings& settings, std::shared_ptr<const crypto::HmacSha1Key> key,
             const base::Clock& clock, base::Random& random)
      : settings_(settings), key_(std::move(key)), clock_(clock), random_(random) {}

  LiveSettings settings_;
  std::shared_ptr<const crypto::HmacSha1Key> key_;
  const base::Clock& clock_;
  base::Random& random_;
};

}  // namespace stagedoor::server
