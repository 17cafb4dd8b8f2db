// What an app's owner may want to be told of as it happens. Each event has one name and one JSON
// form, so that whoever sends it on need not know what it is.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "base/clock.h"
#include "rules/app.h"

namespace stagedoor::rules {

// A spent session token was shown again by another client than the one that spent it: one of the
// two has stolen it, and nobody can know which (rule session-token-reuse-is-suspected-theft).
struct TokenTheftSuspected {
  base::Instant at;
  std::string workspace_id, app_id;
  Environment environment = Environment::test;
  std::string token_id, minted_by, end_user_id;
  std::string earlier_peer;  // empty: forgotten
  std::string peer;
};

using Event = std::variant<TokenTheftSuspected>;

// "session_token.suspect_theft".
std::string_view name_of(const Event& event);
// {"type": name, "at": Unix seconds, "workspace_id": ..., "data": {...}}; holds no credential.
std::string json_of(const Event& event);

// Safe for concurrent use.
class EventSink {
 public:
  virtual ~EventSink() = default;
  // Does not wait, and keeps a bounded number.
  virtual void send(const Event& event) = 0;
};

}  // namespace stagedoor::rules
