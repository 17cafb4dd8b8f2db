// Motion from speech: one utterance's audio in, 25 faces a second out, as the audio comes.
//
//   samples --ear--> 24 bands every 10 ms --network--> how the mouth is held --mouth--+
//                                                            stress + seed --life--+--> face
//
// Rule motion-look-ahead: face i, which describes the moment i / 25 s, is given once the audio
// reaches 200 ms past that moment, at the latest; so the first is given after 200 ms of audio.
//
// Rule motion-frame-count: the faces of an utterance number floor(duration * 25), for any length.
//
// Rule motion-chunk-independent: faces are the same bit for bit however the audio is cut into
// calls of push(), and each utterance starts anew: nothing is learnt from another.
//
// Rule motion-hears-shapes: the mouth follows the spectrum, not the loudness: open, rounded,
// spread and closed sounds, hisses and teeth on the lip look different, and the same speech looks
// the same 30 dB softer.
//
// Rule motion-rest-in-silence: within 200 ms of the end of speech the jaw is shut and the lips are
// relaxed, and in silence they stay so.
//
// Rule motion-seeded: the seed decides blinks, gaze, head and brows and nothing else, and the same
// seed decides the same.
//
// Every shape is within 0..1, head and eyes within 0.15 rad, for any samples whatever. One
// utterance costs under 64 KiB, however long, and on one core a small part of real time.
//
// Used by:  the Motion Server (spatius/) and whoever shows a face
// Made of:  stage/lip_motion.h (stage/ear.h, stage/mouth_network.h, stage/mouth.h) and
//           stage/idle_life.h
// Why:      docs/decisions/0003-motion-from-speech.md
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "stage/face.h"
#include "stage/lip_motion.h"

namespace stagedoor::stage {

// One utterance. Not safe for concurrent use; moves, does not copy.
class Motion {
 public:
  // `rate_hz` is any rate from 8000 to 48000; one outside is taken as the nearer of the two.
  Motion(int rate_hz, std::uint64_t seed);
  Motion(Motion&&) noexcept;
  Motion& operator=(Motion&&) noexcept;
  ~Motion();

  // Takes mono samples (-1..1 as int16), any number of them, and appends to `out` the faces that
  // they complete. After finish() it does nothing.
  void push(std::span<const std::int16_t> samples, std::vector<Face>& out);

  // Ends the utterance: appends the rest of its faces, as if silence followed. A second call
  // appends nothing.
  void finish(std::vector<Face>& out);

  // Faces given so far.
  std::size_t frames() const;

  // Memory that this utterance holds.
  std::size_t held_bytes() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace stagedoor::stage
