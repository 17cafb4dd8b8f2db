#include "actions/keep_knowledge.h"

#include <utility>

namespace stagedoor::actions {

using rules::AuditAction;

base::Result<rules::Document> KeepKnowledge::add(const KeepCall& call, std::string_view group_id,
                                                 const Upload& upload) const {
  auto type = rules::document_type_of(upload.filename);
  if (!type) return base::fail(type.error());
  if (auto checked = rules::check_document(upload.content); !checked)
    return base::fail(checked.error());
  if (auto checked = rules::check(upload.cut); !checked) return base::fail(checked.error());
  rules::Document document{.id = base::random_uuid(parts_.random),
                           .group_id = std::string(group_id),
                           .scope = call.scope(),
                           .filename = std::string(upload.filename),
                           .type = *std::move(type),
                           .bytes = static_cast<std::int64_t>(upload.content.size()),
                           .created_at = parts_.clock.now()};
  document.updated_at = document.created_at;
  if (auto added = parts_.knowledge.add(
          document, upload.content, rules::passages_of(upload.content, upload.cut),
          call.entry(parts_.clock.now(), AuditAction::document_create, document.id, group_id));
      !added)
    return base::fail(added.error());
  return document;
}

base::Result<rules::Document> KeepKnowledge::rename(const KeepCall& call, std::string_view id,
                                                    std::string_view filename) const {
  const auto type = rules::document_type_of(filename);
  if (!type) return base::fail(type.error());
  const auto before = parts_.knowledge.find(call.scope(), id);
  if (!before) return base::fail(before.error());
  if (before->type != *type)
    return base::fail(base::ErrorCode::malformed, "a document's kind changed",
                      "A document keeps its kind: its name must end in ." + before->type + ".");
  return parts_.knowledge.rename(
      call.scope(), id, filename,
      call.entry(parts_.clock.now(), AuditAction::document_change, id, ""));
}

base::Result<base::Done> KeepKnowledge::remove(const KeepCall& call, std::string_view id) const {
  return parts_.knowledge.remove(
      call.scope(), id, call.entry(parts_.clock.now(), AuditAction::document_remove, id, ""));
}

}  // namespace stagedoor::actions
