// The secure generator, read in portions of 4 KiB per thread and wiped as it is used.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "base/random.h"

namespace stagedoor::crypto {

// Safe for concurrent use. Ends the process if the system has no randomness: nothing that we do
// would be safe then.
class SystemRandom : public base::Random {
 public:
  void fill(std::span<std::uint8_t> out) override;
};

}  // namespace stagedoor::crypto
