#include "actions/keep_knowledge.h"

#include <utility>

namespace stagedoor::actions {

using rules::AuditAction;

rules::AuditEntry KeepKnowledge::entry(const Call& call, AuditAction action, std::string_view id,
                                       std::string_view detail) const {
  return {.at = parts_.clock.now(),
          .workspace_id = call.caller.workspace_id(),
          .actor = call.caller.actor(),
          .action = std::string(name_of(action)),
          .subject = std::string(id),
          .outcome = rules::AuditOutcome::done,
          .peer = std::string(call.peer),
          .request_id = std::string(call.request_id),
          .detail = std::string(detail)};
}

base::Result<rules::Document> KeepKnowledge::add(const Call& call, std::string_view group_id,
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
          entry(call, AuditAction::document_create, document.id, group_id));
      !added)
    return base::fail(added.error());
  return document;
}

base::Result<rules::Document> KeepKnowledge::rename(const Call& call, std::string_view id,
                                                    std::string_view filename) const {
  const auto type = rules::document_type_of(filename);
  if (!type) return base::fail(type.error());
  const auto before = parts_.knowledge.find(call.scope(), id);
  if (!before) return base::fail(before.error());
  if (before->type != *type)
    return base::fail(base::ErrorCode::malformed, "a document's kind changed",
                      "A document keeps its kind: its name must end in ." + before->type + ".");
  return parts_.knowledge.rename(call.scope(), id, filename,
                                 entry(call, AuditAction::document_change, id, ""));
}

base::Result<base::Done> KeepKnowledge::remove(const Call& call, std::string_view id) const {
  return parts_.knowledge.remove(call.scope(), id,
                                 entry(call, AuditAction::document_remove, id, ""));
}

}  // namespace stagedoor::actions
