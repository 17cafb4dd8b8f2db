#include "api/accounts.h"

#include <string>
#include <utility>

#include "api/account_json.h"
#include "api/body.h"
#include "api/problem.h"
#include "front/limit_headers.h"

namespace stagedoor::api {
namespace {

using rules::RateKind;

// Whether a password is long enough is for the action to say; this only bounds what is read.
constexpr Members::Bytes any_password = {1, 1024};

actions::CallOrigin origin_of(const http::Request& request) {
  return {.peer = request.peer(), .request_id = request.id()};
}

void reply_done(http::Response& response) {
  response.header("Cache-Control", "no-store");
  response.start(204, "");
}

// Of what is shown in the body: the challenge says nothing of a token in the head.
void refuse_proof(http::Response& response, const base::Error& error) {
  if (problem_of(error.code).status == 401) response.header("WWW-Authenticate", "Bearer");
  reply_problem(response, error);
}

std::string action_of(const http::Request& request) {
  return std::string(request.method()) + " " + std::string(request.path());
}

}  // namespace

Accounts::Accounts(const actions::People& people, actions::SignUpFor sign_up_for,
                   const actions::AdmitCall& admit)
    : sign_up_(people, sign_up_for),
      log_in_(people),
      refresh_(people),
      log_out_(people),
      change_password_(people),
      admit_(admit) {}

void Accounts::add_to(http::Router& router, const front::Guard& guard) const {
  using Open = void (Accounts::*)(const http::Request&, http::Response&) const;
  const auto add_open = [&](const char* path, RateKind kind, Open method) {
    router.add({"POST", path,
                guard.open_slow(kind, [this, method](const http::Request& in, http::Response& out) {
                  (this->*method)(in, out);
                })});
  };
  add_open("/v1/accounts", RateKind::account_creation, &Accounts::sign_up);
  add_open("/v1/login", RateKind::login, &Accounts::log_in);
  add_open("/v1/refresh", RateKind::login, &Accounts::refresh);
  add_open("/v1/logout", RateKind::login, &Accounts::log_out);
  using Known =
      void (Accounts::*)(const rules::Caller&, const http::Request&, http::Response&) const;
  const auto add_known = [&](const char* path, Known method) {
    router.add(
        {"POST", path,
         guard.slow(std::nullopt,
                    [this, method](const rules::Caller& caller, const http::Request& in,
                                   http::Response& out) { (this->*method)(caller, in, out); })});
  };
  add_known("/v1/logout-everywhere", &Accounts::log_out_everywhere);
  add_known("/v1/password", &Accounts::change_password);
}

bool Accounts::may_try(RateKind kind, std::string_view whose, const http::Request& request,
                       http::Response& response) const {
  const auto outcome = admit_.open_call(kind, request.client(), whose, request.peer(), request.id(),
                                        action_of(request));
  if (outcome.done) return true;
  response.clear();
  front::tell_limit(response, outcome.limit);
  reply_problem(response, outcome.done.error());
  return false;
}

void Accounts::sign_up(const http::Request& request, http::Response& response) const {
  const auto wanted = read_sign_up(request.body());
  if (!wanted) return reply_problem(response, wanted.error());
  const auto made = sign_up_(*wanted, origin_of(request));
  if (!made) return reply_problem(response, made.error());
  response.header("Cache-Control", "no-store");
  auto& answer = response.start(201, "application/json");
  answer += "{\"account\":";
  append_account(answer, made->account);
  answer += ",\"membership\":";
  if (made->membership)
    append_membership(answer, *made->membership);
  else
    answer += "null";
  answer += '}';
}

void Accounts::log_in(const http::Request& request, http::Response& response) const {
  const auto wanted = read_log_in(request.body());
  if (!wanted) return reply_problem(response, wanted.error());
  if (!may_try(RateKind::login, wanted->email.key, request, response)) return;
  if (!may_try(RateKind::password, wanted->email.key, request, response)) return;
  const auto logged_in = log_in_(wanted->email, wanted->password, origin_of(request));
  if (!logged_in) return refuse_proof(response, logged_in.error());
  reply_logged_in(response, *logged_in);
}

void Accounts::refresh(const http::Request& request, http::Response& response) const {
  Body body(request);
  const base::Secret token(body.text("refresh_token", {1, rules::refresh_token_bytes_max}));
  if (const auto read = body.finish(); !read) return reply_problem(response, read.error());
  const auto logged_in = refresh_(token, origin_of(request));
  if (!logged_in) return refuse_proof(response, logged_in.error());
  reply_logged_in(response, *logged_in);
}

void Accounts::log_out(const http::Request& request, http::Response& response) const {
  Body body(request);
  const base::Secret token(body.text("refresh_token", {1, rules::refresh_token_bytes_max}));
  if (const auto read = body.finish(); !read) return reply_problem(response, read.error());
  const auto done = log_out_(token, origin_of(request));
  if (!done) return reply_problem(response, done.error());
  reply_done(response);
}

void Accounts::log_out_everywhere(const rules::Caller& caller, const http::Request& request,
                                  http::Response& response) const {
  Body body(request);
  if (const auto read = body.finish(); !read) return reply_problem(response, read.error());
  const auto done = log_out_.everywhere(caller, origin_of(request));
  if (!done) return reply_problem(response, done.error());
  reply_done(response);
}

void Accounts::change_password(const rules::Caller& caller, const http::Request& request,
                               http::Response& response) const {
  Body body(request);
  const base::Secret current(body.text("current_password", any_password));
  const base::Secret wanted(body.text("new_password", any_password));
  if (const auto read = body.finish(); !read) return reply_problem(response, read.error());
  if (!may_try(RateKind::password, caller.actor(), request, response)) return;
  const auto logged_in = change_password_(caller, current, wanted, origin_of(request));
  if (!logged_in) return reply_problem(response, logged_in.error());
  reply_logged_in(response, *logged_in);
}

}  // namespace stagedoor::api
