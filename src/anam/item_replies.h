// Language models, tools and share links in the shapes of the Anam dialect
// (contract 1.6, 1.7, 1.9).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>

#include "base/clock.h"
#include "base/json_writer.h"
#include "rules/built_in.h"
#include "rules/caller.h"
#include "rules/catalog_item.h"
#include "rules/share_link.h"

namespace stagedoor::anam {

// Each appends one JSON object. A language model's key is in none, a webhook's headers are hidden.
void append_language_model(std::string& out, const rules::CatalogItem& model);
void append_built_in_language_model(std::string& out, const rules::BuiltIn& one);
void append_tool(std::string& out, const rules::CatalogItem& tool);

// To whoever may not mint, the token of a link is null: it would let them.
enum class ShareTokens : unsigned char { hidden, shown };
inline ShareTokens share_tokens_for(const rules::Caller& caller) {
  return caller.may(rules::Permission::tokens_mint) ? ShareTokens::shown : ShareTokens::hidden;
}
void append_share_link(std::string& out, const rules::ShareLink& link, ShareTokens tokens);

// `createdAt` and `updatedAt`, as everything that is kept has them.
void append_times(base::JsonWriter& out, base::Instant created_at, base::Instant updated_at);

}  // namespace stagedoor::anam
