// From what is heard to how the mouth stands: the lower half of the face, every 10 ms.
//
// Each way of holding the mouth has its place of jaw and lips, and a frame takes them by their
// chances. Jaw and lip forms flow into their neighbours, 30 ms to either side, and none moves
// faster than a mouth can; lips that meet (m b p) and teeth on the lip (f v) keep their place
// against the flow, as they do when we speak. Looks ahead 30 ms. State is of one utterance. Not
// safe for concurrent use.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <cstddef>

#include "stage/face.h"
#include "stage/mouth_network.h"

namespace stagedoor::stage {

// How far each movement of the mouth has gone, 0..1.
struct Pose {
  float jaw = 0, pucker = 0, funnel = 0, stretch = 0, smile = 0, lower_down = 0, upper_up = 0,
        tongue = 0;
  float closed = 0, bite = 0;  // Lips pressed together; lower lip under the teeth.
};

class Mouth {
 public:
  static constexpr std::size_t ahead = 3;  // frames

  // Takes frame k; returns whether frame k - ahead now stands.
  bool push(const Heard& heard);

  // The frame that the last push completed. Writes only the mouth's and the jaw's shapes.
  void write(Face& face) const;

  // 0..1: how much the frame that the last push completed stands out of the speech around it.
  float stress() const { return stress_; }

 private:
  static constexpr std::size_t kept = 8;

  void move(const Pose& wanted);

  std::array<Pose, kept> wanted_{};
  std::array<float, kept> sounding_{};
  std::size_t pushed_ = 0;
  Pose pose_;
  float jaw_ = 0;  // The pose's jaw, less what lips that meet take back.
  float stress_ = 0, fast_ = 0, slow_ = 0;
};

}  // namespace stagedoor::stage
