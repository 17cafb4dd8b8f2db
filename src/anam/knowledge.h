// The documents of knowledge groups: /v1/knowledge/groups/{id}/documents,
// /v1/knowledge/documents/{id} and the search in a group (contract 1.8). The groups themselves are
// KeptItems.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>

#include "actions/keep_knowledge.h"
#include "front/guard.h"
#include "http/router.h"
#include "rules/knowledge.h"

namespace stagedoor::anam {

// Appends a group as JSON, with the number of its documents.
void append_knowledge_group(std::string& out, const rules::CatalogItem& group,
                            rules::Knowledge& knowledge);

// Safe for concurrent use.
class Knowledge {
 public:
  struct Parts {
    const actions::KeepKnowledge& keep;
    rules::Knowledge& knowledge;
    rules::CatalogItems& items;
  };
  explicit Knowledge(Parts parts) : parts_(parts) {}
  void add_to(http::Router& router, const front::Guard& guard) const;

 private:
  using Call = actions::KeepCall;
  void list(const Call& call, const http::Request& request, http::Response& response) const;
  void upload(const Call& call, const http::Request& request, http::Response& response) const;
  void search(const Call& call, const http::Request& request, http::Response& response) const;
  void show(const Call& call, const http::Request& request, http::Response& response) const;
  void rename(const Call& call, const http::Request& request, http::Response& response) const;
  void remove(const Call& call, const http::Request& request, http::Response& response) const;
  void download(const Call& call, const http::Request& request, http::Response& response) const;
  // False: there is no such group, and the call was refused.
  bool has_group(const rules::ItemScope& scope, const http::Request& request,
                 http::Response& response) const;

  Parts parts_;
};

}  // namespace stagedoor::anam
