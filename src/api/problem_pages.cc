#include "api/problem_pages.h"

#include <algorithm>
#include <string>

#include "api/problem.h"

namespace stagedoor::api {
namespace {

// The texts are our own and hold no markup.
void write_page(http::Response& response, const Problem& problem) {
  auto& body = response.start(200, "text/html; charset=utf-8");
  body += "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>";
  body.append(problem.title);
  body +=
      "</title><style>body{font:16px/1.5 system-ui,sans-serif;max-width:40em;margin:4em auto;"
      "padding:0 1em}</style><h1>";
  body.append(problem.title);
  body += "</h1><p>";
  body.append(std::to_string(problem.status)).append(" <code>/problems/");
  body.append(problem.type).append("</code></p><p>");
  body.append(problem.meaning).append("</p><p>").append(problem.remedy).append("</p></html>\n");
  response.header("Cache-Control", "max-age=3600");
  response.header("X-Content-Type-Options", "nosniff");
  response.header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
}

void answer(const http::Request& request, http::Response& response) {
  const auto found = std::ranges::find(problems(), request.path_part("type"), &Problem::type);
  if (found == problems().end())
    return reply_problem(response, 404, "There is no problem of this type.");
  write_page(response, *found);
}

}  // namespace

void add_problem_pages(http::Router& router) {
  router.add({"GET", "/problems/{type}", http::Handler(&answer)});
}

}  // namespace stagedoor::api
