// A face at one moment: the 52 ARKit blendshapes, and where head and eyes point.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace stagedoor::stage {

// The ARKit names (Apple, ARFaceAnchor.BlendShapeLocation), in their usual order.
enum class Shape : unsigned char {
  eyeBlinkLeft,
  eyeLookDownLeft,
  eyeLookInLeft,
  eyeLookOutLeft,
  eyeLookUpLeft,
  eyeSquintLeft,
  eyeWideLeft,
  eyeBlinkRight,
  eyeLookDownRight,
  eyeLookInRight,
  eyeLookOutRight,
  eyeLookUpRight,
  eyeSquintRight,
  eyeWideRight,
  jawForward,
  jawLeft,
  jawRight,
  jawOpen,
  mouthClose,
  mouthFunnel,
  mouthPucker,
  mouthLeft,
  mouthRight,
  mouthSmileLeft,
  mouthSmileRight,
  mouthFrownLeft,
  mouthFrownRight,
  mouthDimpleLeft,
  mouthDimpleRight,
  mouthStretchLeft,
  mouthStretchRight,
  mouthRollLower,
  mouthRollUpper,
  mouthShrugLower,
  mouthShrugUpper,
  mouthPressLeft,
  mouthPressRight,
  mouthLowerDownLeft,
  mouthLowerDownRight,
  mouthUpperUpLeft,
  mouthUpperUpRight,
  browDownLeft,
  browDownRight,
  browInnerUp,
  browOuterUpLeft,
  browOuterUpRight,
  cheekPuff,
  cheekSquintLeft,
  cheekSquintRight,
  noseSneerLeft,
  noseSneerRight,
  tongueOut,
};
inline constexpr std::size_t shape_count = 52;

// The wire name of each shape: the enumerator's own spelling. Index with a Shape.
extern const std::array<std::string_view, shape_count> shape_names;

struct Face {
  std::array<float, shape_count> shapes{};  // 0..1 each
  // Radians. Positive pitch looks up, positive yaw turns to the face's own left, positive roll
  // tilts towards its own left shoulder.
  float head_pitch = 0, head_yaw = 0, head_roll = 0;
  float eye_pitch = 0, eye_yaw = 0;

  float& operator[](Shape shape) { return shapes[static_cast<std::size_t>(shape)]; }
  float operator[](Shape shape) const { return shapes[static_cast<std::size_t>(shape)]; }
};

}  // namespace stagedoor::stage
