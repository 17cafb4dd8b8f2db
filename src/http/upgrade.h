// A GET that may become a WebSocket: refuse it with a plain HTTP answer, or accept it.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "http/response.h"
#include "http/task.h"
#include "http/websocket.h"

namespace stagedoor::http {

class Upgrade {
 public:
  virtual ~Upgrade() = default;

  // Whether the request is a well-formed RFC 6455 opening handshake (version 13, key, Upgrade and
  // Connection fields). `problem` names what is missing, for the answer.
  virtual bool is_well_formed() const = 0;
  virtual std::string_view problem() const = 0;

  // The answer that is sent when the handler finishes without `accept`.
  virtual Response& refusal() = 0;

  // Sends 101 and hands over the socket; at most once. Then the refusal is not sent.
  virtual Task<base::Result<std::unique_ptr<WebSocket>>> accept(
      const WebSocketOptions& options) = 0;
};

}  // namespace stagedoor::http
