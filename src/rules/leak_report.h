// Reports of leaked keys as GitHub's secret-scanning partner programme sends them
// (docs.github.com, "Secret scanning partner program"): a JSON array of matches, signed by ECDSA on
// P-256 with SHA-256 over the body, under a key that two headers name.
//
// Rule api-key-leak-frozen: a key that a signed report names is frozen before the report is
// answered, with all that it has opened; a report that is not signed changes nothing. Freezing and
// not revoking: a false alarm must cost nobody their keys. And a report that is sent again, by
// whoever caught it, freezes a key that was unfrozen after it no second time.
//
// Used by: actions/freeze_leaked_keys.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "crypto/verify.h"

namespace stagedoor::rules {

inline constexpr std::size_t leak_reports_max = 1000;  // in one message

// One match.
struct LeakReport {
  base::Secret token;
  std::string type, url, source;
};
// `malformed` with a hint. Members that the programme may add are passed over.
base::Result<std::vector<LeakReport>> read_leak_reports(std::string_view json);

// The public keys of whoever reports, by their identifiers. A value; safe for concurrent use.
class LeakReporterKeys {
 public:
  // {"public_keys": [{"key_identifier": ..., "key": PEM}]}, as GitHub's meta endpoint gives them;
  // at least one. `malformed` with a hint.
  static base::Result<LeakReporterKeys> read(std::string_view json);

  // Whether the body is signed by the key of that identifier; the signature is DER in base64.
  // `unauthenticated` otherwise.
  base::Result<base::Done> check(std::string_view identifier, std::string_view signature_base64,
                                 std::string_view body) const;

 private:
  std::map<std::string, crypto::PublicKey, std::less<>> keys_;
};

}  // namespace stagedoor::rules
