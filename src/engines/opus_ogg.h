// Ogg Opus in: the bytes of one RFC 7845 stream, cut anywhere, to mono samples at the asked rate.
//
// Pre-skip, end trimming by the last granule position and the output gain are obeyed; stereo is
// mixed down. A stream has one logical bitstream of one or two channels (mapping family 0), its
// pages in order, none missing, and nothing behind its last page. A client may leave the
// end-of-stream flag out; then nothing is trimmed.
//
// Refuses with `malformed` and a hint fit for the caller: bytes that are no Ogg, a failed page
// checksum, a wrong magic, a lost page, a chained or multiplexed stream, a packet that Opus does
// not allow or that does not end. After a refusal the stream is over: each later call repeats it.
//
// Memory stays under 256 KiB whatever comes: at most a page and one unfinished packet are kept,
// comments (OpusTags) are passed over without being kept. The output is not bounded here: 800
// bytes of input can hold 30 s of sound, so a caller bounds the utterance between its calls of
// push, giving it no more than it is ready to take the sound of.
//
// Not safe for concurrent use; moves, does not copy.
// Why:  docs/decisions/0005-ogg-opus-by-libogg-and-libopus.md
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "stage/audio_input.h"

namespace stagedoor::engines {

class OpusOgg : public stage::AudioInput {
 public:
  // Refuses with `unsupported` a rate that is not one of stage::opus_rates_hz.
  static base::Result<OpusOgg> create(int rate_hz);

  OpusOgg(OpusOgg&&) noexcept;
  OpusOgg& operator=(OpusOgg&&) noexcept;
  ~OpusOgg() override;

  // Appends to `out` the samples of every page that `bytes` completes. What comes out does not
  // depend on how the stream is cut. After a refusal `out` holds the samples before the fault.
  base::Result<base::Done> push(std::span<const char> bytes,
                                std::vector<std::int16_t>& out) override;

  // Ends the stream; no bytes at all are a stream of no sound. Refuses a stream that stops inside
  // its headers, a page or a packet. Pages are decoded as they complete: nothing is held back.
  base::Result<base::Done> finish(std::vector<std::int16_t>& out) override;

 private:
  struct State;
  explicit OpusOgg(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace stagedoor::engines
