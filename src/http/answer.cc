// SPDX-License-Identifier: Apache-2.0

#include "http/answer.h"

#include <fmt/compile.h>
#include <fmt/format.h>

namespace stagedoor::http {

namespace {

// The first line's longest form, the fields' names, two numbers, the date and the request id.
constexpr std::size_t head_bytes_max = 512;

std::string_view reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 402:
      return "Payment Required";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 422:
      return "Unprocessable Content";
    case 426:
      return "Upgrade Required";
    case 428:
      return "Precondition Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    default:
      return "Status";
  }
}

std::string_view connection_field(Persistence persistence) {
  switch (persistence) {
    case Persistence::keep_alive:
      return "";
    case Persistence::keep_alive_said:
      return "Connection: keep-alive\r\n";
    case Persistence::close:
      return "Connection: close\r\n";
  }
  return "";
}

// RFC 9110 8.6: these have neither a body nor a Content-Length.
bool has_body(int status) {
  return status != 204 && status != 304;
}

struct Head {
  int status;
  std::string_view content_type, extra;
  std::size_t body_bytes;
};

char* write_head(char* at, const Head& head, const AnswerFacts& facts) {
  at = fmt::format_to(at, FMT_COMPILE("HTTP/1.1 {} {}\r\n"), head.status, reason_of(head.status));
  if (has_body(head.status)) {
    if (!head.content_type.empty()) {
      at = fmt::format_to(at, FMT_COMPILE("Content-Type: {}\r\n"), head.content_type);
    }
    at = fmt::format_to(at, FMT_COMPILE("Content-Length: {}\r\n"), head.body_bytes);
  }
  return fmt::format_to(at, FMT_COMPILE("Date: {}\r\nX-Request-Id: {}\r\n{}{}\r\n"), facts.date,
                        facts.request_id, head.extra, connection_field(facts.persistence));
}

}  // namespace

int append_answer(std::string& out, const Response& response, const AnswerFacts& facts) {
  Head head{.status = response.status(),
            .content_type = response.content_type(),
            .extra = response.extra_headers(),
            .body_bytes = response.body().size()};
  if (response.is_broken())
    head = {.status = 500, .content_type = "", .extra = "", .body_bytes = 0};
  const bool sends_body =
      has_body(head.status) && facts.body == BodySent::with_body && head.body_bytes > 0;
  const auto before = out.size();
  const auto room = head_bytes_max + head.content_type.size() + head.extra.size() +
                    (sends_body ? head.body_bytes : 0);
  out.resize_and_overwrite(before + room, [&](char* begin, std::size_t) {
    auto* end = write_head(begin + before, head, facts);
    if (sends_body) end += response.body().copy(end, head.body_bytes);
    return static_cast<std::size_t>(end - begin);
  });
  return head.status;
}

}  // namespace stagedoor::http
