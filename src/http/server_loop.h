// What the connections of one loop share: pools, the date, request ids, who is connected.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/intrusive/list.hpp>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/connection_limits.h"
#include "http/input_buffer.h"
#include "http/listener.h"
#include "http/loop.h"
#include "http/readiness.h"
#include "http/request_reader.h"
#include "http/response.h"
#include "http/router.h"

namespace stagedoor::http {

using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;
using Acceptor = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, Executor>;

// What all loops share. Read-only but for `limits`, which is thread-safe.
struct Server {
  Options options;
  const Router& router;
  RequestObserver observer;
  ConnectionLimits limits;
};

// One request being read and its answer being made.
struct Exchange {
  explicit Exchange(const Options& options)
      : reader(
            {.head_bytes_max = options.head_bytes_max, .body_bytes_max = options.body_bytes_max}) {}

  InputBuffer input;
  RequestReader reader;
  Response response;
  std::array<char, 24> id;
};

// Something open that can be told to go.
class Guest : public boost::intrusive::list_base_hook<
                  boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  Guest() = default;
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;
  virtual ~Guest() = default;

  // Goes if nothing is asked of it at the moment.
  virtual void leave_if_idle() = 0;
  // Goes at once: its socket is closed, and whoever waits for it gets an error.
  virtual void drop() = 0;
};

class ServerLoop {
 public:
  explicit ServerLoop(Server& server);
  ~ServerLoop();

  Server& server() { return server_; }
  Loop& loop() { return loop_; }

  std::unique_ptr<Exchange> take_exchange();
  void give_back(std::unique_ptr<Exchange> exchange);

  // The Date field's value now; valid until the next call.
  std::string_view date();
  // An id that no other request has.
  void write_id(std::array<char, 24>& id);

  Readiness& readiness() { return readiness_; }
  Outbox& outbox() { return readiness_.outbox(); }

  enum class Kind { connection, websocket };
  void enter(Guest& guest, Kind kind);
  void left(Kind kind);
  std::size_t connections() const { return connections_.load(std::memory_order_relaxed); }
  std::size_t websockets() const { return websockets_.load(std::memory_order_relaxed); }

  // Graceful stop: closes what is idle; ends the loop when everybody has left, or drops who is
  // left after `grace`.
  void begin_stop(std::chrono::milliseconds grace);
  bool is_stopping() const { return stopping_; }

 private:
  using Guests = boost::intrusive::list<Guest, boost::intrusive::constant_time_size<false>>;

  void drop_all();
  void end_if_empty();
  void on_grace_over();

  Server& server_;
  std::vector<std::unique_ptr<Exchange>> exchanges_;
  std::time_t date_second_ = -1;
  std::array<char, 29> date_{};
  std::array<char, 12> id_prefix_{};
  std::uint64_t id_count_ = 0;
  Guests guests_;
  std::atomic<std::size_t> connections_ = 0, websockets_ = 0;
  bool stopping_ = false, dropped_ = false;
  Loop loop_;  // after all that its connections touch when it ends
  Readiness readiness_{loop_};
  TimerWheel::Deadline grace_{loop_.wheel(), [this] { on_grace_over(); }};
};

}  // namespace stagedoor::http
