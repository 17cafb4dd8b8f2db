// The parts of a multipart/form-data body (RFC 7578, RFC 2046 5.1), for uploads from pages and
// tools.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace stagedoor::http {

inline constexpr std::size_t form_parts_max = 32;
inline constexpr std::size_t form_part_head_bytes_max = 4096;

struct FormPart {
  std::string name;
  std::string filename;      // empty: not a file
  std::string content_type;  // empty: not said
  std::string_view content;  // inside the body
};

// All parts, in order; `malformed` with a hint where it is no form, or has more than form_parts_max
// parts. `content_type` is the request's, with its boundary.
base::Result<std::vector<FormPart>> read_form(std::string_view content_type, std::string_view body);

// The first part of that name; null: there is none.
const FormPart* part_named(const std::vector<FormPart>& parts, std::string_view name);

}  // namespace stagedoor::http
