// Who is calling, after the check: the proof that an API key was good.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>

#include "rules/app.h"

namespace stagedoor::actions {
class AuthenticateApiKey;
}

namespace stagedoor::rules {

// Only AuthenticateApiKey makes one.
class Caller {
 public:
  std::uint64_t api_key_id() const { return api_key_id_; }
  Environment environment() const { return environment_; }
  const App& app() const { return *app_; }

 private:
  friend class actions::AuthenticateApiKey;
  Caller(std::uint64_t api_key_id, Environment environment, const App& app)
      : api_key_id_(api_key_id), environment_(environment), app_(&app) {}
  std::uint64_t api_key_id_;
  Environment environment_;
  const App* app_;
};

}  // namespace stagedoor::rules
