// One HTTP/1.1 connection: reads requests, has them handled, writes the answers in order.
//
//   waiting ──bytes──▶ (read, handle, write: all in one turn) ──▶ waiting
//      │                    │            └─ would block ─▶ writing ─▶ waiting
//      └── time, end        ├─ the handler waits ─▶ handling ─▶ waiting
//          of input         ├─ upgraded: the socket goes to a WebSocket
//          ▼                └─ refused ─▶ draining
//        closed  ◀───────────────────────────┘
//
// A handler that answers at once costs no coroutine. The connection holds no buffer while it waits
// between requests: what reading and answering need comes from the loop's pool. Whoever calls it
// from its loop holds a pointer to it, because each call may be its last. One call at a time,
// on its loop; it lives as long as something is under way for it.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/descriptor.h"
#include "http/readiness.h"
#include "http/server_loop.h"
#include "http/upgrade.h"

namespace stagedoor::http {

class Connection final : public Guest, public ReadySocket {
 public:
  using Pointer = boost::intrusive_ptr<Connection>;

  // `socket` does not block.
  Connection(ServerLoop& loop, Descriptor socket, ConnectionLimits::Ticket ticket,
             std::string peer);
  ~Connection() override;

  void start();
  void on_ready(std::uint32_t events) noexcept override;
  void send_held(std::string_view answers) noexcept override;
  void leave_if_idle() override;
  void drop() override;

 private:
  class Handshake;
  enum class Phase { waiting, handling, writing, draining, upgraded, closed };
  enum class Awaited { nothing, request, rest_of_head, rest_of_body };
  enum class Next { go_on, wait };

  template <class Turn>
  void guarded(Turn turn);
  void on_event();
  void read();
  void take_exchange();
  bool receive();
  std::size_t receive_into(char* room, std::size_t room_bytes);
  void go_on();
  void serve();
  Next need_more();
  Next ask_for_body();
  void wait_for_request();
  void await(Awaited awaited);
  Next answer();
  Next call(const Route& route);
  void begin_handling();
  void call_upgrade(const Route& route);
  void spawn(Task<> handling);
  void on_handled(const std::exception_ptr& failure);
  void write_refusal(int status, std::string_view what);
  void refuse_and_close(int status, std::string_view what);
  void finish_answer();
  void tell_client();
  void observe(int status, std::size_t body_bytes_out);
  bool flush();
  bool flush_with_the_turn();
  std::size_t send_some(std::string_view text);
  void keep_unsent(std::string text, std::size_t sent);
  void write_on();
  void go_on_or_end();
  void drain();
  void drain_on();
  void on_deadline();
  Socket hand_over_socket();
  void close();

  ServerLoop& loop_;
  Descriptor socket_;
  std::optional<ConnectionLimits::Ticket> ticket_;
  std::string peer_;       // who connected
  base::Address address_;  // the same
  std::string client_;     // of whom a trusted proxy speaks, while its request is handled
  std::unique_ptr<Exchange> exchange_;
  std::unique_ptr<Handshake> handshake_;
  std::string unsent_;
  std::size_t sent_of_unsent_ = 0;
  std::chrono::steady_clock::time_point began_;
  const Route* route_ = nullptr;
  Phase phase_ = Phase::waiting;
  Awaited awaited_ = Awaited::nothing;
  bool readable_ = false;          // there may be something to read
  bool ended_ = false;             // the peer says no more: to be read up to its end
  bool closing_ = false;           // after what is unsent
  bool drains_ = false;            // ... with a look at what still comes in
  bool told_to_continue_ = false;  // RFC 9110 10.1.1, once per request
  std::size_t drained_bytes_ = 0;
  TimerWheel::Deadline deadline_;
};

}  // namespace stagedoor::http
