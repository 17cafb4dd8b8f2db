// `stagedoor audit ...`: proves the audit log, takes it out, and tells where it stands. They work
// on the files alone, also while a server writes them.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "server/config.h"

namespace stagedoor::server {

struct AuditProof {
  std::string checkpoint;  // "N:SEAL" that the log must hold; empty: none is known
  std::string from;        // "N:SEAL" to begin after; empty: from the first entry
};
struct AuditExport {
  std::optional<std::int64_t> since_seconds, until_seconds;
  std::string workspace_id, actor, action, subject, outcome;  // empty: any
};

// Each gives the exit code and complains on stderr.
int verify_audit(const std::string& data, const AuditProof& proof);
int export_audit(const std::string& data, const AuditExport& wish);
int print_audit_checkpoint(const std::string& data);
// Goes on with a new key where the old one is lost.
int renew_audit_key(const std::string& data, const Config& config);

}  // namespace stagedoor::server
