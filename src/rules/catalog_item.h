// What a workspace keeps for its personas besides avatars: a language model, a tool, a group of
// documents. Each is a name, content in canonical JSON (base/json_shape.h), and perhaps a secret.
//
// Rule catalog-item-of-one-workspace: an item is its workspace's and of one environment, and may be
// one app's (rules/item_scope.h). For everyone else it is not found, as if it did not exist.
//
// Used by: actions/keep_catalog_item.h, actions/mint_persona_token.h
// Kept by: store/sqlite_catalog_items.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/json_shape.h"
#include "base/result.h"
#include "base/secret.h"
#include "rules/audit.h"
#include "rules/item_scope.h"

namespace stagedoor::rules {

// The numbers are kept in the store.
enum class ItemKind : unsigned char {
  language_model = 0,
  tool = 1,
  knowledge_group = 2,
};
// "language_model", and "language model" for people.
std::string_view name_of(ItemKind kind);
std::string_view words_of(ItemKind kind);

inline constexpr std::int64_t items_of_workspace_max = 1000;  // of one kind

// What is wrong with members of what somebody wants kept.
using ItemFaults = std::vector<base::FieldFault>;
// Why it is refused; `faults` where its members are why.
struct ItemRefusal {
  base::Error error;
  ItemFaults faults;
};
// `malformed`, with the first fault as its hint.
ItemRefusal refusal_of(ItemFaults faults);

// What is to be kept, read from a body.
struct ItemDraft {
  std::string name, content;
  base::Secret secret;
};
struct CatalogItem;
// How items of one kind are read and written of in the audit log. One per noun: rules/tool.h,
// rules/language_model.h.
struct ItemForm {
  ItemKind kind;
  AuditAction create, change, remove;
  // A new one; members that are not known are left out.
  std::expected<ItemDraft, ItemFaults> (*read)(const base::Json& body);
  // `before` with some members changed (null: taken away); here an unknown member is a fault.
  std::expected<ItemDraft, ItemFaults> (*changed)(const CatalogItem& before,
                                                  const base::Json& change);
};
// The members of `before` (canonical) with those of an object put in their place, null taking one
// away; JSON text, not in canonical form.
std::string merged_members(std::string_view before, const base::Json& change);

// The text of a member; empty where it is no text, or not there.
std::string text_in(const base::Json& object, std::string_view name);

struct CatalogItem {
  std::string id;  // a UUID
  ItemKind kind = ItemKind::language_model;
  ItemScope scope;
  std::string name;     // what it is searched by
  std::string content;  // canonical JSON
  base::Secret secret;  // empty: none
  base::Instant created_at = {}, updated_at = {};
};

// The content with the members of a change in their place (merged_members), valid while `reader`
// reads nothing else. A fault where the change is no object.
std::expected<base::Json, ItemFaults> changed_content(const CatalogItem& before,
                                                      const base::Json& change,
                                                      base::JsonReader& reader);

// Where items are kept. Safe for concurrent use; not from an event loop.
class CatalogItems {
 public:
  virtual ~CatalogItems() = default;
  // With its secret. `not_found` also for what is outside the scope, or of another kind.
  virtual base::Result<CatalogItem> find(const ItemScope& scope, ItemKind kind,
                                         std::string_view id) = 0;
  struct Query {
    std::string search;  // part of the name, without case, or the whole id; empty: all
    std::int64_t skip = 0, count = 10;
  };
  struct Found {
    std::vector<CatalogItem> items;  // newest first, without their secrets
    std::int64_t total = 0;
  };
  virtual base::Result<Found> list(const ItemScope& scope, ItemKind kind, const Query& query) = 0;

  // Each of these is durable, with its entry, when it returns. `conflict` where the workspace has
  // all the items of this kind that it may have.
  virtual base::Result<base::Done> create(const CatalogItem& item, const AuditEntry& entry) = 0;
  // Name, content and secret of what it is given may be changed. What `change` refuses stays as it
  // was, and its error is the answer.
  using Change = std::function<base::Result<base::Done>(CatalogItem& item)>;
  virtual base::Result<CatalogItem> change(const ItemScope& scope, ItemKind kind,
                                           std::string_view id, const Change& change,
                                           const AuditEntry& entry) = 0;
  virtual base::Result<base::Done> remove(const ItemScope& scope, ItemKind kind,
                                          std::string_view id, const AuditEntry& entry) = 0;
};

}  // namespace stagedoor::rules
