// From an accepted opening handshake to an open WebSocket.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "http/server_loop.h"
#include "http/websocket.h"

namespace stagedoor::http {

// Answers the handshake in `request` with 101. The ticket is held until the socket has ended.
Task<base::Result<std::unique_ptr<WebSocket>>> open_websocket(ServerLoop& loop, Socket socket,
                                                              ConnectionLimits::Ticket ticket,
                                                              const Request& request,
                                                              WebSocketOptions options);

}  // namespace stagedoor::http
