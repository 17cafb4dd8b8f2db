// Language models and tools in the shapes of the Anam dialect (contract 1.6, 1.7).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>

#include "rules/built_in.h"
#include "rules/catalog_item.h"

namespace stagedoor::anam {

// Each appends one JSON object. A language model's key is in none, a webhook's headers are hidden.
void append_language_model(std::string& out, const rules::CatalogItem& model);
void append_built_in_language_model(std::string& out, const rules::BuiltIn& one);
void append_tool(std::string& out, const rules::CatalogItem& tool);

}  // namespace stagedoor::anam
