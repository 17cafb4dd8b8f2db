// What a face does besides speaking: it blinks, looks about, nods and lifts its brows, every 40 ms.
//
// All of it comes from the seed, and brows and nods follow the stress of the speech too. Movements
// are small (head within 0.12 rad, eyes within 0.15 rad either way) and smooth, but for the eyes,
// which jump as eyes do. Pure but for its state; not safe for concurrent use.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <cstdint>

#include "stage/face.h"

namespace stagedoor::stage {

class IdleLife {
 public:
  explicit IdleLife(std::uint64_t seed);

  // The next face, in which this writes eyes, brows, head and gaze. `stress` is 0..1.
  void write(float stress, Face& face);

 private:
  // A value that drifts to ever new places, as a weight on a spring does.
  struct Drift {
    float reach, stiffness;
    float place = 0, speed = 0, goal = 0;
    int wait = 0;  // faces
  };

  double chance();
  float between(float low, float high);
  void drift(Drift& part, float goal_reach, int wait_low, int wait_high, float pull);
  float blink();
  void look(Face& face);
  void lift_brows(float stress, Face& face);

  std::uint64_t state_;
  int next_blink_, blink_face_ = -1;
  float blink_depth_ = 1;
  Drift pitch_, yaw_, roll_, brows_;
  int next_glance_;
  float glance_pitch_ = 0, glance_yaw_ = 0, eye_pitch_ = 0, eye_yaw_ = 0;
  float brow_gain_ = 0.5F, brow_ = 0, nod_ = 0;
  bool stressed_ = false;
};

}  // namespace stagedoor::stage
