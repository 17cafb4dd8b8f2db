// A language model that a workspace brings itself: an endpoint that speaks OpenAI's chat
// completions, its key, and how it is asked (contract 1.6 of the Anam dialect).
//
// Rule language-model-key-stays: the key goes to that endpoint and nowhere else; it is kept sealed
// (rules/kept_secret.h), is in no answer and no log. Whoever moves the model to another host must
// say a key for it, so that a call that may change models can't have a key sent to itself.
//
// Used by: anam/kept_items.h, server/language_models.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "rules/catalog_item.h"

namespace stagedoor::rules {

const ItemForm& language_model_form();

// How its endpoint is asked.
struct LanguageModelTerms {
  std::string url;  // whole: https://host/v1/chat/completions
  std::string model;
  std::string reasoning_effort;  // "low", "medium" or "high"; empty: not said
  std::optional<double> temperature;
  std::optional<int> answer_tokens_max;
};
LanguageModelTerms terms_of(const CatalogItem& model);

}  // namespace stagedoor::rules
