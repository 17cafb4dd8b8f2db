// Lets one call through, or refuses it: who is it, may they do this, and do they call too often.
// Every door asks this first, for every call.
//
// The order: credential, limit, permission. A credential that is not accepted counts against the
// network that it came from, so that guessing is slow; one that is counts against itself. Where
// the limit only watches, what it would have refused is noted in the audit log and goes on.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "actions/authenticate_api_key.h"
#include "base/clock.h"
#include "base/network.h"
#include "base/result.h"
#include "rules/audit.h"
#include "rules/caller.h"
#include "rules/identity.h"
#include "rules/key_usage.h"
#include "rules/permission.h"
#include "rules/rate_limit.h"

namespace stagedoor::actions {

// Whether a credential is read as a person's token and not as an API key: a JWT in compact form has
// two dots (RFC 7515 7.1). A key of ours has none; an imported one with two can't be used.
bool is_token(std::string_view credential);

// Safe for concurrent use.
class AdmitCall {
 public:
  struct Parts {
    const AuthenticateApiKey& authenticate;
    rules::IdentityVerifier& identities;
    const rules::Members& members;
    rules::RateLimiter& limiter;
    rules::KeyUsage& key_usage;
    rules::AuditLog& audit;
    const base::Clock& clock;
  };
  struct Options {
    // Limits of API keys by tier; a tier that is not here has that of "free".
    std::map<std::string, rules::RateLimit, std::less<>> tiers = {
        {"free", {10, std::chrono::minutes(1), 20}},
        {"creator", {30, std::chrono::minutes(1), 60}},
        {"pro", {300, std::chrono::minutes(1), 600}}};
    rules::RateLimit person{60, std::chrono::minutes(1), 120};
    rules::RateLimit stranger{5, std::chrono::minutes(1), 10};
    rules::RateLimit password{5, std::chrono::minutes(1), 5};
    // From all networks together: a crowd guesses slowly, and one network alone never fills it.
    rules::RateLimit password_of_account{20, std::chrono::minutes(1), 100};
    rules::RateLimit login{10, std::chrono::minutes(1), 10};
    rules::RateLimit account_creation{3, std::chrono::minutes(5), 3};
    // Off: a key counts for all networks together.
    bool keys_count_per_network = true;
  };
  AdmitCall(Parts parts, Options options) : parts_(parts), options_(std::move(options)) {}

  struct Request {
    // What came in the place where the door reads it; an error: nothing did, or not in the form.
    base::Result<std::string_view> credential;
    base::Address client;
    std::string_view peer;  // the client as text
    std::string_view request_id;
    std::string_view action;                 // for the audit log: "POST /v1/session-tokens"
    std::optional<rules::Permission> needs;  // nullopt: whoever is known may do it
    std::string_view workspace_id = {};      // which one a person means; empty: their first
    // Of an API key. `revoking`: what takes a key, or what it has opened, out of use is not counted
    // for its app (rule rate-limit-of-app). `revoking_itself`: nor is it asked from which network
    // the key may be used, nor whether it is still good (rule api-key-self-revoke).
    enum class Purpose : unsigned char { work, revoking, revoking_itself } purpose = Purpose::work;
  };
  struct Outcome {
    base::Result<rules::Caller> caller;
    rules::RateVerdict limit;
  };

  // nullopt: the credential is a person's token that needs time; ask again with `operator()`.
  std::optional<Outcome> at_once(const Request& request) const;
  // May take time; not from an event loop.
  //
  // `credential_missing`, `unauthenticated`, `mistyped_key`, `wrong_environment`, `token_invalid`,
  // `token_expired`, `forbidden` (the permission is missing, or the network is not the key's),
  // `rate_limited`, `not_found` (a workspace that is not the person's), `unavailable`.
  Outcome operator()(const Request& request) const;

  // For what the work itself refused to a caller who was admitted.
  void note_refused(const rules::Caller& caller, const Request& request,
                    std::string_view detail) const;
  // The same where the error is a refusal of a credential, a limit or a permission.
  void note_refused(const rules::Caller& caller, const Request& request,
                    const base::Error& why) const;

  // For a proof of another kind that is not accepted, such as a report's signature: counted and
  // noted as a guessed credential is. The outcome is a refusal.
  Outcome refuse_stranger(const Request& request, base::Error why) const {
    return of_stranger(request, std::move(why));
  }

  // For calls that need no credential: only the limit of strangers, or of what they try to do.
  // `who` tells more than the network where that matters: the account whose password is tried.
  struct OpenOutcome {
    base::Result<base::Done> done;
    rules::RateVerdict limit;
  };
  OpenOutcome open_call(rules::RateKind kind, const base::Address& client, std::string_view who,
                        std::string_view peer, std::string_view request_id,
                        std::string_view action) const;

  // A key's own limit and that of its app, taken once; also for a call that somebody else answers
  // (actions/verify_api_keys.h). The verdict is that of whichever leaves less.
  rules::RateVerdict take_of_key(const rules::KnownApiKey& key, const base::Address& client,
                                 base::Instant now) const;

  const rules::RateLimit& limit_of(const rules::ApiKeyTerms& terms) const;

 private:
  rules::RateVerdict take_of_key_alone(const rules::KnownApiKey& key, const base::Address& client,
                                       base::Instant now) const;
  rules::RateVerdict take_of_app(const rules::KnownApiKey& key, const rules::RateVerdict& own,
                                 base::Instant now) const;
  Outcome of_key(const Request& request, std::string_view text) const;
  Outcome of_person(const Request& request, base::Result<rules::Identity> identity) const;
  // `known`: whose credential it was, where it was genuine all the same.
  Outcome of_stranger(const Request& request, base::Error why,
                      const rules::Caller* known = nullptr) const;
  // A key that is not good: its owner, if it has one, is found for the audit log alone.
  Outcome of_refused_key(const Request& request, std::string_view text, base::Error why) const;
  rules::RateVerdict take_of_stranger(const Request& request, base::Error& why) const;
  Outcome judged(const Request& request, rules::Caller caller, rules::RateVerdict limit) const;
  rules::AuditEntry refusal(const Request& request, const base::Error& error) const;
  void note_refusal(const Request& request, const std::string& actor,
                    const std::string& workspace_id, const base::Error& error) const;
  struct Noted {
    std::string_view action, peer, request_id;
  };
  void note_shadow(const rules::RateVerdict& limit, const rules::Caller* known,
                   const Noted& noted) const;
  const rules::RateLimit& limit_for(rules::RateKind kind) const;

  Parts parts_;
  Options options_;
};

}  // namespace stagedoor::actions
