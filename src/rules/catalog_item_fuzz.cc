// Any JSON as an item that a workspace keeps, and as a change of one: no crash; what is kept can be
// read and kept again, no secret is in its content, and none goes with it to another host.
#include <cstdlib>

#include "base/text.h"
#include "rules/knowledge.h"
#include "rules/language_model.h"
#include "rules/persona_shape.h"
#include "rules/tool.h"

namespace {

using namespace stagedoor;
using rules::CatalogItem, rules::ItemForm;

constexpr std::string_view secret = "kept and never told";
constexpr std::string_view kept_model =
    R"({"displayName":"M","llmFormat":"openai","modelName":"m",)"
    R"("urls":[{"url":"https://kept.example/v1"}],"secret":"no-blanks"})";
constexpr std::string_view kept_webhook =
    R"({"name":"w","description":"W.","type":"SERVER_WEBHOOK","config":{)"
    R"("url":"https://kept.example/w","headers":{"X-Key":"kept and never told"}}})";
constexpr std::string_view kept_group = R"({"name":"g"})";

void must(bool holds) {
  if (!holds) std::abort();
}

CatalogItem item_of(const ItemForm& form, rules::ItemDraft draft) {
  CatalogItem item;
  item.kind = form.kind;
  item.name = std::move(draft.name);
  item.content = std::move(draft.content);
  item.secret = std::move(draft.secret);
  return item;
}

CatalogItem first_of(const ItemForm& form) {
  base::JsonReader reader;
  const auto text = form.kind == rules::ItemKind::tool             ? kept_webhook
                    : form.kind == rules::ItemKind::language_model ? kept_model
                                                                   : kept_group;
  auto item = item_of(form, *form.read(*reader.read(text)));
  if (form.kind == rules::ItemKind::language_model) item.secret = base::Secret(std::string(secret));
  return item;
}

// As readable as before, also inside of a persona's snapshot.
void check(const ItemForm& form, const CatalogItem& item) {
  base::JsonReader reader;
  const auto json = reader.read(R"({"persona":{"items":[)" + item.content + "]}}");
  must(json.has_value());
  must(reader.read(item.content).has_value());
  const auto same = form.changed(item, *reader.read("{}"));
  must(same.has_value() && same->content == item.content && same->name == item.name);
  if (form.kind == rules::ItemKind::tool)
    must(reader.read(R"({"persona":{"tools":[)" + rules::inline_tool_of(item) + "]}}").has_value());
  if (form.kind == rules::ItemKind::language_model) (void)rules::terms_of(item);
}

std::string host_of(const CatalogItem& item) {
  base::JsonReader reader;
  const auto json = reader.read(item.content);
  must(json.has_value());
  if (item.kind == rules::ItemKind::language_model)
    return std::string(rules::origin_of(rules::terms_of(item).url));
  const auto config = json->member("config");
  return config ? std::string(rules::origin_of(rules::text_in(*config, "url"))) : std::string();
}

void check_change(const ItemForm& form, const base::Json& change) {
  const auto before = first_of(form);
  auto draft = form.changed(before, change);
  if (!draft) return must(!draft.error().empty());
  const auto after = item_of(form, *std::move(draft));
  check(form, after);
  std::string said;
  base::append_canonical(said, change);
  if (said.contains(secret)) return;
  must(!after.content.contains(secret));
  if (after.secret.expose().contains(secret)) must(host_of(after) == host_of(before));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  base::JsonReader reader;
  const auto json = reader.read(base::as_text({data, size}));
  if (!json) return 0;
  for (const auto* form :
       {&rules::tool_form(), &rules::language_model_form(), &rules::knowledge_group_form()}) {
    if (auto draft = form->read(*json)) {
      check(*form, item_of(*form, *std::move(draft)));
    } else {
      must(!draft.error().empty() && draft.error().size() <= base::field_faults_max);
    }
    check_change(*form, *json);
  }
  return 0;
}
