// What stands in until its own part is wired. Each class here is gone when that part lands.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "rules/identity.h"
#include "rules/key_usage.h"

namespace stagedoor::server {

class NoPeople : public rules::IdentityVerifier, public rules::Members {
 public:
  std::optional<base::Result<rules::Identity>> at_once(std::string_view, base::Instant) override {
    return base::fail(base::ErrorCode::token_invalid, "no issuer is configured");
  }
  base::Result<rules::Identity> verify(std::string_view, base::Instant) override {
    return base::fail(base::ErrorCode::token_invalid, "no issuer is configured");
  }
  base::Result<rules::Member> member_of(const rules::Identity&, std::string_view) const override {
    return base::fail(base::ErrorCode::token_invalid, "no issuer is configured");
  }
};

class NoKeyUsage : public rules::KeyUsage {
 public:
  void count(std::uint64_t, const base::Address&, rules::CallOutcome, base::Instant) override {}
};

}  // namespace stagedoor::server
