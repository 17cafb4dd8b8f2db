// SPDX-License-Identifier: Apache-2.0

#include "media/sctp.h"

#include <errno.h>
#include <srtp2/srtp.h>
#include <usrsctp.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cassert>
#include <cstdlib>
#include <utility>

#include "media/sctp_packet.h"

namespace stagedoor::media {

namespace {

constexpr std::size_t packets_waiting_max = 64;
// What usrsctp keeps of chunks that came out of order or are parts of a message.
constexpr std::uint32_t chunks_waiting_max = 512;
// One packet may fill the gap before all of those and bring chunks of its own, each of 20 bytes at
// least (RFC 9260 3.3.1): no message that was acknowledged is left out.
constexpr std::size_t packet_bytes_max = 2048;
constexpr std::size_t messages_waiting_max = chunks_waiting_max + packet_bytes_max / 20;
constexpr int receive_buffer_bytes = 128 * 1024;
constexpr std::uint16_t streams_max = 64;  // each way
constexpr std::uint32_t path_mtu = 1150;   // fits a DTLS record of 1200
constexpr std::uint32_t timer_grain_ms = 10;

// For usrsctp's calls back, which carry nothing but a number.
std::atomic<Stack*> the_stack = nullptr;

sockaddr_conn address_of(std::uintptr_t number, std::uint16_t port) {
  sockaddr_conn address{};
  address.sconn_family = AF_CONN;
  address.sconn_port = htons(port);
  address.sconn_addr = reinterpret_cast<void*>(number);
  return address;
}

}  // namespace

// All of these run under the stack's mutex, which every call into usrsctp is made under.
struct SctpCallbacks {
  static SctpAssociation* find(void* number) {
    const auto& by_number = the_stack.load()->by_number_;
    const auto at = by_number.find(reinterpret_cast<std::uintptr_t>(number));
    return at == by_number.end() ? nullptr : at->second;
  }

  static int on_packet(void* number, void* bytes, std::size_t length, std::uint8_t, std::uint8_t) {
    auto* const association = find(number);
    if (!association || association->packets_.size() == packets_waiting_max) return 0;
    const auto* const begin = static_cast<const std::uint8_t*>(bytes);
    association->packets_.emplace_back(begin, begin + length);
    return 0;
  }

  static int on_data(struct ::socket*, sctp_sockstore, void* bytes, std::size_t length,
                     sctp_rcvinfo info, int flags, void* number) {
    if (!bytes) return 1;
    if (auto* const association = find(number)) {
      const Bytes data(static_cast<const std::uint8_t*>(bytes), length);
      if (flags & MSG_NOTIFICATION)
        on_notification(*association, data);
      else
        on_part(*association, data, info, (flags & MSG_EOR) != 0);
    }
    std::free(bytes);
    return 1;
  }

  // Long messages come in parts; those of one come together, as interleaving is off.
  static void on_part(SctpAssociation& association, Bytes part, const sctp_rcvinfo& info,
                      bool is_last) {
    auto& message = association.partial_;
    if (!std::exchange(association.partial_open_, true)) {
      message = SctpMessage();
      message.stream = info.rcv_sid;
      message.payload_kind = ntohl(info.rcv_ppid);
    }
    if (message.bytes.size() + part.size() > association.options_.message_bytes_max) {
      message.is_too_long = true;
      message.bytes = {};
    }
    if (!message.is_too_long) message.bytes.insert(message.bytes.end(), part.begin(), part.end());
    if (!is_last) return;
    association.partial_open_ = false;
    // Beyond what can be: rather no association than one that loses what it has acknowledged.
    if (association.messages_.size() == messages_waiting_max) association.lost_ = true;
    if (!association.lost_) association.messages_.push_back(std::move(message));
    message = SctpMessage();
  }

  static void on_notification(SctpAssociation& association, Bytes bytes) {
    sctp_notification notification{};
    std::copy_n(bytes.begin(), std::min(bytes.size(), sizeof notification),
                reinterpret_cast<std::uint8_t*>(&notification));
    const auto kind = notification.sn_header.sn_type;
    if (kind == SCTP_ASSOC_CHANGE) {
      const auto state = notification.sn_assoc_change.sac_state;
      if (state == SCTP_COMM_UP) association.is_up_ = true;
      if (state == SCTP_COMM_LOST || state == SCTP_SHUTDOWN_COMP || state == SCTP_CANT_STR_ASSOC)
        association.lost_ = true;
    }
    if (kind == SCTP_PARTIAL_DELIVERY_EVENT) association.partial_open_ = false;
    if (kind == SCTP_STREAM_RESET_EVENT) on_reset(association, bytes);
  }

  static void on_reset(SctpAssociation& association, Bytes bytes) {
    sctp_stream_reset_event event{};
    if (bytes.size() < sizeof event) return;
    std::copy_n(bytes.begin(), sizeof event, reinterpret_cast<std::uint8_t*>(&event));
    if (!(event.strreset_flags & SCTP_STREAM_RESET_INCOMING_SSN)) return;
    // The streams follow; none means all.
    for (auto rest = bytes.subspan(sizeof event);
         rest.size() >= 2 && association.closed_streams_.size() < streams_max;
         rest = rest.subspan(2)) {
      std::uint16_t stream;
      std::copy_n(rest.begin(), 2, reinterpret_cast<std::uint8_t*>(&stream));
      association.closed_streams_.push_back(stream);
    }
  }
};

Stack::Stack() {
  Stack* none = nullptr;
  const bool is_only = the_stack.compare_exchange_strong(none, this);
  assert(is_only && "one stack per process");
  if (!is_only) std::abort();
  srtp_init();
  usrsctp_init_nothreads(0, SctpCallbacks::on_packet, nullptr);
  usrsctp_sysctl_set_sctp_ecn_enable(0);
  usrsctp_sysctl_set_sctp_pr_enable(1);
  usrsctp_sysctl_set_sctp_auth_enable(0);
  usrsctp_sysctl_set_sctp_asconf_enable(0);
  usrsctp_sysctl_set_sctp_max_chunks_on_queue(chunks_waiting_max);
  usrsctp_sysctl_set_sctp_nr_outgoing_streams_default(streams_max);
}

Stack::~Stack() {
  // Fails while something is left, which the order of destruction excludes.
  usrsctp_finish();
  srtp_shutdown();
  the_stack = nullptr;
}

void Stack::run_timers(Moment now) {
  const std::lock_guard lock(mutex_);
  if (timers_ran_ == Moment{}) timers_ran_ = now;
  const auto elapsed =
      std::chrono::duration_cast<std::chrono::milliseconds>(now - timers_ran_).count();
  if (elapsed < timer_grain_ms) return;
  timers_ran_ += std::chrono::milliseconds(elapsed);
  usrsctp_handle_timers(static_cast<std::uint32_t>(std::min<std::int64_t>(elapsed, 60'000)));
}

std::size_t Stack::associations() const {
  const std::lock_guard lock(mutex_);
  return by_number_.size();
}

SctpAssociation::SctpAssociation(Stack& stack, SctpListener& listener, Options options)
    : stack_(stack), listener_(listener), options_(options) {}

base::Result<std::unique_ptr<SctpAssociation>> SctpAssociation::open(Stack& stack,
                                                                     SctpListener& listener,
                                                                     Options options) {
  std::unique_ptr<SctpAssociation> association(new SctpAssociation(stack, listener, options));
  const std::lock_guard lock(stack.mutex_);
  if (const auto started = association->start(); !started) {
    association->stop();
    return std::unexpected(started.error());
  }
  return association;
}

namespace {

template <class Value>
bool set(struct ::socket* socket, int level, int option, const Value& value) {
  return usrsctp_setsockopt(socket, level, option, &value, sizeof value) == 0;
}

bool set_up(struct ::socket* socket, int send_buffer_bytes) {
  linger no_linger{.l_onoff = 1, .l_linger = 0};
  sctp_initmsg streams{};
  streams.sinit_num_ostreams = streams_max;
  streams.sinit_max_instreams = streams_max;
  sctp_assoc_value reset{.assoc_id = SCTP_ALL_ASSOC, .assoc_value = SCTP_ENABLE_RESET_STREAM_REQ};
  sctp_paddrparams path{};
  path.spp_flags = SPP_PMTUD_DISABLE;
  path.spp_pathmtu = path_mtu;
  bool is_set = usrsctp_set_non_blocking(socket, 1) == 0 &&
                set(socket, SOL_SOCKET, SO_LINGER, no_linger) &&
                set(socket, SOL_SOCKET, SO_SNDBUF, send_buffer_bytes) &&
                set(socket, SOL_SOCKET, SO_RCVBUF, receive_buffer_bytes) &&
                set(socket, IPPROTO_SCTP, SCTP_NODELAY, 1) &&
                set(socket, IPPROTO_SCTP, SCTP_INITMSG, streams) &&
                set(socket, IPPROTO_SCTP, SCTP_ENABLE_STREAM_RESET, reset) &&
                set(socket, IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS, path);
  for (const int kind : {SCTP_ASSOC_CHANGE, SCTP_STREAM_RESET_EVENT, SCTP_PARTIAL_DELIVERY_EVENT}) {
    sctp_event event{};
    event.se_assoc_id = SCTP_ALL_ASSOC;
    event.se_type = static_cast<std::uint16_t>(kind);
    event.se_on = 1;
    is_set = is_set && set(socket, IPPROTO_SCTP, SCTP_EVENT, event);
  }
  return is_set;
}

}  // namespace

base::Result<base::Done> SctpAssociation::start() {
  const auto trouble = [](const char* what) {
    return base::fail(base::ErrorCode::unavailable, std::string("sctp: ") + what);
  };
  number_ = ++stack_.last_number_;
  stack_.by_number_[number_] = this;
  auto* const name = reinterpret_cast<void*>(number_);
  usrsctp_register_address(name);
  socket_ =
      usrsctp_socket(AF_CONN, SOCK_STREAM, IPPROTO_SCTP, SctpCallbacks::on_data, nullptr, 0, name);
  if (!socket_ || !set_up(socket_, options_.send_buffer_bytes)) return trouble("no socket");
  // RFC 8831 6.2: the port is the same at both ends in every offer that browsers make, but the two
  // are said apart.
  auto ours = address_of(number_, 5000);
  if (usrsctp_bind(socket_, reinterpret_cast<sockaddr*>(&ours), sizeof ours) != 0)
    return trouble("no port");
  auto theirs = address_of(number_, options_.port);
  if (usrsctp_connect(socket_, reinterpret_cast<sockaddr*>(&theirs), sizeof theirs) != 0 &&
      errno != EINPROGRESS)
    return trouble("no connection");
  return base::Done{};
}

// Under the mutex. Sends an ABORT, as lingering is off.
void SctpAssociation::stop() {
  if (socket_) {
    usrsctp_set_ulpinfo(socket_, nullptr);
    usrsctp_close(socket_);
    socket_ = nullptr;
  }
  if (number_ != 0) {
    usrsctp_deregister_address(reinterpret_cast<void*>(number_));
    stack_.by_number_.erase(number_);
    number_ = 0;
  }
}

SctpAssociation::~SctpAssociation() {
  const std::lock_guard lock(stack_.mutex_);
  stop();
}

void SctpAssociation::on_packet(Bytes packet) {
  if (!has_sound_lengths(packet)) return;
  {
    const std::lock_guard lock(stack_.mutex_);
    if (lost_) return;
    usrsctp_conninput(reinterpret_cast<void*>(number_), packet.data(), packet.size(), 0);
  }
  drain();
}

void SctpAssociation::on_tick(Moment now) {
  stack_.run_timers(now);
  drain();
}

base::Result<base::Done> SctpAssociation::send(std::uint16_t stream, std::uint32_t payload_kind,
                                               Bytes message) {
  sctp_sendv_spa how{};
  how.sendv_flags = SCTP_SEND_SNDINFO_VALID;
  how.sendv_sndinfo.snd_sid = stream;
  how.sendv_sndinfo.snd_ppid = htonl(payload_kind);
  how.sendv_sndinfo.snd_flags = SCTP_EOR;
  bool is_sent = false;
  {
    const std::lock_guard lock(stack_.mutex_);
    is_sent = is_up_ && !lost_ &&
              usrsctp_sendv(socket_, message.data(), message.size(), nullptr, 0, &how, sizeof how,
                            SCTP_SENDV_SPA, 0) == static_cast<ssize_t>(message.size());
  }
  drain();
  if (!is_sent)
    return base::fail(base::ErrorCode::unavailable, "sctp: not up, or what was sent is not taken");
  return base::Done{};
}

void SctpAssociation::close_stream(std::uint16_t stream) {
  std::array<std::uint8_t, sizeof(sctp_reset_streams) + 2> bytes{};
  auto& reset = *reinterpret_cast<sctp_reset_streams*>(bytes.data());
  reset.srs_assoc_id = SCTP_ALL_ASSOC;
  reset.srs_flags = SCTP_STREAM_RESET_OUTGOING;
  reset.srs_number_streams = 1;
  reset.srs_stream_list[0] = stream;
  {
    const std::lock_guard lock(stack_.mutex_);
    if (!lost_)
      usrsctp_setsockopt(socket_, IPPROTO_SCTP, SCTP_RESET_STREAMS, bytes.data(), bytes.size());
  }
  drain();
}

// Tells what calls back have left. The listener may call us again meanwhile; that is told by the
// outer call.
void SctpAssociation::drain() {
  if (std::exchange(draining_, true)) return;
  for (;;) {
    std::vector<std::vector<std::uint8_t>> packets;
    std::vector<SctpMessage> messages;
    std::vector<std::uint16_t> closed;
    bool is_newly_lost = false;
    {
      const std::lock_guard lock(stack_.mutex_);
      packets.swap(packets_);
      messages.swap(messages_);
      closed.swap(closed_streams_);
      is_newly_lost = lost_ && !std::exchange(told_lost_, lost_);
    }
    if (packets.empty() && messages.empty() && closed.empty() && !is_newly_lost) break;
    for (const auto& packet : packets) listener_.on_sctp_packet(packet);
    for (const auto& message : messages) listener_.on_sctp_message(message);
    for (const auto stream : closed) listener_.on_sctp_stream_closed(stream);
    if (is_newly_lost) listener_.on_sctp_lost();
  }
  draining_ = false;
}

}  // namespace stagedoor::media
