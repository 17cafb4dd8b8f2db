// Freezes the keys that a report of leaks names (rule api-key-leak-frozen), and tells the reporter
// which of them were real.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "rules/api_key_records.h"
#include "rules/leak_report.h"

namespace stagedoor::actions {

class FreezeLeakedKeys {
 public:
  struct Parts {
    const rules::LeakReporterKeys& reporters;
    rules::ApiKeyStore& keys;
    const rules::ApiKeyHasher& hasher;
    rules::ApiKeyRecords& records;
    const rules::Catalog& catalog;
    const base::Clock& clock;
  };
  explicit FreezeLeakedKeys(Parts parts) : parts_(parts) {}

  struct Request {
    std::string_view identifier, signature, body;
    std::string_view peer, request_id;
  };
  struct Label {
    std::string token_sha256;  // hex: the key itself is not sent back
    std::string type;
    bool is_real = false;
  };
  // `unauthenticated` for a bad signature, `malformed` for the body, `unavailable`: then some may
  // be frozen, and the reporter sends all of them again.
  base::Result<std::vector<Label>> operator()(const Request& request) const;

 private:
  base::Result<Label> of_report(const Request& request, const rules::LeakReport& report) const;
  base::Result<base::Done> freeze(const Request& request, const rules::LeakReport& report,
                                  std::uint64_t id) const;

  Parts parts_;
};

}  // namespace stagedoor::actions
