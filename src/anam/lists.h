// What the calls on a workspace's things share: whose they mean, the body as JSON, and lists by
// pages (contract 1: page, perPage, search; `data` and `meta`).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "actions/keep_call.h"
#include "base/json.h"
#include "base/json_writer.h"
#include "base/result.h"
#include "http/request.h"
#include "http/response.h"
#include "rules/caller.h"
#include "rules/persona.h"

namespace stagedoor::anam {

// What a call on a workspace's things means: of a key its own environment, of a person the one that
// `?environment=` names, live where it names none. nullopt: the call was refused. The caller and
// the request outlive it.
std::optional<actions::KeepCall> call_of(const rules::Caller& caller, const http::Request& request,
                                         http::Response& response);

// Valid until the next body is read on this thread.
base::Result<base::Json> body_of(const http::Request& request);

void refuse(http::Response& response, const rules::PersonaRefusal& why);
void refuse(http::Response& response, rules::Faults faults);

struct Page {
  std::int64_t number = 1, size = 10, total = 0;
  std::int64_t skip() const { return (number - 1) * size; }
};
// `page` and `perPage`. nullopt: the call was refused.
std::optional<Page> page_of(const http::Request& request, http::Response& response,
                            std::int64_t size_otherwise = 10);
// `request_id` is what another vendor's clients read there; empty: none.
void append_meta(base::JsonWriter& body, const Page& page, std::string_view request_id = {});

// The answer of one thing, or of a list: never kept by a cache.
std::string& start_answer(http::Response& response, int status);

// `append` writes one of the things.
template <class Things, class Append>
void append_list(std::string& out, const Things& things, Append append) {
  char before = '[';
  for (const auto& thing : things) {
    out += std::exchange(before, ',');
    append(out, thing);
  }
  if (before == '[') out += before;
  out += ']';
}
// The answer of a page of a list.
template <class Things, class Append>
void answer_page(http::Response& response, const Page& page, const Things& things, Append append) {
  base::JsonWriter body(start_answer(response, 200));
  append_list(body.begin("data"), things, append);
  append_meta(body, page);
  body.end();
}

}  // namespace stagedoor::anam
