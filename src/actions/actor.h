// Who does something, and from where: what the audit log says of every deed.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "rules/audit.h"
#include "rules/caller.h"

namespace stagedoor::actions {

// A view: caller and words outlive it.
class Actor {
 public:
  Actor(const rules::Caller& caller, std::string_view peer, std::string_view request_id)
      : caller_(&caller), peer_(peer), request_id_(request_id) {}
  // Whoever holds the data folder, at the command line.
  static Actor of_operator() { return {}; }

  // null: the operator.
  const rules::Caller* caller() const { return caller_; }
  bool is_key() const {
    return caller_ != nullptr && caller_->kind() == rules::CallerKind::api_key;
  }
  bool is_test_key() const {
    return is_key() && caller_->environment() == rules::Environment::test;
  }
  std::string name() const { return caller_ == nullptr ? "operator" : caller_->actor(); }

  // That it was done; the rest is for whoever knows more.
  rules::AuditEntry entry(base::Instant now, std::string_view workspace_id,
                          rules::AuditAction action, std::string_view subject,
                          std::string_view detail = {}) const {
    return {.at = now,
            .workspace_id = std::string(workspace_id),
            .actor = name(),
            .action = std::string(name_of(action)),
            .subject = std::string(subject),
            .outcome = rules::AuditOutcome::done,
            .peer = std::string(peer_),
            .request_id = std::string(request_id_),
            .detail = std::string(detail)};
  }

 private:
  Actor() = default;

  const rules::Caller* caller_ = nullptr;
  std::string_view peer_, request_id_;
};

}  // namespace stagedoor::actions
