// The identity providers that the settings name: [[people.issuers]].
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "rules/issuer.h"

namespace stagedoor::server {

struct IssuerSettings {
  std::string preset;   // "firebase", or empty: all is said here
  std::string project;  // with the preset
  std::string issuer;
  std::vector<std::string> audiences;
  std::vector<std::string> algorithms;  // empty: RS256
  std::string jwks_url;                 // empty: the preset's, or by discovery
  bool access_tokens = false;
};

// The policies that they stand for. `malformed` with a hint that names what is wrong; where private
// addresses are not allowed, http is wrong.
base::Result<std::vector<rules::IssuerPolicy>> policies_of(
    const std::vector<IssuerSettings>& issuers, bool allows_private_issuers);

}  // namespace stagedoor::server
