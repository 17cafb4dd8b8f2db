#include "api/page_files.h"

namespace stagedoor::api {

void deliver(const PageFile& file, const http::Request& request, http::Response& response) {
  if (request.header("If-None-Match") == file.etag) {
    response.start(304, file.content_type);
  } else {
    response.start(200, file.content_type) = file.content;
  }
  response.header("ETag", file.etag);
  response.header("Cache-Control", "no-cache");
  response.header("X-Content-Type-Options", "nosniff");
  response.header("X-Frame-Options", "DENY");
  response.header("Referrer-Policy", "no-referrer");
  response.header("Content-Security-Policy",
                  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: "
                  "blob:; media-src 'self' blob:; worker-src 'self' blob:; connect-src 'self' "
                  "ws: wss:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'");
  if (file.path.ends_with(".json")) response.header("Access-Control-Allow-Origin", "*");
}

}  // namespace stagedoor::api
