// [[people.issuers]] out of a settings file and back.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/issuer_settings.h"
#include "server/toml.h"

namespace stagedoor::server {

// From a list of tables. An explanation where it is not right; an unknown member is one.
std::optional<std::string> read_issuers(const toml::node& node,
                                        std::vector<IssuerSettings>& issuers);
// A list of inline tables, with the members that were said.
std::string show_issuers(const std::vector<IssuerSettings>& issuers);

}  // namespace stagedoor::server
