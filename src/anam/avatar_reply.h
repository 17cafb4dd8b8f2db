// An avatar in the shape of the Anam dialect (contract 1.4).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>
#include <string_view>

#include "base/json_writer.h"
#include "rules/app.h"

namespace stagedoor::anam {

// Where a character's picture is; `public_url` ends without a slash.
std::string picture_of(std::string_view public_url, std::string_view character);

// Its members, into an object that the caller has begun. Some of the vendor's clients can't bear
// null for variantName, imageUrl and videoUrl.
void append_avatar_members(base::JsonWriter& out, const rules::Avatar& avatar,
                           std::string_view public_url);

}  // namespace stagedoor::anam
