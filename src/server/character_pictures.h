// The characters as pictures, each drawn once, when it is first asked for.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "base/result.h"

namespace stagedoor::server {

// Safe for concurrent use. There are as many as there are characters.
class CharacterPictures {
 public:
  // A PNG of 720 by 480 pixels, the face at rest. `not_found`.
  base::Result<std::string> operator()(std::string_view character);

 private:
  std::mutex mutex_;
  std::map<std::string, std::string, std::less<>> pictures_;  // under mutex_
};

}  // namespace stagedoor::server
