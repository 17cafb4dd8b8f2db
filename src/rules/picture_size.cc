// SPDX-License-Identifier: Apache-2.0

#include "rules/picture_size.h"

#include <algorithm>

namespace stagedoor::rules {

base::Result<PictureSize> picture_size(int width, int height) {
  const PictureSize asked{width, height};
  if (std::ranges::find(picture_sizes, asked) != picture_sizes.end()) return asked;
  std::string sizes;
  for (const auto& size : picture_sizes) {
    if (!sizes.empty()) sizes += ", ";
    sizes += std::to_string(size.width) + "x" + std::to_string(size.height);
  }
  return base::fail(base::ErrorCode::unsupported,
                    "picture of " + std::to_string(width) + "x" + std::to_string(height),
                    "The picture may be " + sizes + ".");
}

}  // namespace stagedoor::rules
