// SCTP over datagrams that somebody else carries (RFC 9260, RFC 8261): usrsctp, tamed.
//
// usrsctp is one per process, and calls back from whatever thread runs its timers. Here every call
// into it, and so every call back, is made under one mutex; a call back only puts packets and
// messages into the bounded queues of the association that it names by number, and the loop that
// owns the association empties them after its own calls and at its ticks. So an association is
// used by one thread, several loops may have associations, and nothing calls into freed memory:
// a number that is gone is not found. The mutex is held for one packet or one message; what comes
// of another loop's timers waits at most for the owner's next tick.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "media/endpoint.h"

struct socket;

namespace stagedoor::media {

class SctpAssociation;

// The libraries that are started once for the whole process (usrsctp, libsrtp). Make one before
// anything else of this layer and let it outlive everything else; a second one at the same time is
// a mistake. Safe for concurrent use.
class Stack {
 public:
  Stack();
  ~Stack();
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;

  // Runs the timers of all associations. Every loop calls it at its ticks; the time counts once.
  void run_timers(Moment now);

  std::size_t associations() const;

 private:
  friend class SctpAssociation;
  friend struct SctpCallbacks;

  mutable std::mutex mutex_;
  std::unordered_map<std::uintptr_t, SctpAssociation*> by_number_;  // under mutex_
  std::uintptr_t last_number_ = 0;                                  // under mutex_
  Moment timers_ran_{};                                             // under mutex_
};

struct SctpMessage {
  std::uint16_t stream = 0;
  std::uint32_t payload_kind = 0;  // the PPID, host order
  std::vector<std::uint8_t> bytes;
  bool is_too_long = false;  // more than the limit came: bytes is empty
};

// What an association tells its owner, from within the owner's own calls only.
class SctpListener {
 public:
  virtual ~SctpListener() = default;
  virtual void on_sctp_packet(Bytes packet) = 0;  // to be carried to the other end
  virtual void on_sctp_message(const SctpMessage& message) = 0;
  virtual void on_sctp_stream_closed(std::uint16_t stream) = 0;  // by the other end (RFC 6525)
  virtual void on_sctp_lost() = 0;  // aborted, or given up after retransmissions
};

// One association, open from the start: both ends send INIT (RFC 8831 6.2). Memory: at most
// `send_buffer_bytes` of messages not yet acknowledged, 128 KiB received out of order, one message
// of `message_bytes_max` being put together, 64 packets waiting to be carried (more are lost as if
// on the way, and sent again).
class SctpAssociation {
 public:
  struct Options {
    std::uint16_t port = 5000;  // at the other end
    std::size_t message_bytes_max = 65536;
    int send_buffer_bytes = 256 * 1024;  // of messages not yet acknowledged
  };

  // Sends the INIT from within its first `on_tick`.
  static base::Result<std::unique_ptr<SctpAssociation>> open(Stack& stack, SctpListener& listener,
                                                             Options options);
  ~SctpAssociation();
  SctpAssociation(const SctpAssociation&) = delete;
  SctpAssociation& operator=(const SctpAssociation&) = delete;

  void on_packet(Bytes packet);
  void on_tick(Moment now);

  // Reliable and in order. `unavailable`: the other end has not taken what was sent before, or the
  // association is not up; then nothing was sent.
  base::Result<base::Done> send(std::uint16_t stream, std::uint32_t payload_kind, Bytes message);

  // Closes the stream in our direction (RFC 8831 6.7).
  void close_stream(std::uint16_t stream);

 private:
  friend class Stack;
  friend struct SctpCallbacks;

  SctpAssociation(Stack& stack, SctpListener& listener, Options options);
  base::Result<base::Done> start();
  void stop();
  void drain();

  Stack& stack_;
  SctpListener& listener_;
  Options options_;
  std::uintptr_t number_ = 0;
  struct ::socket* socket_ = nullptr;

  // Under stack_.mutex_: filled by calls back.
  std::vector<std::vector<std::uint8_t>> packets_;
  std::vector<SctpMessage> messages_;
  std::vector<std::uint16_t> closed_streams_;
  SctpMessage partial_;
  bool partial_open_ = false;
  bool is_up_ = false, lost_ = false;

  bool told_lost_ = false, draining_ = false;
};

}  // namespace stagedoor::media
