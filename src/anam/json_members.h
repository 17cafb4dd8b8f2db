// Members of the vendor's messages, read as leniently as its own server does: what is absent or of
// another kind counts as empty.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace stagedoor::anam {

inline std::string text_of(const base::Json& object, std::string_view name) {
  const auto member = object.member(name);
  return std::string(member ? member->text().value_or("") : "");
}

inline bool flag_of(const base::Json& object, std::string_view name) {
  const auto member = object.member(name);
  return member && member->flag().value_or(false);
}

}  // namespace stagedoor::anam
