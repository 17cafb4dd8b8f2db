// The voices that this server can speak with: /v1/voices and /v1/voices/{id} (contract 1.5). Those
// of the engines and no others: none is made, changed or taken away here.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "base/json_writer.h"
#include "front/guard.h"
#include "http/router.h"
#include "rules/voice.h"

namespace stagedoor::anam {

// The members of a voice, into an object that the caller has begun.
void append_voice_members(base::JsonWriter& out, const rules::Voice& voice);

// Safe for concurrent use.
class Voices {
 public:
  explicit Voices(const rules::Voices& voices) : voices_(voices) {}
  void add_to(http::Router& router, const front::Guard& guard) const;

 private:
  void list(const http::Request& request, http::Response& response) const;
  void show(const http::Request& request, http::Response& response) const;
  void refuse_change(const http::Request& request, http::Response& response) const;

  const rules::Voices& voices_;
};

}  // namespace stagedoor::anam
