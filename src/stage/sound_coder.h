// Speech to Opus packets and back (RFC 6716), one packet after the other, as RTP carries them
// (RFC 7587).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"

namespace stagedoor::stage {

// RFC 7587 4.1: the RTP clock of Opus runs at 48 kHz whatever the sound's rate is.
inline constexpr int opus_clock_hz = 48'000;
inline constexpr std::size_t packet_samples = 960;  // 20 ms at 48 kHz

// One stream of sound going out. Not safe for concurrent use, but each call may come from another
// thread.
class SoundEncoder {
 public:
  virtual ~SoundEncoder() = default;

  // The next 20 ms of mono at 48 kHz as one packet, valid until the next call. Each packet also
  // holds the one before it, coarsely, so that a single loss can be made good. Empty: the encoder
  // failed; the stream goes on with the next 20 ms.
  virtual std::span<const std::uint8_t> packet(
      std::span<const std::int16_t, packet_samples> samples) = 0;

  // The share of packets that get lost on the way, 0 to 1, as the receiver reports it: the more,
  // the more of the bits go into making losses good. 0.05 at first.
  virtual void set_loss(float share) = 0;
};

// One stream of sound coming in. Not safe for concurrent use, but each call may come from another
// thread.
class SoundDecoder {
 public:
  virtual ~SoundDecoder() = default;

  // Appends the sound of a packet, mixed down to mono. Before it comes, made up, that of the
  // packets missing since the last one by RTP sequence number, up to 200 ms; what was missing
  // longer ago is left out. A packet that is late or came before gives nothing, unless it is so
  // far off that the sender must have begun anew. `malformed`: this is no Opus packet; nothing was
  // appended, and the packet counts as missing.
  virtual base::Result<base::Done> push(std::uint16_t sequence,
                                        std::span<const std::uint8_t> packet,
                                        std::vector<std::int16_t>& out) = 0;
};

// Both are safe for concurrent use. `unavailable`: no memory for a coder.
using SoundEncoderFactory = std::function<base::Result<std::unique_ptr<SoundEncoder>>()>;
// The rate of the samples is 48,000, 24,000, 16,000, 12,000 or 8,000; `unsupported` for another.
using SoundDecoderFactory = std::function<base::Result<std::unique_ptr<SoundDecoder>>(int rate_hz)>;

}  // namespace stagedoor::stage
