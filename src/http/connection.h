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
// between requests: what reading and answering need comes from the loop's pool. One call at a time,
// on its loop; it lives as long as something is under way for it.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string>

#include "http/server_loop.h"
#include "http/upgrade.h"

namespace stagedoor::http {

class Connection final
    : public Guest,
      public boost::intrusive_ref_counter<Connection, boost::thread_unsafe_counter> {
 public:
  using Pointer = boost::intrusive_ptr<Connection>;

  Connection(ServerLoop& loop, Socket socket, ConnectionLimits::Ticket ticket, std::string peer);
  ~Connection() override;

  void start();
  void leave_if_idle() override;
  void drop() override;

 private:
  class Handshake;
  enum class Phase { waiting, handling, writing, draining, upgraded, closed };
  enum class Awaited { nothing, request, rest_of_head, rest_of_body };
  enum class Next { go_on, wait };

  template <class Turn>
  void guarded(Turn turn);
  void wait_readable();
  void on_readable(const boost::system::error_code& error, std::size_t bytes);
  void take_exchange();
  void take_first_bytes(std::size_t bytes);
  bool receive();
  void go_on();
  void serve();
  Next need_more();
  Next ask_for_body();
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
  void wait_writable();
  void on_writable(const boost::system::error_code& error);
  void go_on_or_end();
  void drain();
  void on_drainable(const boost::system::error_code& error);
  void on_deadline();
  void close();

  ServerLoop& loop_;
  Socket socket_;
  std::optional<ConnectionLimits::Ticket> ticket_;
  std::string peer_;       // who connected
  base::Address address_;  // the same
  std::string client_;     // of whom a trusted proxy speaks, while its request is handled
  std::array<char, 1024> first_bytes_;  // what is read while there is no exchange
  std::unique_ptr<Exchange> exchange_;
  std::unique_ptr<Handshake> handshake_;
  std::string unsent_;
  std::size_t sent_of_unsent_ = 0;
  std::chrono::steady_clock::time_point began_;
  const Route* route_ = nullptr;
  Phase phase_ = Phase::waiting;
  Awaited awaited_ = Awaited::nothing;
  bool closing_ = false;           // after what is unsent
  bool drains_ = false;            // ... with a look at what still comes in
  bool told_to_continue_ = false;  // RFC 9110 10.1.1, once per request
  std::size_t drained_bytes_ = 0;
  TimerWheel::Deadline deadline_;
};

}  // namespace stagedoor::http
