// A Request without a connection, for tests: read from the words of a real one.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cassert>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/request_reader.h"

namespace stagedoor::http {

class RequestForTest {
 public:
  using Fields = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  // A request that the plumbing itself would refuse is a mistake of the test.
  RequestForTest(std::string_view method, std::string_view target, Fields fields = {},
                 std::string_view body = {})
      : parts_(std::make_unique<Parts>()) {
    std::string text = std::string(method) + " " + std::string(target) + " HTTP/1.1\r\n";
    bool has_host = false;
    for (const auto& [name, value] : fields) {
      has_host = has_host || same_name(name, "Host");
      text.append(name).append(": ").append(value).append("\r\n");
    }
    if (!has_host) text += "Host: localhost\r\n";
    if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    text.append("\r\n").append(body);
    parts_->input.make_room(text.size());
    std::memcpy(parts_->input.room(), text.data(), text.size());
    parts_->input.received(text.size());
    [[maybe_unused]] const auto progress = parts_->reader.read(parts_->input);
    assert(progress == RequestReader::Progress::complete);
    parts_->reader.id("test-request");
    peer("192.0.2.1");
  }

  // The route that it was found by, for `path_part`.
  RequestForTest& route_pattern(std::string pattern) {
    parts_->pattern = std::move(pattern);
    parts_->reader.route_pattern(parts_->pattern);
    return *this;
  }

  RequestForTest& secrets_in_target(SecretsInTarget secrets) {
    parts_->secrets = std::move(secrets);
    parts_->reader.secrets_in_target(parts_->secrets);
    return *this;
  }

  RequestForTest& peer(std::string address) {
    parts_->peer = std::move(address);
    parts_->reader.peer(parts_->peer, base::parse_address(parts_->peer).value_or(base::Address{}));
    return *this;
  }

  const Request& operator*() const { return parts_->reader.request(); }
  const Request* operator->() const { return &parts_->reader.request(); }

 private:
  struct Parts {
    InputBuffer input;
    RequestReader reader{{.head_bytes_max = 64u << 10, .body_bytes_max = 16u << 20}};
    std::string pattern, peer;
    SecretsInTarget secrets;
  };
  std::unique_ptr<Parts> parts_;
};

}  // namespace stagedoor::http
