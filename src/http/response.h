// One HTTP answer, written into a buffer that the connection reuses.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>
#include <string_view>

namespace stagedoor::http {

class Response {
 public:
  // Sets status and content type and empties the body; then append to `body()`. May be called
  // again, the last call counts. Content-Length, Date, X-Request-Id and Connection are written by
  // the connection.
  std::string& start(int status, std::string_view content_type);

  // Adds a field. A value with CR, LF or NUL is dropped whole and the answer becomes a bare 500.
  void header(std::string_view name, std::string_view value);

  // Adds whole fields as they are, "Name: value" and CRLF each: for constants and numbers of ours,
  // which need no check.
  void fields(std::string_view lines) { extra_headers_.append(lines); }

  // Whether a field of this name was added; names compare byte by byte.
  bool has(std::string_view name) const;

  // What the operator's logs may say of this answer; never sent.
  void remark(std::string_view text) { remark_ = text; }
  const std::string& remark() const { return remark_; }

  int status() const { return status_; }
  // Whether a field was refused: nothing of this answer may be sent.
  bool is_broken() const { return broken_; }
  std::string& body() { return body_; }
  const std::string& body() const { return body_; }
  std::string_view content_type() const { return content_type_; }
  std::string_view extra_headers() const { return extra_headers_; }

  // Makes it as new, keeping the memory.
  void clear();

 private:
  int status_ = 500;
  bool broken_ = false;
  std::string content_type_, extra_headers_, body_, remark_;
};

}  // namespace stagedoor::http
