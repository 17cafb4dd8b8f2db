// What stands in until its own part is wired. Each class here is gone when that part lands.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "rules/identity.h"

namespace stagedoor::server {

// Nobody is a member of anything: whoever shows a genuine token may do nothing.
class NoMembers : public rules::Members {
 public:
  base::Result<rules::Member> member_of(const rules::Identity&, std::string_view) const override {
    return rules::Member{};
  }
};

}  // namespace stagedoor::server
