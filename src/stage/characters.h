// Who can be seen: the face sheets that travel inside the binary.
//
// All views live as long as the program and may be read by any thread. The list is written by
// tools/embed-files from web/faces when the tree is built.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "base/result.h"
#include "stage/face_sheet.h"

namespace stagedoor::stage {

struct Character {
  std::string_view id;     // "ada"
  std::string_view sheet;  // JSON, docs/reference/face-sheet.md
  std::string_view etag;   // quoted, made of the sheet's SHA-256
};

// The first is who is seen where nobody is named.
std::span<const Character> characters();

// Its sheet, read once for all who ask. `not_found`, with a hint that lists the characters.
base::Result<std::shared_ptr<const FaceSheet>> sheet_of_character(std::string_view id);

}  // namespace stagedoor::stage
