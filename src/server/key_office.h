// API keys over our own API: managing, verifying and, where the settings name who may report
// leaks, freezing what leaked.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <memory>
#include <optional>

#include "actions/freeze_leaked_keys.h"
#include "actions/verify_api_keys.h"
#include "api/key_verification.h"
#include "api/keys.h"
#include "api/leak_reports.h"
#include "base/result.h"
#include "front/guard.h"
#include "http/router.h"
#include "rules/leak_report.h"
#include "server/config.h"
#include "server/workspace.h"

namespace stagedoor::server {

// Safe for concurrent use; outlives the router.
class KeyOffice {
 public:
  // `malformed` or `unavailable` with a hint where the reporters' keys can't be read.
  static base::Result<std::unique_ptr<KeyOffice>> open(Workspace& workspace,
                                                       const actions::AdmitCall& admit,
                                                       const Config& config);

  void add_to(http::Router& router, const front::Guard& guard) const;

 private:
  KeyOffice(Workspace& workspace, const actions::AdmitCall& admit);

  actions::VerifyApiKeys verify_;
  api::Keys keys_;
  api::KeyVerification verification_;
  std::optional<rules::LeakReporterKeys> reporters_;
  std::optional<actions::FreezeLeakedKeys> freeze_;
  std::optional<api::LeakReports> leak_reports_;
};

}  // namespace stagedoor::server
