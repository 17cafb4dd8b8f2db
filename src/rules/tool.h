// A tool that a workspace keeps and its personas name: what the persona's model may call.
//
// Its form is that of the vendor whose dialect keeps tools (contract 1.7). The headers of a webhook
// are what lets it in elsewhere, so they are the item's secret (rules/kept_secret.h), and whoever
// reads the tool sees their names with `hidden_header` in place of their values.
//
// A value that is put back hidden stays as it was, unless the webhook moves to another host with
// the same call: then it must be said again, so that nobody has it sent to themselves.
//
// Rule kept-tool-in-snapshot: a token is for the tools as they are when it is minted; they go into
// its persona's snapshot in the same form as tools that the persona brings itself.
//
// Used by: rules/persona.h, anam/kept_items.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>
#include <string_view>

#include "rules/catalog_item.h"

namespace stagedoor::rules {

inline constexpr std::string_view hidden_header = "***";

const ItemForm& tool_form();

// The tool as a persona brings one itself (contract 1.1), its headers in the clear; canonical JSON.
std::string inline_tool_of(const CatalogItem& tool);

}  // namespace stagedoor::rules
