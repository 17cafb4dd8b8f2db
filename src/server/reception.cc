#include "server/reception.h"

#include "api/problem.h"
#include "front/credential.h"
#include "spatius/error_reply.h"

namespace stagedoor::server {

Reception::Reception(Workspace& workspace, const Config&)
    : audit_(*workspace.audit),
      admit_({.authenticate = *workspace.authenticate,
              .identities = people_,
              .members = people_,
              .limiter = limiter_,
              .key_usage = key_usage_,
              .audit = audit_,
              .clock = workspace.clock},
             {}),
      workers_({}),
      api_(
          {.admit = admit_, .workers = workers_},
          [](http::Response& response, const base::Error& error) {
            api::reply_problem(response, error);
          },
          &front::bearer_of),
      console_(
          {.admit = admit_, .workers = workers_},
          [](http::Response& response, const base::Error& error) {
            spatius::reply_console(response, error);
          },
          [](const http::Request& request) {
            return front::api_key_header_of(request, "X-Api-Key");
          }) {}

}  // namespace stagedoor::server
