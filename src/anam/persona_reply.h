// A persona in the shape of the Anam dialect (contract 1.3 to 1.5).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>

#include "anam/item_replies.h"
#include "rules/app.h"
#include "rules/knowledge.h"
#include "rules/persona.h"

namespace stagedoor::anam {

// Where what a persona names is found, and what addresses begin with.
struct References {
  const rules::Catalog& catalog;
  const rules::Voices& voices;
  rules::CatalogItems& items;
  rules::Knowledge& knowledge;
  rules::ShareLinks& links;
  std::string public_url;  // without a slash at its end
};

// To whom a persona is shown: of what it names, only what they find (rules/item_scope.h).
struct Viewer {
  rules::ItemScope scope;
  ShareTokens share_tokens;
};

// What is not said in the content is what is built in. Appends.
void append_persona(std::string& out, const rules::Persona& persona, const References& references,
                    const Viewer& viewer);
void append_persona_summary(std::string& out, const rules::Persona& persona,
                            const References& references, const rules::ItemScope& scope);

}  // namespace stagedoor::anam
