// What is said of something that is not there.
//
// Rule absent-names-environment: live and test data are worlds apart, and a key that asks for a
// thing of the other world gets what it gets for nothing. So that its owner can see why, the words
// name the world that was looked into; they are the same whether or not the thing is in the other
// one.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>
#include <string_view>

#include "rules/app.h"

namespace stagedoor::rules {

// "There is no persona with this id in the live data."
inline std::string absent(std::string_view what, Environment environment) {
  return std::string("There is no ")
      .append(what)
      .append(" with this id in the ")
      .append(name_of(environment))
      .append(" data.");
}

}  // namespace stagedoor::rules
