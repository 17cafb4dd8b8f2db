#include "anam/item_replies.h"

#include <optional>

#include "base/iso_time.h"
#include "base/json.h"
#include "base/json_shape.h"
#include "base/json_writer.h"

namespace stagedoor::anam {
namespace {

using base::JsonWriter;

// Members of an item's content, to be put into an answer.
class Content {
 public:
  explicit Content(const std::string& text) {
    if (auto json = reader_.read(text)) json_ = *json;
  }
  void copy(JsonWriter& out, base::JsonName name, std::string_view otherwise) const {
    const auto member = json_ ? json_->member(name) : std::nullopt;
    if (member) {
      base::append_canonical(out.begin(name), *member);
    } else {
      out.json(name, otherwise);
    }
  }

 private:
  base::JsonReader reader_;
  std::optional<base::Json> json_;
};

// The members that are the same for all of a kind.
void append_origin(JsonWriter& out, std::string_view is_built_in) {
  out.json("displayTags", "[]").json("isDefault", is_built_in).json("isGlobal", is_built_in);
  out.json("isZdr", is_built_in);
}

}  // namespace

void append_times(JsonWriter& out, base::Instant created_at, base::Instant updated_at) {
  out.text("createdAt", base::iso_time(created_at)).text("updatedAt", base::iso_time(updated_at));
}

void append_language_model(std::string& text, const rules::CatalogItem& model) {
  const Content content(model.content);
  JsonWriter out(text);
  out.text("id", model.id).text("displayName", model.name);
  content.copy(out, "description", "null");
  content.copy(out, "llmFormat", "\"openai\"");
  content.copy(out, "urls", "[]");
  static constexpr base::JsonName others[] = {"modelName",      "temperature", "maxTokens",
                                              "deploymentName", "apiVersion",  "metadata"};
  for (const auto name : others) content.copy(out, name, "null");
  content.copy(out, "reasoningEffort", "\"default\"");
  content.copy(out, "reasoningFormat", "null");
  append_origin(out, "false");
  out.text("createdByOrganizationId", model.scope.workspace_id);
  append_times(out, model.created_at, model.updated_at);
  out.end();
}

void append_built_in_language_model(std::string& text, const rules::BuiltIn& one) {
  const bool is_none = one.id == rules::no_language_model_id;
  JsonWriter out(text);
  out.text("id", one.id).text("displayName", is_none ? "Disable LLM" : one.name);
  out.text("description", is_none ? "The client gives the words itself."
                                  : "What answers on this server where nothing else is set up.");
  out.text("llmFormat", is_none ? "none" : "openai").json("urls", "[]");
  static constexpr base::JsonName others[] = {"modelName",      "temperature", "maxTokens",
                                              "deploymentName", "apiVersion",  "metadata"};
  for (const auto name : others) out.json(name, "null");
  out.text("reasoningEffort", "default").json("reasoningFormat", "null");
  append_origin(out, "true");
  out.json("createdByOrganizationId", "null");
  append_times(out, {}, {});
  out.end();
}

void append_tool(std::string& text, const rules::CatalogItem& tool) {
  const Content content(tool.content);
  JsonWriter out(text);
  out.text("id", tool.id).text("name", tool.name);
  content.copy(out, "description", "\"\"");
  content.copy(out, "type", "\"CLIENT\"");
  content.copy(out, "disableInterruptions", "false");
  content.copy(out, "config", "{}");
  out.json("usageCount", "null");
  append_times(out, tool.created_at, tool.updated_at);
  out.end();
}

void append_share_link(std::string& text, const rules::ShareLink& link, ShareTokens tokens) {
  const auto& terms = link.terms;
  const auto flag = [](bool is_set) { return is_set ? "true" : "false"; };
  const auto number = [](const std::optional<std::int64_t>& count) {
    return count ? std::to_string(*count) : std::string("null");
  };
  JsonWriter out(text);
  out.text("id", link.id);
  out.text_or_null("token", tokens == ShareTokens::shown ? link.token.expose() : "");
  out.text("type", name_of(terms.kind));
  out.text_or_null("expiresAt", terms.expires_at ? base::iso_time(*terms.expires_at) : "");
  out.json("usageLimit", number(terms.uses_max)).number("usageCount", link.uses);
  out.texts("allowedOrigins", terms.allowed_origins);
  out.json("allowAllOrigins", flag(terms.is_for_any_origin));
  out.json("removeWatermark", flag(terms.is_without_watermark));
  out.json("enabled", flag(terms.is_enabled)).json("isPrimary", flag(terms.is_primary));
  append_times(out, link.created_at, link.updated_at);
  out.text("personaId", link.persona_id).text("personaName", link.persona_name);
  out.text("organizationId", link.scope.workspace_id);
  out.end();
}

}  // namespace stagedoor::anam
