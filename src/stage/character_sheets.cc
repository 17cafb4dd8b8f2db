// SPDX-License-Identifier: Apache-2.0

#include <map>

#include "stage/characters.h"

namespace stagedoor::stage {
namespace {

using Sheets = std::map<std::string_view, base::Result<std::shared_ptr<const FaceSheet>>>;

Sheets read_all() {
  Sheets sheets;
  for (const auto& character : characters()) {
    auto sheet = read_face_sheet(character.sheet);
    if (sheet)
      sheets.emplace(character.id, std::make_shared<const FaceSheet>(*std::move(sheet)));
    else
      sheets.emplace(character.id, base::fail(sheet.error()));
  }
  return sheets;
}

}  // namespace

base::Result<std::shared_ptr<const FaceSheet>> sheet_of_character(std::string_view id) {
  static const Sheets sheets = read_all();
  if (const auto found = sheets.find(id); found != sheets.end()) return found->second;
  std::string names;
  for (const auto& character : characters()) {
    if (!names.empty()) names += ", ";
    names += character.id;
  }
  return base::fail(base::ErrorCode::not_found, "no such character",
                    "There is no such character; there are " + names + ".");
}

}  // namespace stagedoor::stage
