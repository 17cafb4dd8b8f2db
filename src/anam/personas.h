// The personas that a workspace keeps: /v1/personas and /v1/personas/{id}.
//
// Contract 1.3: list with page, perPage and search; POST 201; PUT changes what it names and refuses
// members that it does not know; DELETE answers {"message"}. A key sees the personas of its own app
// and environment (rules/item_scope.h). Ours: a person may call as well and says
// `?environment=test` or `live`, live where nothing is said.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <utility>

#include "actions/keep_persona.h"
#include "anam/persona_reply.h"
#include "front/guard.h"
#include "http/router.h"
#include "rules/persona.h"

namespace stagedoor::anam {

// Safe for concurrent use.
class Personas {
 public:
  struct Parts {
    const actions::KeepPersona& keep;
    rules::Personas& personas;
    References references;
  };
  explicit Personas(Parts parts) : parts_(std::move(parts)) {}
  void add_to(http::Router& router, const front::Guard& guard) const;

 private:
  using Call = actions::KeepCall;
  void list(const Call& call, const http::Request& request, http::Response& response) const;
  void create(const Call& call, const http::Request& request, http::Response& response) const;
  void show(const Call& call, const http::Request& request, http::Response& response) const;
  void change(const Call& call, const http::Request& request, http::Response& response) const;
  void remove(const Call& call, const http::Request& request, http::Response& response) const;
  void answer(const Call& call, http::Response& response, int status,
              const rules::Persona& persona) const;

  Parts parts_;
};

}  // namespace stagedoor::anam
