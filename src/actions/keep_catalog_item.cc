#include "actions/keep_catalog_item.h"

#include <string>
#include <utility>

namespace stagedoor::actions {
namespace {

using base::ErrorCode;
using Refusal = KeepCatalogItem::Refusal;

std::unexpected<Refusal> refuse(base::Error error) {
  return std::unexpected(Refusal{.error = std::move(error), .faults = {}});
}

std::unexpected<Refusal> refuse(rules::ItemFaults faults) {
  const auto& first = faults.front();
  std::string hint = first.path.empty() ? first.message : first.path + ": " + first.message;
  return std::unexpected(
      Refusal{.error = {ErrorCode::malformed, "a catalog item is not in its form", std::move(hint)},
              .faults = std::move(faults)});
}

}  // namespace

rules::AuditEntry KeepCatalogItem::entry(const Call& call, rules::AuditAction action,
                                         std::string_view id) const {
  return {.at = parts_.clock.now(),
          .workspace_id = call.caller.workspace_id(),
          .actor = call.caller.actor(),
          .action = std::string(name_of(action)),
          .subject = std::string(id),
          .outcome = rules::AuditOutcome::done,
          .peer = std::string(call.peer),
          .request_id = std::string(call.request_id),
          .detail = std::string(rules::name_of(call.environment))};
}

KeepCatalogItem::Outcome KeepCatalogItem::create(const Call& call, const rules::ItemForm& form,
                                                 const base::Json& body) const {
  auto draft = form.read(body);
  if (!draft) return refuse(std::move(draft.error()));
  rules::CatalogItem item{.id = base::random_uuid(parts_.random),
                          .kind = form.kind,
                          .scope = call.scope(),
                          .name = std::move(draft->name),
                          .content = std::move(draft->content),
                          .secret = std::move(draft->secret),
                          .created_at = parts_.clock.now()};
  item.updated_at = item.created_at;
  if (auto made = parts_.items.create(item, entry(call, form.create, item.id)); !made)
    return refuse(made.error());
  return item;
}

KeepCatalogItem::Outcome KeepCatalogItem::change(const Call& call, const rules::ItemForm& form,
                                                 std::string_view id,
                                                 const base::Json& change) const {
  rules::ItemFaults faults;
  const auto apply = [&](rules::CatalogItem& item) -> base::Result<base::Done> {
    auto draft = form.changed(item, change);
    if (!draft) {
      faults = std::move(draft.error());
      return base::fail(ErrorCode::malformed, "a change of a catalog item");
    }
    item.name = std::move(draft->name);
    item.content = std::move(draft->content);
    item.secret = std::move(draft->secret);
    return base::Done{};
  };
  auto changed =
      parts_.items.change(call.scope(), form.kind, id, apply, entry(call, form.change, id));
  if (!faults.empty()) return refuse(std::move(faults));
  if (!changed) return refuse(changed.error());
  return *std::move(changed);
}

base::Result<base::Done> KeepCatalogItem::remove(const Call& call, const rules::ItemForm& form,
                                                 std::string_view id) const {
  return parts_.items.remove(call.scope(), form.kind, id, entry(call, form.remove, id));
}

}  // namespace stagedoor::actions
