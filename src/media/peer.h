// One browser at the other end of a WebRTC connection: pictures and sound to it, sound and
// messages from it.
//
//   answer ──STUN, DTLS──▶ connected ──hang-up, silence, failure──▶ lost
//      ▲                      │
//      └───── re-offer ───────┘
//
// A peer has no socket: datagrams reach it through a Switchboard (media/switchboard.h) and leave
// through its Outlet. We are ICE-lite and passive (RFC 8445 2.5, RFC 8842): we answer checks and
// never make any.
//
// Rule media-to-proven-addresses: we send only to addresses from which a Binding request came with
// this session's password over it. So nobody can have our pictures thrown at somebody else, and
// candidates that a client merely names mean nothing.
//
// A second offer: one with the same ICE user keeps ours; with another (ICE restart, RFC 8445 2.4)
// it gets new ones and keeps keys, channels and numbering, and the old user is answered until the
// new one has nominated an address; with another certificate it is another client in the same
// place, and keys and channels begin anew.
//
// Memory is bounded: 384 KiB of sent pictures for those that get lost, 8 addresses, 8 streams
// heard, and what SctpAssociation and DtlsSession state. Sending and receiving media allocates
// nothing of ours (libsrtp's cipher library makes a context for each packet).
//
// Used from one loop, by one thread.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <ratio>
#include <string>
#include <string_view>

#include "base/result.h"
#include "media/endpoint.h"

namespace stagedoor::media {

// Time within the performance, in samples of 48 kHz. The same time on a picture and on a sound
// means that they belong together; the receiver plays them so (RFC 3550 6.4.1).
using SampleTime = std::chrono::duration<std::int64_t, std::ratio<1, 48000>>;

enum class LostReason {
  handshake_failed,  // DTLS refused, for one because the certificate is not the offer's
  hung_up,           // the other end closed its DTLS session
  silent,  // no Binding request for `silence_max` since the last offer, or no offer in time
};
std::string_view word_of(LostReason reason);  // "handshake_failed"

// A stream of an SCTP association that carries a data channel (RFC 8831).
using ChannelId = std::uint16_t;
enum class MessageKind { text, binary };

// One packet of sound from the other end. `opus` is valid during the call only.
struct SoundPacket {
  Bytes opus;
  std::uint32_t timestamp;        // 48 kHz, from a random start
  std::uint16_t sequence_number;  // gaps are packets lost or late; duplicates are not told
};

// What a peer tells. Calls come from within calls to the peer, its switchboard or its port, on
// the loop; a listener may do anything in them, also give up the peer's handle.
class PeerListener {
 public:
  virtual ~PeerListener() = default;

  // The keys are there: what is sent now arrives. Again after a re-offer with another certificate.
  virtual void on_connected() = 0;
  // `handshake_within` has passed since the answer. The peer answers nothing more, so that the
  // client restarts ICE; the next offer with a new ICE user makes it hear again.
  virtual void on_handshake_late() {}
  // The next picture should be a key frame. At most every 300 ms.
  virtual void on_key_frame_wanted() = 0;
  virtual void on_sound(const SoundPacket& sound) = 0;
  virtual void on_channel_open(ChannelId channel, std::string_view label) = 0;
  // Valid during the call only.
  virtual void on_message(ChannelId channel, MessageKind kind, std::string_view message) = 0;
  // A message longer than `message_bytes_max` came, and was dropped.
  virtual void on_message_refused(ChannelId) {}
  virtual void on_channel_closed(ChannelId) {}
  // The last call. The peer is silent from here on.
  virtual void on_lost(LostReason reason) = 0;
};

struct PeerOptions {
  std::chrono::milliseconds handshake_within{5000};
  std::chrono::milliseconds offer_within{30000};
  std::chrono::milliseconds silence_max{15000};
  std::size_t message_bytes_max = 65536;  // in; out it is what the offer says, at most 65536
  std::string stream_name = "avatar";     // the MediaStream's id and the cname; a token
};

// What the receiver says of the way to it, for who adapts bit rate or frames to it.
struct PathReport {
  std::uint64_t reports = 0;      // how many have come: a new number is a new report
  Moment at{};                    // when the last came
  double fraction_lost = 0;       // of the video packets since the report before, 0..1
  std::int64_t packets_lost = 0;  // of the video since the start; duplicates count against it
  std::chrono::milliseconds jitter{0};
  std::optional<std::chrono::milliseconds> round_trip;
};

struct PeerCounts {
  std::uint64_t pictures_sent = 0, picture_packets_sent = 0, picture_packets_resent = 0;
  std::uint64_t sound_packets_sent = 0, sound_packets_received = 0;
  std::uint64_t bytes_sent = 0, bytes_received = 0;
  std::uint64_t dropped = 0;  // datagrams from it that were not genuine, or not ours to read
};

class Peer {
 public:
  virtual ~Peer() = default;

  // Answers an offer, the first or a later one. `malformed` or `unsupported`, with what to change
  // as its hint: not an offer that we can play; then everything is as before.
  virtual base::Result<std::string> answer(std::string_view offer_sdp) = 0;

  // One VP8 frame. `unavailable`: not connected, or longer than 256 KiB; then nothing was sent.
  // A long one is sent in parts over the next ticks.
  virtual base::Result<base::Done> send_picture(Bytes vp8_frame, SampleTime at) = 0;
  // One Opus packet. `unavailable`: not connected, no audio in the offer, or longer than 1140
  // bytes.
  virtual base::Result<base::Done> send_sound(Bytes opus_packet, SampleTime at) = 0;
  // `malformed`: longer than the other end takes. `unavailable`: no such channel, or it has not
  // taken what was sent before (256 KiB). Nothing was sent then.
  virtual base::Result<base::Done> send_message(ChannelId channel, std::string_view text) = 0;

  // Says goodbye and is silent from here on; the listener is not called again. Giving up the
  // handle does the same.
  virtual void close() = 0;

  virtual bool is_connected() const = 0;
  // How long ago the other end last proved that it is there.
  virtual std::chrono::milliseconds silence() const = 0;
  virtual const PathReport& path() const = 0;
  virtual const PeerCounts& counts() const = 0;
};

// Owns a peer. Giving it up is safe at any time on the peer's loop, also from within its calls.
struct RetirePeer {
  void operator()(Peer* peer) const;
};
using PeerHandle = std::unique_ptr<Peer, RetirePeer>;

}  // namespace stagedoor::media
