// What every door does before its own words: the credential out of the head, admission, the limit's
// headers, and for work that waits a worker. A door makes one with its own way to write errors.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "actions/admit_call.h"
#include "http/router.h"
#include "http/workers.h"
#include "rules/caller.h"

namespace stagedoor::front {

// Safe for concurrent use; outlives the router that holds its handlers.
class Guard {
 public:
  struct Parts {
    const actions::AdmitCall& admit;
    http::Workers& workers;
  };
  // Writes a refusal in the door's own shape.
  using Refuse = std::function<void(http::Response&, const base::Error&)>;
  using ReadCredential =
      std::function<base::Result<std::string_view>(const http::Request& request)>;
  Guard(Parts parts, Refuse refuse, ReadCredential read_credential);
  // For a door whose refusals tell the request's id.
  using RefuseRequest =
      std::function<void(const http::Request&, http::Response&, const base::Error&)>;
  Guard(Parts parts, RefuseRequest refuse, ReadCredential read_credential);

  using Work = std::function<void(const rules::Caller&, const http::Request&, http::Response&)>;

  // `needs` nullopt: whoever is known may do it, and the work itself says what else it takes.
  //
  // For work that answers from memory: it runs on the loop, at once for every caller but a person
  // whose token has not been seen before.
  http::WaitingHandler quick(std::optional<rules::Permission> needs, Work work) const;
  // The same for API keys alone, without a coroutine: a person's token is refused.
  http::Handler quick_for_keys(std::optional<rules::Permission> needs, Work work) const;
  // For API keys, and work that answers from memory as a rule and waits for the disk now and then:
  // `quick` runs on the loop; where it needs time it answers nothing, and `slow` runs on a worker.
  enum class Attempt { answered, needs_time };
  using QuickWork =
      std::function<Attempt(const rules::Caller&, const http::Request&, http::Response&)>;
  http::WaitingHandler quick_or_slow_for_keys(std::optional<rules::Permission> needs,
                                              QuickWork quick, Work slow) const;
  // The same for keys and people.
  http::WaitingHandler quick_or_slow(std::optional<rules::Permission> needs, QuickWork quick,
                                     Work slow) const;
  // For work that waits, for the disk or for anything else: it runs on a worker.
  http::WaitingHandler slow(std::optional<rules::Permission> needs, Work work) const;
  // The same for any person whom an issuer vouches for, whatever they may, also one without an
  // account or a workspace. An API key is `credential_missing`: it is no person, whatever its text.
  http::WaitingHandler slow_for_people(Work work) const;
  // The same for API keys alone: a person is refused.
  http::WaitingHandler slow_for_keys(std::optional<rules::Permission> needs, Work work) const;
  // The same for what takes a key, or what it has opened, out of use: counted for the caller alone
  // and not for its app (rule rate-limit-of-app).
  http::WaitingHandler slow_to_revoke(std::optional<rules::Permission> needs, Work work) const;
  // The same for whoever holds the key itself, whatever its scopes and its networks are, and
  // whether or not it is still good.
  http::WaitingHandler slow_for_holders(Work work) const;
  // For calls that need no credential: only a limit holds. On a worker, or on the loop.
  http::WaitingHandler open_slow(rules::RateKind kind, http::BlockingHandler work) const;
  http::Handler open_quick(rules::RateKind kind, http::BlockingHandler work) const;
  // For calls that bring a proof of their own: the work looks at it, and counts what proves nothing
  // (AdmitCall::open_call).
  http::WaitingHandler unlimited_slow(http::BlockingHandler work) const;

 private:
  actions::AdmitCall::Request asked(const http::Request& request,
                                    std::optional<rules::Permission> needs,
                                    std::string_view action) const;
  actions::AdmitCall::Outcome admitted_key(const http::Request& request,
                                           std::optional<rules::Permission> needs) const;
  http::WaitingHandler slow_for(actions::AdmitCall::Request::Purpose purpose,
                                std::optional<rules::Permission> needs, Work work) const;
  // `forbidden` or `credential_missing` for a caller of the other kind, who is admitted already.
  Work only_for(rules::CallerKind kind, Work work) const;
  void note_refused(const rules::Caller& caller, const http::Request& request,
                    const http::Response& response) const;
  void finish(const Work& work, const actions::AdmitCall::Outcome& outcome,
              const http::Request& request, http::Response& response) const;
  http::Task<> quick_else_slow(const QuickWork& quick, const std::shared_ptr<const Work>& slow,
                               actions::AdmitCall::Outcome outcome, const http::Request& request,
                               http::Response& response) const;
  http::Task<> run_on_worker(const http::BlockingHandler& work, const http::Request& request,
                             http::Response& response) const;
  http::Task<> run_once_on_worker(http::BlockingHandler work, const http::Request& request,
                                  http::Response& response) const;
  void refuse_busy(const http::Request& request, http::Response& response) const;

  Parts parts_;
  RefuseRequest refuse_;
  ReadCredential read_credential_;
};

}  // namespace stagedoor::front
