// A Response as bytes of HTTP/1.1.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>
#include <string_view>

#include "http/response.h"

namespace stagedoor::http {

enum class Persistence { keep_alive, keep_alive_said, close };
enum class BodySent { with_body, head_only };

struct AnswerFacts {
  std::string_view date, request_id;
  Persistence persistence;
  BodySent body;
};

// Appends the whole answer. A broken Response becomes a bare 500. The answer is the status sent.
int append_answer(std::string& out, const Response& response, const AnswerFacts& facts);

}  // namespace stagedoor::http
