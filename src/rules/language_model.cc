#include "rules/language_model.h"

#include <utility>

#include "rules/persona_shape.h"

namespace stagedoor::rules {
namespace {

using base::Json;
using base::JsonShape;
using base::Presence;
using Others = base::JsonShape::Others;

constexpr std::size_t secret_bytes_max = 4096;
constexpr std::size_t urls_max = 8;
constexpr std::string_view completions_path = "/chat/completions";

void check_model(const Json& model, const std::string& path, ItemFaults& faults) {
  const auto format = text_in(model, "llmFormat");
  if (format != "openai" && format != "groq_openai")
    base::add_fault(faults, base::member_path(path, "llmFormat"), "unsupported",
                    "This server speaks openai and groq_openai: POST /chat/completions with a "
                    "Bearer key.");
  simdjson::dom::array urls;
  const auto list = model.member("urls");
  if (list && list->element().get(urls) == simdjson::SUCCESS && urls.size() == 0)
    base::add_fault(faults, base::member_path(path, "urls"), "missing", "must not be empty");
}

JsonShape url() {
  return JsonShape::text({.characters_max = 2048,
                          .is_good = &is_web_address,
                          .must_be = "an address that begins with https:// or http://"});
}

JsonShape text(std::size_t characters_min, std::size_t characters_max) {
  return JsonShape::text({.characters_min = characters_min, .characters_max = characters_max});
}

// All but the key.
JsonShape shape(Others others) {
  return JsonShape::object(
      {
          {"apiVersion", text(0, 64)},
          {"deploymentName", text(0, 256)},
          {"description", text(0, 2000)},
          {"displayName", text(1, 128), Presence::required},
          {"llmFormat",
           JsonShape::choice({"openai", "azure_openai", "groq_openai", "gemini", "advanced_voice",
                              "none", "anthropic", "custom"}),
           Presence::required},
          {"maxTokens", JsonShape::whole(1, 32'768)},
          {"metadata", JsonShape::any_object(10'000)},
          {"modelName", text(1, 256), Presence::required},
          {"reasoningEffort", JsonShape::choice({"default", "low", "medium", "high"})},
          {"reasoningFormat", JsonShape::choice({"parsed", "raw", "hidden"})},
          {"temperature", JsonShape::number(0, 2)},
          {"urls",
           JsonShape::list(
               JsonShape::object({{"region", text(0, 64)}, {"url", url(), Presence::required}}),
               urls_max),
           Presence::required},
      },
      others, &check_model);
}

bool is_key(std::string_view text) {
  return !text.empty() && text.size() <= secret_bytes_max &&
         text.find_first_of(std::string_view("\r\n\0 ", 4)) == text.npos;
}

void read_key(const Json& body, ItemDraft& draft, ItemFaults& faults) {
  const auto given = body.member("secret");
  const auto key = given ? given->text() : std::nullopt;
  if (key && is_key(*key)) {
    draft.secret = base::Secret(*key);
  } else {
    base::add_fault(faults, "secret", given ? "invalid_form" : "missing",
                    "must be the endpoint's key, at most 4096 bytes without blanks");
  }
}

std::expected<ItemDraft, ItemFaults> read(const Json& body) {
  ItemDraft draft;
  ItemFaults faults;
  draft.content = shape(Others::ignored).read(body, "", faults);
  if (body.is_object()) read_key(body, draft, faults);
  if (!faults.empty()) return std::unexpected(std::move(faults));
  draft.name = text_in(body, "displayName");
  return draft;
}

// `url` stands for the one address; the key is no part of the content.
std::string change_of_content(const Json& change) {
  std::string text = "{";
  simdjson::dom::object members;
  if (change.element().get(members) != simdjson::SUCCESS) return "{}";
  for (const auto member : members) {
    if (member.key == "secret") continue;
    if (text.size() > 1) text += ',';
    const bool is_url = member.key == "url";
    base::append_json_string(text, is_url ? std::string_view("urls") : member.key);
    text += is_url ? ":[{\"url\":" : ":";
    base::append_canonical(text, Json(member.value));
    if (is_url) text += "}]";
  }
  return text + "}";
}

// The address that is asked; empty: none.
std::string first_url(std::string_view content) {
  base::JsonReader reader;
  const auto json = reader.read(content);
  const auto list = json ? json->member("urls") : std::nullopt;
  simdjson::dom::array urls;
  if (!list || list->element().get(urls) != simdjson::SUCCESS || urls.size() == 0) return {};
  return text_in(Json(*urls.begin()), "url");
}

std::expected<ItemDraft, ItemFaults> changed(const CatalogItem& before, const Json& change) {
  if (!change.is_object())
    return std::unexpected(ItemFaults{{"", "invalid_type", "The body must be an object."}});
  if (change.member("url") && change.member("urls"))
    return std::unexpected(ItemFaults{{"url", "conflict", "Give url or urls, not both."}});
  base::JsonReader changes, reader;
  const auto wanted = changes.read(change_of_content(change));
  if (!wanted) return std::unexpected(ItemFaults{{"", "invalid_form", wanted.error().hint}});
  const auto json = changed_content(before, *wanted, reader);
  if (!json) return std::unexpected(json.error());
  ItemDraft draft;
  ItemFaults faults;
  draft.content = shape(Others::refused).read(*json, "", faults);
  if (change.member("secret")) {
    read_key(change, draft, faults);
  } else if (origin_of(first_url(before.content)) == origin_of(first_url(draft.content))) {
    draft.secret = base::Secret(before.secret.expose());
  } else {
    base::add_fault(faults, "secret", "missing",
                    "The kept key is for the host before: say the key of this one.");
  }
  if (!faults.empty()) return std::unexpected(std::move(faults));
  draft.name = text_in(*json, "displayName");
  return draft;
}

// The address may be that of the service or of the call.
std::string whole(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url.ends_with(completions_path) ? url : url + std::string(completions_path);
}

}  // namespace

const ItemForm& language_model_form() {
  static constexpr ItemForm form{.kind = ItemKind::language_model,
                                 .create = AuditAction::language_model_create,
                                 .change = AuditAction::language_model_change,
                                 .remove = AuditAction::language_model_remove,
                                 .read = &read,
                                 .changed = &changed};
  return form;
}

LanguageModelTerms terms_of(const CatalogItem& model) {
  LanguageModelTerms terms;
  base::JsonReader reader;
  const auto json = reader.read(model.content);
  if (!json) return terms;
  terms.url = whole(first_url(model.content));
  terms.model = text_in(*json, "modelName");
  terms.reasoning_effort = text_in(*json, "reasoningEffort");
  if (terms.reasoning_effort == "default") terms.reasoning_effort.clear();
  if (const auto number = json->member("temperature")) terms.temperature = number->number();
  if (const auto number = json->member("maxTokens"))
    if (const auto count = number->integer()) terms.answer_tokens_max = static_cast<int>(*count);
  return terms;
}

}  // namespace stagedoor::rules
