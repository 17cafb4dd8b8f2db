#include "front/guard.h"

#include <array>
#include <memory>

#include "front/limit_headers.h"

namespace stagedoor::front {
namespace {

using actions::AdmitCall;
using http::Request;
using http::Response;

// What the audit log calls a call: its method and its path, which holds no credential. Without
// memory of its own on the heap, since hardly any call is noted.
class ActionText {
 public:
  explicit ActionText(const Request& request) {
    add(request.method().substr(0, 32));
    add(" ");
    add(request.path().substr(0, 128));
  }
  operator std::string_view() const { return {text_.data(), size_}; }

 private:
  void add(std::string_view part) { size_ += part.copy(text_.data() + size_, part.size()); }
  std::array<char, 32 + 1 + 128> text_;
  std::size_t size_ = 0;
};

}  // namespace

Guard::Guard(Parts parts, Refuse refuse, ReadCredential read_credential)
    : Guard(parts,
            RefuseRequest([refuse = std::move(refuse)](const Request&, Response& response,
                                                       const base::Error& error) {
              refuse(response, error);
            }),
            std::move(read_credential)) {}

Guard::Guard(Parts parts, RefuseRequest refuse, ReadCredential read_credential)
    : parts_(parts), refuse_(std::move(refuse)), read_credential_(std::move(read_credential)) {}

AdmitCall::Request Guard::asked(const Request& request, std::optional<rules::Permission> needs,
                                std::string_view action) const {
  return {.credential = read_credential_(request),
          .client = request.client(),
          .peer = request.peer(),
          .request_id = request.id(),
          .action = action,
          .needs = needs,
          .workspace_id = request.header("Stagedoor-Workspace").value_or("")};
}

void Guard::finish(const Work& work, const AdmitCall::Outcome& outcome, const Request& request,
                   Response& response) const {
  // A limit that was never asked has nothing to tell: the issuer of a token did not answer.
  if (outcome.caller || outcome.caller.error().code != base::ErrorCode::unavailable)
    tell_limit(response, outcome.limit);
  if (!outcome.caller) return refuse_(request, response, outcome.caller.error());
  work(*outcome.caller, request, response);
  const int status = response.status();
  // A person's wrong password is 401 too, and tells of itself.
  const bool is_key = outcome.caller->kind() == rules::CallerKind::api_key;
  if (status == 402 || status == 403 || status == 429 || (status == 401 && is_key))
    note_refused(*outcome.caller, request, response);
}

// What the work refused to a caller who was admitted (rule audit-of-refusals).
void Guard::note_refused(const rules::Caller& caller, const Request& request,
                         const Response& response) const {
  const ActionText action(request);
  const auto status = std::to_string(response.status());
  parts_.admit.note_refused(
      caller, asked(request, std::nullopt, action),
      response.remark().empty() ? "refused with " + status : status + ": " + response.remark());
}

AdmitCall::Outcome Guard::admitted_key(const Request& request,
                                       std::optional<rules::Permission> needs) const {
  const ActionText action(request);
  auto call = asked(request, needs, action);
  // Before the token is looked at: the answer may not depend on whose it is, nor on whether it was
  // seen before.
  if (call.credential && actions::is_token(*call.credential)) {
    call.credential = base::fail(base::ErrorCode::token_invalid, "a token where an API key is read",
                                 "This call takes an API key; a token can't make it.");
  }
  return *parts_.admit.at_once(call);
}

http::Handler Guard::quick_for_keys(std::optional<rules::Permission> needs, Work work) const {
  return [this, needs, work = std::move(work)](const Request& request, Response& response) {
    finish(work, admitted_key(request, needs), request, response);
  };
}

http::Task<> Guard::quick_else_slow(const QuickWork& quick, const std::shared_ptr<const Work>& slow,
                                    AdmitCall::Outcome outcome, const Request& request,
                                    Response& response) const {
  auto attempt = Attempt::answered;
  const Work try_quick = [&](const rules::Caller& caller, const Request& in, Response& out) {
    attempt = quick(caller, in, out);
  };
  finish(try_quick, outcome, request, response);
  if (attempt == Attempt::answered) return {};
  // Admitted once, and counted once: the worker goes on with the same caller.
  return run_once_on_worker(
      [this, slow, outcome = std::move(outcome)](const Request& in, Response& out) {
        finish(*slow, outcome, in, out);
      },
      request, response);
}

http::WaitingHandler Guard::quick_or_slow_for_keys(std::optional<rules::Permission> needs,
                                                   QuickWork quick, Work slow) const {
  const auto shared = std::make_shared<const Work>(std::move(slow));
  return [this, needs, quick = std::move(quick), shared](const Request& request,
                                                         Response& response) -> http::Task<> {
    return quick_else_slow(quick, shared, admitted_key(request, needs), request, response);
  };
}

http::WaitingHandler Guard::quick_or_slow(std::optional<rules::Permission> needs, QuickWork quick,
                                          Work slow) const {
  const auto shared = std::make_shared<const Work>(std::move(slow));
  http::BlockingHandler later = [this, needs, shared](const Request& request, Response& response) {
    const ActionText action(request);
    finish(*shared, parts_.admit(asked(request, needs, action)), request, response);
  };
  return [this, needs, quick = std::move(quick), shared, later = std::move(later)](
             const Request& request, Response& response) -> http::Task<> {
    const ActionText action(request);
    if (auto outcome = parts_.admit.at_once(asked(request, needs, action)))
      return quick_else_slow(quick, shared, *std::move(outcome), request, response);
    return run_on_worker(later, request, response);
  };
}

http::WaitingHandler Guard::quick(std::optional<rules::Permission> needs, Work work) const {
  const auto shared = std::make_shared<const Work>(std::move(work));
  http::BlockingHandler later = [this, needs, shared](const Request& request, Response& response) {
    const ActionText action(request);
    finish(*shared, parts_.admit(asked(request, needs, action)), request, response);
  };
  return [this, needs, shared, later = std::move(later)](const Request& request,
                                                         Response& response) -> http::Task<> {
    const ActionText action(request);
    if (auto outcome = parts_.admit.at_once(asked(request, needs, action))) {
      finish(*shared, *outcome, request, response);
      return {};
    }
    return run_on_worker(later, request, response);
  };
}

http::WaitingHandler Guard::slow_for(AdmitCall::Request::Purpose purpose,
                                     std::optional<rules::Permission> needs, Work work) const {
  http::BlockingHandler all = [this, purpose, needs, work = std::move(work)](const Request& request,
                                                                             Response& response) {
    const ActionText action(request);
    auto call = asked(request, needs, action);
    call.purpose = purpose;
    finish(work, parts_.admit(call), request, response);
  };
  return [this, all = std::move(all)](const Request& request, Response& response) {
    return run_on_worker(all, request, response);
  };
}

http::WaitingHandler Guard::slow(std::optional<rules::Permission> needs, Work work) const {
  return slow_for(AdmitCall::Request::Purpose::work, needs, std::move(work));
}

Guard::Work Guard::only_for(rules::CallerKind kind, Work work) const {
  return [this, kind, work = std::move(work)](const rules::Caller& caller, const Request& request,
                                              Response& response) {
    if (caller.kind() == kind) return work(caller, request, response);
    const auto* const hint = kind == rules::CallerKind::person
                                 ? "This call takes a person's token; an API key can't make it."
                                 : "This call takes an API key; a token can't make it.";
    const auto code = kind == rules::CallerKind::person ? base::ErrorCode::credential_missing
                                                        : base::ErrorCode::token_invalid;
    refuse_(request, response, {code, "a caller of the other kind", hint});
    // `finish` notes those of keys.
    if (caller.kind() == rules::CallerKind::person) note_refused(caller, request, response);
  };
}

http::WaitingHandler Guard::slow_for_people(Work work) const {
  return slow(std::nullopt, only_for(rules::CallerKind::person, std::move(work)));
}

http::WaitingHandler Guard::slow_for_keys(std::optional<rules::Permission> needs, Work work) const {
  return slow(needs, only_for(rules::CallerKind::api_key, std::move(work)));
}

http::WaitingHandler Guard::slow_to_revoke(std::optional<rules::Permission> needs,
                                           Work work) const {
  return slow_for(AdmitCall::Request::Purpose::revoking, needs, std::move(work));
}

http::WaitingHandler Guard::slow_for_holders(Work work) const {
  return slow_for(AdmitCall::Request::Purpose::revoking_itself, std::nullopt, std::move(work));
}

http::Handler Guard::open_quick(rules::RateKind kind, http::BlockingHandler work) const {
  return [this, kind, work = std::move(work)](const Request& request, Response& response) {
    const auto outcome = parts_.admit.open_call(kind, request.client(), {}, request.peer(),
                                                request.id(), ActionText(request));
    tell_limit(response, outcome.limit);
    if (!outcome.done) return refuse_(request, response, outcome.done.error());
    work(request, response);
  };
}

http::WaitingHandler Guard::open_slow(rules::RateKind kind, http::BlockingHandler work) const {
  auto all = open_quick(kind, std::move(work));
  return [this, all = std::move(all)](const Request& request, Response& response) {
    return run_on_worker(all, request, response);
  };
}

http::WaitingHandler Guard::unlimited_slow(http::BlockingHandler work) const {
  return [this, work = std::move(work)](const Request& request, Response& response) {
    return run_on_worker(work, request, response);
  };
}

http::Task<> Guard::run_on_worker(const http::BlockingHandler& work, const Request& request,
                                  Response& response) const {
  // g++ 12 makes a trap of a refusal that stands in the coroutine itself.
  const bool is_done = co_await http::on_worker(parts_.workers, work, request, response);
  if (!is_done) refuse_busy(request, response);
}

http::Task<> Guard::run_once_on_worker(http::BlockingHandler work, const Request& request,
                                       Response& response) const {
  const auto shared = std::make_shared<const http::BlockingHandler>(std::move(work));
  const bool is_done = co_await http::on_worker(parts_.workers, shared, request, response);
  if (!is_done) refuse_busy(request, response);
}

void Guard::refuse_busy(const Request& request, Response& response) const {
  refuse_(request, response,
          {base::ErrorCode::unavailable, "too many calls wait for a worker", ""});
}

}  // namespace stagedoor::front
