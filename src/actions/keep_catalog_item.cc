#include "actions/keep_catalog_item.h"

#include <string>
#include <utility>

namespace stagedoor::actions {
using base::ErrorCode;
using rules::refusal_of;

KeepCatalogItem::Outcome KeepCatalogItem::create(const KeepCall& call, const rules::ItemForm& form,
                                                 const base::Json& body) const {
  auto draft = form.read(body);
  if (!draft) return std::unexpected(refusal_of(std::move(draft.error())));
  rules::CatalogItem item{.id = base::random_uuid(parts_.random),
                          .kind = form.kind,
                          .scope = call.scope(),
                          .name = std::move(draft->name),
                          .content = std::move(draft->content),
                          .secret = std::move(draft->secret),
                          .created_at = parts_.clock.now()};
  item.updated_at = item.created_at;
  if (auto made = parts_.items.create(item, call.entry(item.created_at, form.create, item.id));
      !made)
    return refused(made.error());
  return item;
}

KeepCatalogItem::Outcome KeepCatalogItem::change(const KeepCall& call, const rules::ItemForm& form,
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
  auto changed = parts_.items.change(call.scope(), form.kind, id, apply,
                                     call.entry(parts_.clock.now(), form.change, id));
  if (!faults.empty()) return std::unexpected(refusal_of(std::move(faults)));
  if (!changed) return refused(changed.error());
  return *std::move(changed);
}

base::Result<base::Done> KeepCatalogItem::remove(const KeepCall& call, const rules::ItemForm& form,
                                                 std::string_view id) const {
  return parts_.items.remove(call.scope(), form.kind, id,
                             call.entry(parts_.clock.now(), form.remove, id));
}

}  // namespace stagedoor::actions
