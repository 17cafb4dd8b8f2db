#include "server/shared_avatars.h"

#include <string>
#include <utility>

#include "front/credential.h"
#include "rules/jwt.h"

namespace stagedoor::server {
namespace {

bool shows_api_key(const http::Request& request) {
  const auto credential = front::bearer_of(request);
  return credential && !rules::has_jwt_form(*credential);
}

void add(http::Router& router, std::string pattern, http::WaitingHandler for_keys,
         http::Handler for_anybody) {
  router.add({"GET", std::move(pattern),
              http::WaitingHandler(
                  [for_keys = std::move(for_keys), for_anybody = std::move(for_anybody)](
                      const http::Request& request, http::Response& response) -> http::Task<> {
                    if (shows_api_key(request)) return for_keys(request, response);
                    for_anybody(request, response);
                    return {};
                  })});
}

}  // namespace

void add_shared_avatars(http::Router& router, const AnamDoor& anam,
                        const AvatariumDoor& avatarium) {
  add(router, "/v1/avatars", anam.list_avatars(), avatarium.list_avatars());
  add(router, "/v1/avatars/{id}", anam.show_avatar(), avatarium.show_avatar());
}

}  // namespace stagedoor::server
