// Limits of single end users, in memory, for tests.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "rules/end_user_limits.h"

namespace stagedoor::actions::for_test {

class EndUserLimits : public rules::EndUserLimitRecords {
 public:
  // The app that changes are told of; set by whoever changes something.
  rules::App app;
  std::map<std::pair<std::string, std::string>, rules::RateLimit> limits;
  std::vector<rules::AuditEntry> entries;

  std::optional<rules::RateLimit> limit_of(std::string_view app_id,
                                           std::string_view end_user_id) const override {
    const auto found = limits.find({std::string(app_id), std::string(end_user_id)});
    return found == limits.end() ? std::nullopt : std::optional(found->second);
  }
  std::vector<rules::EndUserLimit> list(std::string_view app_id, std::string_view after,
                                        std::size_t count_max) const override {
    std::vector<rules::EndUserLimit> found;
    for (const auto& [whose, limit] : limits)
      if (whose.first == app_id && whose.second > after && found.size() < count_max)
        found.push_back({whose.second, limit});
    return found;
  }
  base::Result<base::Done> change(const rules::EndUserLimitChange& change, const Allow& allow,
                                  const rules::AuditEntry& entry) override {
    if (change.app_id != app.id) return base::fail(base::ErrorCode::not_found, "no such app");
    const auto own = limit_of(change.app_id, change.end_user_id);
    if (!change.limit && !own) return base::fail(base::ErrorCode::not_found, "none of their own");
    if (auto allowed = allow(own, app); !allowed) return allowed;
    const std::pair whose{change.app_id, change.end_user_id};
    if (change.limit) {
      limits[whose] = *change.limit;
    } else {
      limits.erase(whose);
    }
    entries.push_back(entry);
    return base::Done{};
  }
};

}  // namespace stagedoor::actions::for_test
