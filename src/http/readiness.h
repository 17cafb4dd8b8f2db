// Which of many plain sockets can be read, told by an epoll of our own that the loop waits for.
//
// A library's socket is read once in vain after each request, before it waits, and takes an
// operation's round through queues for each. Here a socket is told of once, when something new has
// come (edge-triggered, epoll(7)): who has read less than there was room for knows that nothing is
// left. All who are ready have one turn, and what they answer leaves together at its end.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <sys/epoll.h>

#include <array>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "http/loop.h"

namespace stagedoor::http {

// Whoever has a socket here. Kept alive while it is added, and while it has its turn.
class ReadySocket : public boost::intrusive_ref_counter<ReadySocket, boost::thread_unsafe_counter> {
 public:
  ReadySocket() = default;
  ReadySocket(const ReadySocket&) = delete;
  ReadySocket& operator=(const ReadySocket&) = delete;
  virtual ~ReadySocket() = default;

  // `events` of epoll_ctl(2). Does not throw.
  virtual void on_ready(std::uint32_t events) noexcept = 0;
  // The turn ends, and this is what it put into the outbox. Does not throw.
  virtual void send_held(std::string_view answers) noexcept = 0;
};

// Answers on their way out: what the socket whose turn it is has said so far, behind what those
// before it in the same turn have said and left to be sent at its end. Sent one after another they
// wake a peer's process once, where each at its own time would wake it each time: a fifth of the
// CPU time of a busy loop.
class Outbox {
 public:
  // Where the socket whose turn it is appends.
  std::string& text() { return text_; }
  std::string_view own() const { return std::string_view(text_).substr(own_begin_); }
  void drop_own() { text_.resize(own_begin_); }
  // What is its own, without a copy where nothing stands before it; nothing is left of it.
  std::string take_own();

  // Whether a turn is under way at whose end `send_held` will come.
  bool holds() const { return holds_; }
  void hold_own(ReadySocket& socket);

 private:
  friend class Readiness;
  struct Held {
    boost::intrusive_ptr<ReadySocket> socket;
    std::size_t end;  // in text_
  };

  void send_all();

  std::string text_;
  std::size_t own_begin_ = 0;
  std::vector<Held> held_;
  bool holds_ = false;
};

// Used from its own loop only.
class Readiness {
 public:
  explicit Readiness(Loop& loop);
  ~Readiness();
  Readiness(const Readiness&) = delete;
  Readiness& operator=(const Readiness&) = delete;

  // False: the system has no room for another.
  [[nodiscard]] bool add(int number, ReadySocket& socket);
  // From now on it hears nothing, not even of the turn that is under way.
  void remove(int number, ReadySocket& socket);
  // To be told again of what it has left unread.
  void again(int number, ReadySocket& socket);
  // To be told also when there is room to write, from now on.
  void also_writable(int number, ReadySocket& socket);

  Outbox& outbox() { return outbox_; }

 private:
  void wait();
  void have_turns();
  void have_turn();

  boost::asio::posix::basic_stream_descriptor<Executor> poll_;
  std::array<epoll_event, 64> events_;
  std::size_t event_count_ = 0;
  Outbox outbox_;
};

}  // namespace stagedoor::http
