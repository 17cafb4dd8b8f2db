#include "rules/tool.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/json_writer.h"
#include "rules/persona_shape.h"

namespace stagedoor::rules {
namespace {

using base::Json;
using base::JsonShape;
using base::Presence;
using Others = base::JsonShape::Others;

constexpr std::size_t parameters_bytes_max = 10'000;
constexpr std::size_t headers_max = 32, header_characters_max = 4096;

const JsonShape& client_shape() {
  static const auto shape = JsonShape::object({
      {"awaitResult", JsonShape::flag()},
      {"parameters", JsonShape::any_object(parameters_bytes_max)},
      {"toolTimeoutSeconds", JsonShape::number(1, 600)},
  });
  return shape;
}

void refuse_template(const Json& config, const std::string& path, ItemFaults& faults) {
  const auto given = config.member("bodyTemplate");
  if (given && !given->is_null() && given->text() != "")
    base::add_fault(faults, base::member_path(path, "bodyTemplate"), "unsupported",
                    "This server sends a webhook the model's arguments as they are.");
}

const JsonShape& webhook_shape() {
  static const auto shape = JsonShape::object(
      {
          {"awaitResponse", JsonShape::flag()},
          {"headers",
           JsonShape::map(JsonShape::text({.characters_max = header_characters_max}), headers_max)},
          {"method", JsonShape::choice({"GET", "POST", "PUT", "DELETE", "PATCH"})},
          {"parameters", JsonShape::any_object(parameters_bytes_max)},
          {"queryParameters", JsonShape::any_object(parameters_bytes_max)},
          {"toolTimeoutSeconds", JsonShape::number(1, 600)},
          {"url",
           JsonShape::text({.characters_max = 2048,
                            .is_good = &is_web_address,
                            .must_be = "an address that begins with https:// or http://"}),
           Presence::required},
      },
      Others::ignored, &refuse_template);
  return shape;
}

const JsonShape& system_shape() {
  static const auto shape = JsonShape::object(
      {{"action", JsonShape::choice({"end_call", "interrupt"}), Presence::required}});
  return shape;
}

const JsonShape& knowledge_shape() {
  static const auto shape =
      JsonShape::object({{"documentFolderIds", folder_ids_shape(), Presence::required}});
  return shape;
}

// Null: there are no tools of this type.
const JsonShape* config_shape(std::string_view type) {
  if (type == "SERVER_RAG") return &knowledge_shape();
  if (type == "CLIENT") return &client_shape();
  if (type == "SERVER_WEBHOOK") return &webhook_shape();
  if (type == "SYSTEM") return &system_shape();
  return nullptr;
}

JsonShape shape(Others others) {
  return JsonShape::object(
      {
          {"config", JsonShape::any_object(256u << 10), Presence::required},
          {"description", JsonShape::text({.characters_min = 1, .characters_max = 1024}),
           Presence::required},
          {"disableInterruptions", JsonShape::flag()},
          {"name", tool_name_shape(), Presence::required},
          {"type", JsonShape::choice({"CLIENT", "SERVER_RAG", "SERVER_WEBHOOK", "SYSTEM"}),
           Presence::required},
      },
      others);
}

using Headers = std::map<std::string, std::string, std::less<>>;

Headers headers_in(std::string_view json_text) {
  Headers headers;
  base::JsonReader reader;
  const auto json = reader.read(json_text);
  simdjson::dom::object members;
  if (!json || json->element().get(members) != simdjson::SUCCESS) return headers;
  for (const auto member : members)
    headers[std::string(member.key)] = Json(member.value).text().value_or("");
  return headers;
}

std::string text_of(const Headers& headers) {
  std::string text = "{";
  for (const auto& [name, value] : headers) {
    if (text.size() > 1) text += ',';
    base::append_json_string(text, name);
    text += ':';
    base::append_json_string(text, value);
  }
  return text + "}";
}

// What was put together here of JSON that has been read. It may be too deep by now.
std::expected<Json, ItemFaults> read_again(base::JsonReader& reader, std::string_view text) {
  const auto json = reader.read(text);
  if (!json) return std::unexpected(ItemFaults{{"", "invalid_form", json.error().hint}});
  return *json;
}

// What of a webhook was there before.
struct Before {
  std::string url;
  Headers headers;
};
Before before_of(const CatalogItem& tool) {
  base::JsonReader reader;
  const auto json = reader.read(tool.content);
  const auto config = json ? json->member("config") : std::nullopt;
  return {.url = config ? text_in(*config, "url") : std::string(),
          .headers = headers_in(tool.secret.is_empty() ? "{}" : tool.secret.expose())};
}

// Takes the headers out of a webhook's config; those that are hidden stay as they were, but not on
// their way to another host.
std::string without_headers(const Json& config, const Before& before, base::Secret& secret,
                            ItemFaults& faults) {
  const auto given = config.member("headers");
  if (!given) return {};
  std::string text;
  base::append_canonical(text, *given);
  auto headers = headers_in(text);
  const bool is_same_host = origin_of(before.url) == origin_of(text_in(config, "url"));
  Headers hidden;
  for (auto& [name, value] : headers) {
    hidden[name] = hidden_header;
    const auto known = before.headers.find(name);
    if (value != hidden_header || known == before.headers.end()) continue;
    value = known->second;
    if (!is_same_host)
      base::add_fault(faults, base::member_path("config.headers", name), "missing",
                      "The kept value is for the host before: say the value for this one.");
  }
  if (!headers.empty()) secret = base::Secret(text_of(headers));
  return text_of(hidden);
}

// `json` obeys the outer shape; so must what is inside of its config.
std::expected<ItemDraft, ItemFaults> draft_of(const Json& json, const Before& before) {
  ItemFaults faults;
  ItemDraft draft{.name = text_in(json, "name"), .content = {}, .secret = {}};
  const auto* inner = config_shape(text_in(json, "type"));
  const auto config = *json.member("config");
  auto kept = inner->read(config, "config", faults);
  if (!faults.empty()) return std::unexpected(std::move(faults));
  const auto hidden = without_headers(config, before, draft.secret, faults);
  if (!faults.empty()) return std::unexpected(std::move(faults));
  base::JsonReader reader;
  if (!hidden.empty()) {
    const auto headers = read_again(reader, "{\"headers\":" + hidden + "}");
    if (!headers) return std::unexpected(headers.error());
    kept = merged_members(kept, *headers);
  }
  const auto change = read_again(reader, "{\"config\":" + kept + "}");
  if (!change) return std::unexpected(change.error());
  std::string whole;
  base::append_canonical(whole, json);
  draft.content = merged_members(whole, *change);
  return draft;
}

std::expected<ItemDraft, ItemFaults> read_as(const Json& body, Others others,
                                             const Before& before) {
  ItemFaults faults;
  const auto canonical = shape(others).read(body, "", faults);
  if (!faults.empty()) return std::unexpected(std::move(faults));
  base::JsonReader reader;
  const auto again = read_again(reader, canonical);
  if (!again) return std::unexpected(again.error());
  return draft_of(*again, before);
}

// A tool in its inline form, as a persona brings one, has the members of `config` beside its name.
constexpr std::string_view config_path = "config.";
constexpr base::JsonName inline_members[] = {
    "action", "awaitResponse", "awaitResult",     "documentFolderIds",  "headers",
    "method", "parameters",    "queryParameters", "toolTimeoutSeconds", "url"};
constexpr std::string_view folders_otherwise = "folderIds";  // contract 1.7

// The faults of a config whose members were said without it.
std::expected<ItemDraft, ItemFaults> told_inline(std::expected<ItemDraft, ItemFaults> draft) {
  if (draft) return draft;
  for (auto& fault : draft.error())
    if (fault.path.starts_with(config_path)) fault.path.erase(0, config_path.size());
  return draft;
}

// Empty: none of them is there.
std::string inline_config(const Json& body) {
  std::string config;
  base::JsonWriter out(config);
  bool is_empty = true;
  const auto copy = [&](base::JsonName name, std::string_view from) {
    const auto member = body.member(from);
    if (!member) return;
    is_empty = false;
    base::append_canonical(out.begin(name), *member);
  };
  for (const auto name : inline_members) copy(name, name);
  if (!body.member("documentFolderIds")) copy("documentFolderIds", folders_otherwise);
  out.end();
  return is_empty ? std::string() : config;
}

// The type in which a tool of this inline one is kept; empty, maybe with a fault: it has none.
std::string_view kept_type_of(const Json& body, ItemFaults& faults) {
  if (body.member("config")) return {};
  const auto type = text_in(body, "type");
  if (type == "client") return "CLIENT";
  if (type == "system") return "SYSTEM";
  if (type != "server") return {};
  const auto subtype = text_in(body, "subtype");
  if (subtype == "webhook") return "SERVER_WEBHOOK";
  if (subtype == "knowledge") return "SERVER_RAG";
  base::add_fault(faults, "subtype", subtype.empty() ? "missing" : "invalid_choice",
                  "A server tool has the subtype knowledge or webhook.");
  return {};
}

// The body of an inline tool in the form in which it is kept.
std::string kept_form_of(const Json& body, std::string_view type) {
  auto config = inline_config(body);
  // What a system tool does its name may tell.
  if (type == "SYSTEM" && config.empty())
    config = text_in(body, "name") == "interrupt" ? R"({"action":"interrupt"})"
                                                  : R"({"action":"end_call"})";
  std::string text;
  base::JsonWriter out(text);
  out.text("type", type).json("config", config.empty() ? "{}" : config);
  static constexpr base::JsonName names[] = {"name", "description", "disableInterruptions"};
  for (const auto name : names)
    if (const auto member = body.member(name)) base::append_canonical(out.begin(name), *member);
  out.end();
  return text;
}

std::expected<ItemDraft, ItemFaults> read(const Json& body) {
  ItemFaults faults;
  const auto type = kept_type_of(body, faults);
  if (!faults.empty()) return std::unexpected(std::move(faults));
  if (type.empty()) return read_as(body, Others::ignored, {});
  base::JsonReader reader;
  const auto json = read_again(reader, kept_form_of(body, type));
  if (!json) return std::unexpected(json.error());
  return told_inline(read_as(*json, Others::ignored, {}));
}

// `change` with the members of `config`, which stand beside others, put into the config that is
// there.
std::string with_config(const CatalogItem& before, const Json& change, const Json& config) {
  base::JsonReader reader;
  const auto kept = reader.read(before.content);
  std::string was;
  if (const auto member = kept ? kept->member("config") : std::nullopt)
    base::append_canonical(was, *member);
  std::string text;
  base::JsonWriter out(text);
  out.json("config", merged_members(was, config));
  simdjson::dom::object members;
  if (change.element().get(members) == simdjson::SUCCESS) {
    for (const auto member : members) {
      const bool is_moved = member.key == folders_otherwise ||
                            std::ranges::any_of(inline_members, [&](const auto name) {
                              return std::string_view(name) == member.key;
                            });
      if (is_moved || member.key == "config") continue;
      text += ',';
      base::append_json_string(text, member.key);
      text += ':';
      base::append_canonical(text, Json(member.value));
    }
  }
  out.end();
  return text;
}

std::expected<ItemDraft, ItemFaults> changed_as(const CatalogItem& before, const Json& change) {
  base::JsonReader reader;
  const auto json = changed_content(before, change, reader);
  if (!json) return std::unexpected(json.error());
  return read_as(*json, Others::refused, before_of(before));
}

std::expected<ItemDraft, ItemFaults> changed(const CatalogItem& before, const Json& change) {
  const auto text = change.member("config") ? std::string() : inline_config(change);
  if (text.empty()) return changed_as(before, change);
  base::JsonReader readers[2];
  const auto config = read_again(readers[0], text);
  if (!config) return std::unexpected(config.error());
  const auto wanted = read_again(readers[1], with_config(before, change, *config));
  if (!wanted) return std::unexpected(wanted.error());
  return told_inline(changed_as(before, *wanted));
}

// Members of a config that mean the same in a tool that a persona brings itself.
void copy_config(const Json& config, base::JsonWriter& out) {
  static constexpr base::JsonName names[] = {
      "awaitResult",     "parameters", "toolTimeoutSeconds", "url", "method",
      "queryParameters", "action",     "documentFolderIds"};
  for (const auto name : names)
    if (const auto member = config.member(name)) base::append_canonical(out.begin(name), *member);
}

}  // namespace

const ItemForm& tool_form() {
  static constexpr ItemForm form{.kind = ItemKind::tool,
                                 .create = AuditAction::tool_create,
                                 .change = AuditAction::tool_change,
                                 .remove = AuditAction::tool_remove,
                                 .read = &read,
                                 .changed = &changed};
  return form;
}

std::string inline_tool_of(const CatalogItem& tool) {
  base::JsonReader reader;
  const auto json = reader.read(tool.content);
  std::string text;
  base::JsonWriter out(text);
  out.text("name", tool.name);
  if (json) {
    out.text("description", text_in(*json, "description"));
    const auto type = text_in(*json, "type");
    const auto config = json->member("config");
    if (const auto flag = json->member("disableInterruptions"))
      base::append_canonical(out.begin("disableInterruptions"), *flag);
    if (type == "SERVER_WEBHOOK") {
      out.text("type", "server").text("subtype", "webhook");
      const auto awaits = config ? config->member("awaitResponse") : std::nullopt;
      out.json("awaitResponse", awaits && awaits->flag() == false ? "false" : "true");
      if (!tool.secret.is_empty()) out.json("headers", tool.secret.expose());
    } else if (type == "SERVER_RAG") {
      out.text("type", "server").text("subtype", "knowledge");
    } else {
      out.text("type", type == "SYSTEM" ? "system" : "client");
    }
    if (config) copy_config(*config, out);
  }
  out.end();
  std::string canonical;
  if (const auto written = reader.read(text)) base::append_canonical(canonical, *written);
  return canonical;
}

}  // namespace stagedoor::rules
