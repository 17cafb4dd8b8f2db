// The key set of an issuer, fetched from it and kept: rules/jwks_timetable.h says when.
//
// Rule jwks-waiting-bounded: of those whose token needs an answer of an issuer, three wait for one
// issuer and six for all of them; the others are told `unavailable` at once. A slow issuer holds no
// worker that others need, also before its first answer.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "rules/issuer.h"
#include "rules/issuer_keys.h"
#include "rules/jwks_timetable.h"

namespace stagedoor::store {

// A document from elsewhere, with the two fields that say how long it is good for.
struct FetchedDocument {
  std::string body;
  std::string cache_control, age;
};

// Where documents come from. Safe for concurrent use.
class DocumentFetcher {
 public:
  virtual ~DocumentFetcher() = default;
  // Takes as long as it may, and no longer once `stop` is asked for. `unavailable` with a detail.
  virtual base::Result<FetchedDocument> fetch(const std::string& url, std::stop_token stop) = 0;
};

// How many callers wait for issuers at a time. Whoever waits holds a worker (http/workers.h), of
// which there are eight, and the others have other work. Safe for concurrent use.
struct WaitingForIssuers {
  static constexpr int max = 6, of_one_max = 3;
  std::atomic<int> count{0};
};

// One issuer, one thread that asks it. Safe for concurrent use.
class FetchedJwkSet : public rules::IssuerKeys {
 public:
  struct Parts {
    DocumentFetcher& fetcher;
    const base::Clock& clock;
    base::Log& log;
    WaitingForIssuers& waiting;  // shared by all issuers
  };
  FetchedJwkSet(Parts parts, rules::IssuerPolicy policy);
  // Gives up a fetch that is under way; nobody may be waiting.
  ~FetchedJwkSet() override;

  std::uint64_t generation(base::Instant now) override;
  base::Result<rules::BelievedKeys> keys_for(const rules::JwtHeader& header,
                                             crypto::SignatureAlgorithm algorithm,
                                             base::Instant now) override;

 private:
  using Advice = rules::JwksTimetable::Advice;
  using Lock = std::unique_lock<std::mutex>;
  Advice advice_for(bool is_known, const rules::JwtHeader& header, base::Instant now) const;
  void begin_fetch(const Lock&, base::Instant now);
  base::Result<base::Done> wait_for_fetch(Lock& lock);
  void publish_quiet_time(const Lock&);

  void run(const std::stop_token& stop);
  base::Result<FetchedDocument> fetch(const std::stop_token& stop) const;
  base::Result<std::string> discover(const std::stop_token& stop) const;
  void take(const base::Result<FetchedDocument>& document);

  const Parts parts_;
  const rules::IssuerPolicy policy_;

  // Until `quiet_until_` the generation is told without the lock.
  std::atomic<std::uint64_t> generation_{0};
  std::atomic<base::Instant::rep> quiet_until_{0};

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  rules::JwksTimetable timetable_;
  rules::BelievedKeys keys_;
  bool is_wanted_ = false;
  std::uint64_t fetches_ended_ = 0;
  int waiting_ = 0;
  std::jthread thread_;  // the last member: it uses all the others
};

}  // namespace stagedoor::store
