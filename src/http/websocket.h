// An open WebSocket (RFC 6455), server side. It belongs to one event loop: every call comes from
// that loop. One coroutine reads, any number send; what is sent waits in a bounded outbox, so that
// a reader and a deadline can both speak without colliding.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/memory_budget.h"
#include "http/task.h"

namespace stagedoor::http {

struct WebSocketOptions {
  std::size_t message_bytes_max = 8u << 20;  // a larger message closes with 1009
  std::size_t outbox_bytes_max = 1u << 20;   // `send` waits while more than this is unsent
  // No byte accepted by the peer for so long while we have something to send: the socket is
  // dropped.
  std::chrono::seconds write_timeout{30};
  // Nothing received for so long: we ping; nothing for twice as long: the socket is dropped.
  std::chrono::seconds ping_after{30};
  // What all sockets together may hold of messages that are longer than a few KB; a message for
  // which nothing is left closes with 1013. Null: no common limit.
  MemoryBudget* message_memory = nullptr;
};

class WebSocket {
 public:
  virtual ~WebSocket() = default;

  struct Message {
    bool is_binary;
    std::span<const char> bytes;  // valid until the next read
  };

  // The next whole message. An error (`unavailable`) means that no more will come: closed by the
  // peer, by us, by a broken frame, or dropped; `close_code()` then tells. Pings are answered
  // meanwhile.
  virtual Task<base::Result<Message>> read() = 0;

  // Puts a binary message into the outbox; waits while the outbox is over its limit. An error means
  // that the socket is closing and the message will not arrive.
  virtual Task<base::Result<base::Done>> send(std::string bytes) = 0;

  // A text message, which must be UTF-8, without waiting. False, and nothing was sent, while the
  // outbox is over its limit: the client does not read what it is told.
  virtual bool send_text_now(std::string text) = 0;

  // Sends what is in the outbox, then `last_word` as a binary message unless it is empty, then a
  // close frame; `read` ends. Repeated calls do nothing. Where nothing waits in the outbox all of
  // that and the end of our side leave in one packet, before this returns. The TCP connection ends
  // when the peer answered or after 5 s.
  virtual void close(std::uint16_t code, std::string_view reason, std::string last_word) = 0;
  void close(std::uint16_t code, std::string_view reason) { close(code, reason, {}); }

  // Limit for messages from now on.
  virtual void message_bytes_max(std::size_t bytes) = 0;

  // What the session ended with: the peer's code, ours, or 1006.
  virtual std::uint16_t close_code() const = 0;
};

}  // namespace stagedoor::http
