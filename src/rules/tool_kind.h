// Who does what a tool's call asks for, and the words for it that clients and reports have.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string_view>
#include <utility>

namespace stagedoor::rules {

// The numbers are kept in the store: add at the end.
enum class ToolKind : unsigned char { client, webhook, system, knowledge };

// "client", "server" or "system".
inline std::string_view type_of(ToolKind kind) {
  switch (kind) {
    case ToolKind::client:
      return "client";
    case ToolKind::webhook:
    case ToolKind::knowledge:
      return "server";
    case ToolKind::system:
      return "system";
  }
  std::unreachable();
}

// Of the server's "webhook" or "knowledge"; else empty.
inline std::string_view subtype_of(ToolKind kind) {
  if (kind == ToolKind::webhook) return "webhook";
  return kind == ToolKind::knowledge ? "knowledge" : "";
}

}  // namespace stagedoor::rules
