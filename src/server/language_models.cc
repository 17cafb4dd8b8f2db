#include "server/language_models.h"

#include <utility>

#include "engines/web_chat.h"
#include "rules/language_model.h"

namespace stagedoor::server {

base::Result<std::shared_ptr<stage::Chat>> LanguageModels::operator()(const rules::ItemScope& scope,
                                                                      std::string_view id) const {
  auto model = parts_.items.find(scope, rules::ItemKind::language_model, id);
  if (!model) return base::fail(model.error());
  auto terms = rules::terms_of(*model);
  engines::WebChat::Options options;
  options.url = std::move(terms.url);
  options.key = std::move(model->secret);
  options.default_model = std::move(terms.model);
  options.temperature = terms.temperature;
  options.reasoning_effort = std::move(terms.reasoning_effort);
  if (terms.answer_tokens_max) options.answer_tokens_max = *terms.answer_tokens_max;
  options.private_addresses = parts_.private_addresses;
  return std::make_shared<engines::WebChat>(std::move(options), parts_.calls);
}

}  // namespace stagedoor::server
