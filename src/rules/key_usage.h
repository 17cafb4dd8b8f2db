// How API keys are used: when last, from where, how often. Counted in memory, kept now and then.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>

#include "base/clock.h"
#include "base/network.h"

namespace stagedoor::rules {

enum class CallOutcome : unsigned char { admitted, refused };

// Safe for concurrent use; without waiting.
class KeyUsage {
 public:
  virtual ~KeyUsage() = default;
  virtual void count(std::uint64_t api_key_id, const base::Address& client, CallOutcome outcome,
                     base::Instant now) = 0;
};

}  // namespace stagedoor::rules
