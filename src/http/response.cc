// SPDX-License-Identifier: Apache-2.0

#include "http/response.h"

#include <algorithm>

namespace stagedoor::http {

namespace {

// RFC 9110 5.5: what would end a field, and with it our control of the answer.
bool is_safe(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

}  // namespace

std::string& Response::start(int status, std::string_view content_type) {
  status_ = status;
  broken_ = broken_ || !is_safe(content_type);
  content_type_ = content_type;
  body_.clear();
  return body_;
}

void Response::header(std::string_view name, std::string_view value) {
  if (name.empty() || !is_safe(name) || !is_safe(value)) {
    broken_ = true;
    return;
  }
  extra_headers_.append(name).append(": ").append(value).append("\r\n");
}

bool Response::has(std::string_view name) const {
  std::string_view rest = extra_headers_;
  while (!rest.empty()) {
    if (rest.starts_with(name) && rest.substr(name.size()).starts_with(':')) return true;
    const auto end = rest.find('\n');
    if (end == rest.npos) return false;
    rest.remove_prefix(end + 1);
  }
  return false;
}

void Response::clear() {
  status_ = 500;
  broken_ = false;
  content_type_.clear();
  extra_headers_.clear();
  body_.clear();
  remark_.clear();
}

}  // namespace stagedoor::http
