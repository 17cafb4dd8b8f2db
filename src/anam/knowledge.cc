#include "anam/knowledge.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "anam/error_reply.h"
#include "anam/item_replies.h"
#include "anam/json_members.h"
#include "anam/lists.h"
#include "anam/routes.h"
#include "base/iso_time.h"
#include "base/text.h"
#include "http/form.h"

namespace stagedoor::anam {
namespace {

using base::ErrorCode;
using base::JsonShape;
using http::Request;
using http::Response;
using rules::Document;
using rules::Permission;

void append_document(std::string& text, const Document& document) {
  base::JsonWriter out(text);
  out.text("id", document.id).text("knowledgeFolderId", document.group_id);
  out.text("filename", document.filename).text("fileType", document.type);
  out.number("fileSize", document.bytes).json("fileUrl", "null");
  out.text("status", "READY").json("errorMessage", "null");
  append_times(out, document.created_at, document.updated_at);
  out.end();
}

void append_passage(std::string& text, const rules::Passage& passage) {
  base::JsonWriter out(text);
  out.text("documentId", passage.document_id).text("filename", passage.filename);
  out.text("content", passage.content).json("score", fmt::format("{}", passage.score));
  out.number("chunkIndex", passage.number).json("metadata", "{}");
  out.end();
}

// A part of the form as a number; `otherwise` where there is none.
base::Result<std::size_t> number_in(const std::vector<http::FormPart>& form, std::string_view name,
                                    std::size_t otherwise) {
  const auto* part = http::part_named(form, name);
  if (part == nullptr) return otherwise;
  std::size_t number = 0;
  const auto* end = part->content.data() + part->content.size();
  const auto [stop, trouble] = std::from_chars(part->content.data(), end, number);
  if (trouble == std::errc() && stop == end && !part->content.empty()) return number;
  return base::fail(ErrorCode::malformed, "a number in a form",
                    std::string(name) + " must be a whole number.");
}

base::Result<rules::Cut> cut_of(const std::vector<http::FormPart>& form) {
  rules::Cut cut;
  const auto length = number_in(form, "chunkSize", cut.length);
  if (!length) return base::fail(length.error());
  cut.length = *length;
  const auto overlap = number_in(form, "chunkOverlap", std::min(cut.overlap, cut.length / 2));
  if (!overlap) return base::fail(overlap.error());
  cut.overlap = *overlap;
  return cut;
}

void refuse_presigned(const rules::Caller&, const Request&, Response& response) {
  reply(response, {ErrorCode::unsupported, "a presigned upload",
                   "This server takes a document as a form: POST "
                   "/v1/knowledge/groups/{id}/documents with the part file."});
}

}  // namespace

void append_knowledge_group(std::string& text, const rules::CatalogItem& group,
                            rules::Knowledge& knowledge) {
  base::JsonReader reader;
  const auto content = reader.read(group.content);
  base::JsonWriter out(text);
  out.text("id", group.id).text("name", group.name);
  out.text_or_null("description", content ? text_of(*content, "description") : "");
  out.number("documentCount", knowledge.count(group.scope, group.id).value_or(0));
  append_times(out, group.created_at, group.updated_at);
  out.end();
}

void Knowledge::add_to(http::Router& router, const front::Guard& guard) const {
  const Routes routes(*this, router, guard);
  routes.below("/v1/knowledge/");
  const std::string group = "/v1/knowledge/groups/{id}", one = "/v1/knowledge/documents/{id}";
  routes.add("GET", group + "/documents", Permission::personas_read, &Knowledge::list);
  routes.add("POST", group + "/documents", Permission::personas_write, &Knowledge::upload);
  routes.add("POST", group + "/search", Permission::personas_read, &Knowledge::search);
  routes.add("GET", one, Permission::personas_read, &Knowledge::show);
  routes.add("PUT", one, Permission::personas_write, &Knowledge::rename);
  routes.add("DELETE", one, Permission::personas_write, &Knowledge::remove);
  routes.add("GET", one + "/download", Permission::personas_read, &Knowledge::download);
  for (const auto& path : {group + "/documents/presigned-upload", one + "/confirm-upload"})
    router.add({"POST", path, guard.quick(Permission::personas_write, &refuse_presigned)});
}

bool Knowledge::has_group(const rules::ItemScope& scope, const Request& request,
                          Response& response) const {
  const auto group =
      parts_.items.find(scope, rules::ItemKind::knowledge_group, request.path_part("id"));
  if (!group) reply(response, group.error());
  return group.has_value();
}

void Knowledge::list(const Call& call, const Request& request, Response& response) const {
  const auto scope = call.scope();
  if (!has_group(scope, request, response)) return;
  const auto documents = parts_.knowledge.list(scope, request.path_part("id"));
  if (!documents) return reply(response, documents.error());
  append_list(start_answer(response, 200), *documents, &append_document);
}

void Knowledge::upload(const Call& call, const Request& request, Response& response) const {
  const auto form = http::read_form(request.header("Content-Type").value_or(""), request.body());
  if (!form) return reply(response, form.error());
  const auto* file = http::part_named(*form, "file");
  if (file == nullptr) return refuse(response, {{"file", "missing", "The form has no file."}});
  const auto cut = cut_of(*form);
  if (!cut) return reply(response, cut.error());
  const auto added =
      parts_.keep.add(call, request.path_part("id"),
                      {.filename = file->filename, .content = file->content, .cut = *cut});
  if (!added) return reply(response, added.error());
  append_document(start_answer(response, 201), *added);
}

void Knowledge::search(const Call& call, const Request& request, Response& response) const {
  const auto body = body_of(request);
  if (!body) return reply(response, body.error());
  static const auto shape =
      JsonShape::object({{"limit", JsonShape::whole(1, rules::search_count_max)},
                         {"query", JsonShape::text({.characters_min = 1, .characters_max = 2000}),
                          base::Presence::required}});
  rules::Faults faults;
  shape.read(*body, "", faults);
  if (!faults.empty()) return refuse(response, std::move(faults));
  const auto limit = body->member("limit");
  rules::Knowledge::Query query{
      .group_ids = {request.path_part("id")},
      .words = rules::words_of_query(text_of(*body, "query")),
      .count = static_cast<std::size_t>(
          (limit ? limit->integer() : std::nullopt).value_or(rules::search_count_otherwise))};
  const auto scope = call.scope();
  if (!has_group(scope, request, response)) return;
  const auto found = parts_.knowledge.search(scope, query);
  if (!found) return reply(response, found.error());
  append_list(start_answer(response, 200), *found, &append_passage);
}

void Knowledge::show(const Call& call, const Request& request, Response& response) const {
  const auto document = parts_.knowledge.find(call.scope(), request.path_part("id"));
  if (!document) return reply(response, document.error());
  append_document(start_answer(response, 200), *document);
}

void Knowledge::rename(const Call& call, const Request& request, Response& response) const {
  const auto body = body_of(request);
  if (!body) return reply(response, body.error());
  static const auto shape =
      JsonShape::object({{"filename", JsonShape::text({.characters_min = 1, .characters_max = 255}),
                          base::Presence::required}},
                        JsonShape::Others::refused);
  rules::Faults faults;
  shape.read(*body, "", faults);
  if (!faults.empty()) return refuse(response, std::move(faults));
  const auto renamed =
      parts_.keep.rename(call, request.path_part("id"), text_of(*body, "filename"));
  if (!renamed) return reply(response, renamed.error());
  append_document(start_answer(response, 200), *renamed);
}

void Knowledge::remove(const Call& call, const Request& request, Response& response) const {
  const auto removed = parts_.keep.remove(call, request.path_part("id"));
  if (!removed) return reply(response, removed.error());
  response.start(204, "");
}

// The address holds the document itself: it needs no credential, and nobody else can come by it.
void Knowledge::download(const Call& call, const Request& request, Response& response) const {
  const auto scope = call.scope();
  const auto id = request.path_part("id");
  const auto document = parts_.knowledge.find(scope, id);
  if (!document) return reply(response, document.error());
  const auto content = parts_.knowledge.content(scope, id);
  if (!content) return reply(response, content.error());
  std::string url = "data:text/plain;charset=utf-8;base64,";
  base::append_base64(url, *content);
  base::JsonWriter body(start_answer(response, 200));
  body.text("downloadUrl", url).text("filename", document->filename);
  body.end();
}

}  // namespace stagedoor::anam
