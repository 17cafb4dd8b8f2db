#include "rules/knowledge.h"

#include <algorithm>
#include <array>
#include <cctype>

#include <simdjson.h>

#include "base/json_writer.h"
#include "base/text.h"

namespace stagedoor::rules {
namespace {

using base::ErrorCode;
using base::Json;
using base::JsonShape;
using Others = base::JsonShape::Others;

constexpr std::array<std::string_view, 5> types = {"txt", "md", "csv", "json", "log"};
constexpr std::size_t filename_bytes_max = 255;
constexpr std::size_t words_max = 32, word_bytes_max = 64;

JsonShape group_shape(Others others) {
  return JsonShape::object(
      {
          {"description", JsonShape::text({.characters_max = 2000})},
          {"name", JsonShape::text({.characters_min = 1, .characters_max = 256}),
           base::Presence::required},
      },
      others);
}

std::expected<ItemDraft, ItemFaults> read_as(const Json& body, Others others) {
  ItemFaults faults;
  ItemDraft draft;
  draft.content = group_shape(others).read(body, "", faults);
  if (!faults.empty()) return std::unexpected(std::move(faults));
  const auto name = body.member("name");
  draft.name = name ? name->text().value_or("") : "";
  return draft;
}

std::expected<ItemDraft, ItemFaults> read_group(const Json& body) {
  return read_as(body, Others::ignored);
}

std::expected<ItemDraft, ItemFaults> changed_group(const CatalogItem& before, const Json& change) {
  base::JsonReader reader;
  const auto json = changed_content(before, change, reader);
  if (!json) return std::unexpected(json.error());
  return read_as(*json, Others::refused);
}

bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

bool is_blank(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

// The nearest place at or before `at`, and after `least`, where a cut breaks no word, or at least
// no character.
std::size_t cut_before(std::string_view text, std::size_t least, std::size_t at) {
  if (at >= text.size()) return text.size();
  for (auto place = at; place > least + (at - least) / 2; --place)
    if (is_blank(text[place - 1])) return place;
  while (at > least + 1 && continues_character(text[at])) --at;
  return at;
}

bool is_of_word(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || std::isalnum(byte) != 0;
}

}  // namespace

const ItemForm& knowledge_group_form() {
  static constexpr ItemForm form{.kind = ItemKind::knowledge_group,
                                 .create = AuditAction::knowledge_group_create,
                                 .change = AuditAction::knowledge_group_change,
                                 .remove = AuditAction::knowledge_group_remove,
                                 .read = &read_group,
                                 .changed = &changed_group};
  return form;
}

base::Result<std::string> document_type_of(std::string_view filename) {
  if (filename.empty() || filename.size() > filename_bytes_max || !base::has_no_control(filename))
    return base::fail(ErrorCode::malformed, "a document's name",
                      "A document's name has 1 to 255 bytes without control characters.");
  const auto dot = filename.rfind('.');
  std::string type(dot == filename.npos ? "" : filename.substr(dot + 1));
  std::ranges::transform(type, type.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (std::ranges::find(types, type) != types.end()) return type;
  return base::fail(
      ErrorCode::unsupported, "a document of another kind",
      "This server reads TXT, MD, CSV, JSON and LOG, and no " +
          (type.empty() ? std::string("file without an ending") : type.substr(0, 16)) + ".");
}

base::Result<base::Done> check_document(std::string_view content) {
  const auto refuse = [](std::string hint) {
    return base::fail(ErrorCode::malformed, "a document's content", std::move(hint));
  };
  if (content.empty()) return refuse("The document is empty.");
  if (content.size() > document_bytes_max) return refuse("A document has at most 16 MiB.");
  if (!simdjson::validate_utf8(content.data(), content.size()) || content.contains('\0'))
    return refuse("A document must be UTF-8 text.");
  return base::Done{};
}

base::Result<base::Done> check(const Cut& cut) {
  if (cut.length >= 100 && cut.length <= 8000 && cut.overlap <= cut.length / 2) return base::Done{};
  return base::fail(ErrorCode::malformed, "how a document is cut",
                    "chunkSize must be from 100 to 8000, and chunkOverlap from 0 to half of it.");
}

std::vector<std::string_view> passages_of(std::string_view content, const Cut& cut) {
  std::vector<std::string_view> passages;
  std::size_t begin = 0, until = 0;
  while (begin < content.size()) {
    const auto end = cut_before(content, begin, begin + cut.length);
    // Before a long word a cut may find no other place than the one before found.
    if (end > until) passages.push_back(content.substr(begin, end - begin));
    until = std::max(until, end);
    if (end == content.size()) break;
    const auto back = std::min(cut.overlap, (end - begin) / 2);
    begin = std::max(begin + 1, back == 0 ? end : cut_before(content, begin, end - back));
  }
  return passages;
}

std::vector<std::string> words_of_query(std::string_view query) {
  std::vector<std::string> words;
  while (!query.empty() && words.size() < words_max) {
    const auto begin = std::ranges::find_if(query, is_of_word);
    query.remove_prefix(static_cast<std::size_t>(begin - query.begin()));
    const auto end = std::ranges::find_if_not(query, is_of_word);
    const auto length = static_cast<std::size_t>(end - query.begin());
    if (length > 0 && length <= word_bytes_max) words.emplace_back(query.substr(0, length));
    query.remove_prefix(length);
  }
  return words;
}

std::string text_of_passages(const std::vector<Passage>& passages) {
  if (passages.empty()) return "Nothing was found.";
  std::string text = "[";
  for (const auto& passage : passages) {
    if (text.size() + passage.content.size() > passages_bytes_max) break;
    if (text.size() > 1) text += ',';
    base::JsonWriter out(text);
    out.text("filename", passage.filename).text("content", passage.content).end();
  }
  return text + "]";
}

std::vector<std::string> documents_in(std::string_view passages_text) {
  std::vector<std::string> names;
  base::JsonReader reader;
  const auto json = reader.read(passages_text);
  simdjson::dom::array passages;
  if (!json || json->element().get(passages) != simdjson::SUCCESS) return names;
  for (const auto passage : passages) {
    const auto member = Json(passage).member("filename");
    const auto name = member ? member->text() : std::nullopt;
    if (name && std::ranges::find(names, *name) == names.end()) names.emplace_back(*name);
  }
  return names;
}

}  // namespace stagedoor::rules
