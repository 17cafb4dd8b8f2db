// SPDX-License-Identifier: Apache-2.0

#include "stage/mouth.h"

#include <algorithm>
#include <cmath>

namespace stagedoor::stage {
namespace {

// The movements that flow, and how far one may go in 10 ms.
struct Flow {
  float Pose::* movement;
  float step;
};
constexpr std::array flows = {
    Flow{&Pose::jaw, 0.075F},     Flow{&Pose::pucker, 0.07F}, Flow{&Pose::funnel, 0.07F},
    Flow{&Pose::stretch, 0.06F},  Flow{&Pose::smile, 0.04F},  Flow{&Pose::lower_down, 0.05F},
    Flow{&Pose::upper_up, 0.04F}, Flow{&Pose::tongue, 0.02F},
};
constexpr float jaw_step = 0.085F;
constexpr float closing_step = 0.34F, parting_step = 0.25F;

// jaw, pucker, funnel, stretch, smile, lower lip down, upper lip up, tongue. In Hold's order.
constexpr std::array<Pose, hold_count> poses = {{
    {},                                                // rest
    {},                                                // pressed
    {0.06F, 0, 0, 0.04F, 0, 0, 0.10F, 0},              // lip_on_teeth
    {0.14F, 0, 0, 0.06F, 0.02F, 0.16F, 0.06F, 0.10F},  // tongue_out
    {0.13F, 0, 0, 0.08F, 0.04F, 0.16F, 0.05F, 0},      // tongue_up
    {0.17F, 0, 0, 0.05F, 0.03F, 0.12F, 0.04F, 0},      // back
    {0.06F, 0, 0, 0.34F, 0.10F, 0.24F, 0.08F, 0},      // hiss
    {0.08F, 0.18F, 0.50F, 0, 0, 0.10F, 0.06F, 0},      // hush
    {0.17F, 0.18F, 0.26F, 0, 0, 0.06F, 0, 0},          // curled
    {0.64F, 0, 0, 0.05F, 0.05F, 0.26F, 0.10F, 0},      // wide_open
    {0.36F, 0, 0.03F, 0.04F, 0.03F, 0.14F, 0.05F, 0},  // neutral
    {0.40F, 0, 0, 0.20F, 0.12F, 0.20F, 0.08F, 0},      // half_spread
    {0.19F, 0, 0, 0.36F, 0.24F, 0.14F, 0.06F, 0},      // spread
    {0.46F, 0.26F, 0.40F, 0, 0, 0.10F, 0, 0},          // half_round
    {0.13F, 0.72F, 0.30F, 0, 0, 0, 0, 0},              // round
}};

// A share of `value` between `low` and `high`, 0..1.
float rise(float value, float low, float high) {
  return std::clamp((value - low) / (high - low), 0.0F, 1.0F);
}

Pose wanted_by(const Heard& heard) {
  Pose wanted;
  for (std::size_t i = 0; i < hold_count; ++i) {
    for (const Flow& flow : flows) {
      wanted.*flow.movement += heard.chance[i] * (poses[i].*flow.movement);
    }
  }
  // Speech under its own level opens the mouth less.
  const float strength =
      std::clamp(1 + 0.012F * (heard.loudness_db - heard.level_db + 8), 0.75F, 1.12F);
  wanted.jaw *= strength;
  wanted.closed = rise(heard[Hold::pressed], 0.26F, 0.52F);
  wanted.bite = rise(heard[Hold::lip_on_teeth], 0.25F, 0.65F);
  return wanted;
}

float towards(float from, float to, float step_up, float step_down) {
  return from + std::clamp(to - from, -step_down, step_up);
}

}  // namespace

bool Mouth::push(const Heard& heard) {
  wanted_[pushed_ % kept] = wanted_by(heard);
  sounding_[pushed_ % kept] = (1 - heard[Hold::rest]) * (1 - heard[Hold::pressed]) *
                              rise(heard.loudness_db - heard.level_db, -18, 0);
  ++pushed_;
  if (pushed_ <= ahead) return false;
  const std::size_t frame = pushed_ - 1 - ahead;
  constexpr std::array<float, 2 * ahead + 1> share = {0.04F, 0.11F, 0.21F, 0.28F,
                                                      0.21F, 0.11F, 0.04F};
  Pose flowing;
  for (std::size_t i = 0; i < share.size(); ++i) {
    const Pose& near = wanted_[(frame + kept + i - ahead) % kept];
    for (const Flow& flow : flows) {
      flowing.*flow.movement += share[i] * (near.*flow.movement);
    }
  }
  // Lips begin to meet 20 ms before they are heard to have met.
  for (std::size_t i = ahead; i <= ahead + 2; ++i) {
    const Pose& near = wanted_[(frame + kept + i - ahead) % kept];
    flowing.closed = std::max(flowing.closed, near.closed);
    flowing.bite = std::max(flowing.bite, near.bite);
  }
  move(flowing);
  const float now = sounding_[frame % kept];
  fast_ += 0.12F * (now - fast_);
  slow_ += 0.012F * (now - slow_);
  stress_ = rise(fast_ - slow_, 0.08F, 0.45F);
  return true;
}

void Mouth::move(const Pose& wanted) {
  for (const Flow& flow : flows) {
    float& place = pose_.*flow.movement;
    place = towards(place, wanted.*flow.movement, flow.step, flow.step);
  }
  pose_.closed = towards(pose_.closed, wanted.closed, closing_step, parting_step);
  pose_.bite = towards(pose_.bite, wanted.bite, closing_step, parting_step);
  // Jaw and lips part company: lips may meet while the jaw stays a little open.
  const float jaw = pose_.jaw * (1 - 0.8F * pose_.closed) * (1 - 0.7F * pose_.bite);
  jaw_ = towards(jaw_, jaw, jaw_step, jaw_step);
}

void Mouth::write(Face& face) const {
  const Pose& pose = pose_;
  const float open = 1 - pose.closed;
  const float free = open * (1 - pose.bite);
  const auto put = [&](Shape shape, float value) { face[shape] = std::clamp(value, 0.0F, 1.0F); };
  const auto put_both = [&](Shape left, Shape right, float value) {
    put(left, value);
    put(right, value);
  };
  put(Shape::jawOpen, jaw_);
  put(Shape::mouthClose, jaw_ * pose.closed);
  put(Shape::mouthPucker, pose.pucker * (1 - 0.6F * pose.closed));
  put(Shape::mouthFunnel, pose.funnel * free);
  put_both(Shape::mouthPressLeft, Shape::mouthPressRight, 0.55F * pose.closed);
  put(Shape::mouthRollLower, 0.28F * pose.closed + 0.62F * pose.bite * open);
  put(Shape::mouthRollUpper, 0.24F * pose.closed);
  put(Shape::mouthShrugLower, 0.10F * pose.closed);
  put_both(Shape::mouthStretchLeft, Shape::mouthStretchRight,
           pose.stretch * (1 - 0.5F * pose.closed));
  put_both(Shape::mouthSmileLeft, Shape::mouthSmileRight, pose.smile);
  put_both(Shape::mouthDimpleLeft, Shape::mouthDimpleRight, 0.3F * pose.smile);
  put_both(Shape::mouthLowerDownLeft, Shape::mouthLowerDownRight, pose.lower_down * free);
  put_both(Shape::mouthUpperUpLeft, Shape::mouthUpperUpRight,
           pose.upper_up * open + 0.26F * pose.bite * open);
  put(Shape::tongueOut, pose.tongue * free);
  put_both(Shape::cheekSquintLeft, Shape::cheekSquintRight, 0.25F * pose.smile);
}

}  // namespace stagedoor::stage
