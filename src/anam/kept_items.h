// The five calls on one kind of what a workspace keeps for its personas: list, make, show, change,
// take away (contract 1.6, 1.7). Needs `personas:read` to look and `personas:write` to change.
//
// A key sees the items of its own app and environment (rules/item_scope.h); a person says
// `?environment=`, live where nothing is said.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <functional>
#include <span>
#include <string>

#include "actions/keep_catalog_item.h"
#include "front/guard.h"
#include "http/router.h"
#include "rules/built_in.h"
#include "rules/catalog_item.h"

namespace stagedoor::anam {

// Safe for concurrent use.
class KeptItems {
 public:
  struct Parts {
    const actions::KeepCatalogItem& keep;
    rules::CatalogItems& items;
  };
  // How one kind is spoken of.
  struct Kind {
    std::string path;  // "/v1/llms"
    const rules::ItemForm& form;
    // Appends one as JSON.
    std::function<void(std::string& out, const rules::CatalogItem& item)> append;
    // What stands behind a workspace's own, and is changed by nobody.
    std::span<const rules::BuiltIn> built_in = {};
    std::function<void(std::string& out, const rules::BuiltIn& one)> append_built_in = {};
    // The query's parameter that leaves what is built in out where it is "false"; empty: none.
    std::string built_in_parameter = {};
    // Whether a list is a bare array of all that there is.
    enum class List : unsigned char { pages, bare };
    List list = List::pages;
  };
  KeptItems(Parts parts, Kind kind) : parts_(parts), kind_(std::move(kind)) {}
  void add_to(http::Router& router, const front::Guard& guard) const;

 private:
  using Call = actions::KeepCall;
  void list(const Call& call, const http::Request& request, http::Response& response) const;
  void create(const Call& call, const http::Request& request, http::Response& response) const;
  void show(const Call& call, const http::Request& request, http::Response& response) const;
  void change(const Call& call, const http::Request& request, http::Response& response) const;
  void remove(const Call& call, const http::Request& request, http::Response& response) const;
  const rules::BuiltIn* built_in(std::string_view id) const;
  // nullopt: the call was refused.
  std::optional<bool> wants_built_in(const http::Request& request, http::Response& response) const;

  Parts parts_;
  Kind kind_;
};

}  // namespace stagedoor::anam
