#include "api/share_page.h"

#include <string>

#include "api/page_files.h"

namespace stagedoor::api {

void add_share_page(http::Router& router) {
  for (const auto& file : share_files()) {
    // The router prefers a path without parts, so a file's name is no token.
    auto path = file.path.empty() ? std::string("/share/{token}") : std::string(file.path);
    router.add({"GET", std::move(path),
                http::Handler([&file](const http::Request& request, http::Response& response) {
                  deliver(file, request, response);
                })});
  }
}

}  // namespace stagedoor::api
