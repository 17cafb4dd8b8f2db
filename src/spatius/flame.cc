#include "spatius/flame.h"

#include <algorithm>
#include <array>

namespace stagedoor::spatius {
namespace {

using stage::Face;
using stage::Shape;

constexpr std::size_t expression_size = 100;
constexpr float jaw_radians_when_open = 0.075f;

struct Weight {
  Shape shape;
  unsigned char component;  // below 50: the upper half is zero in the vendor's own frames
  float weight;
};

// Movements that go together share a component with opposite signs; what moves the mouth most has
// the first ones, as in a basis that is ordered by variance.
constexpr std::array weights = {
    Weight{Shape::jawOpen, 0, 2.2f},
    Weight{Shape::mouthClose, 0, -1.2f},
    Weight{Shape::mouthStretchLeft, 1, 0.9f},
    Weight{Shape::mouthStretchRight, 1, 0.9f},
    Weight{Shape::mouthPucker, 1, -1.8f},
    Weight{Shape::mouthFunnel, 2, 1.9f},
    Weight{Shape::mouthSmileLeft, 3, 1.1f},
    Weight{Shape::mouthSmileRight, 3, 1.1f},
    Weight{Shape::mouthFrownLeft, 3, -0.9f},
    Weight{Shape::mouthFrownRight, 3, -0.9f},
    Weight{Shape::mouthPressLeft, 4, 0.9f},
    Weight{Shape::mouthPressRight, 4, 0.9f},
    Weight{Shape::mouthRollLower, 5, 1.4f},
    Weight{Shape::mouthRollUpper, 6, 1.2f},
    Weight{Shape::mouthUpperUpLeft, 7, 0.8f},
    Weight{Shape::mouthUpperUpRight, 7, 0.8f},
    Weight{Shape::mouthLowerDownLeft, 8, 0.8f},
    Weight{Shape::mouthLowerDownRight, 8, 0.8f},
    Weight{Shape::mouthShrugLower, 9, 1.0f},
    Weight{Shape::mouthShrugUpper, 10, 1.0f},
    Weight{Shape::mouthDimpleLeft, 11, 0.7f},
    Weight{Shape::mouthDimpleRight, 11, 0.7f},
    Weight{Shape::jawForward, 12, 1.0f},
    Weight{Shape::tongueOut, 13, 1.0f},
    Weight{Shape::browInnerUp, 14, 1.4f},
    Weight{Shape::browOuterUpLeft, 15, 0.7f},
    Weight{Shape::browOuterUpRight, 15, 0.7f},
    Weight{Shape::browDownLeft, 14, -0.7f},
    Weight{Shape::browDownRight, 14, -0.7f},
    Weight{Shape::cheekSquintLeft, 16, 0.6f},
    Weight{Shape::cheekSquintRight, 16, 0.6f},
    Weight{Shape::cheekPuff, 17, 1.0f},
    Weight{Shape::eyeSquintLeft, 18, 0.6f},
    Weight{Shape::eyeSquintRight, 18, 0.6f},
    Weight{Shape::eyeWideLeft, 18, -0.6f},
    Weight{Shape::eyeWideRight, 18, -0.6f},
    Weight{Shape::noseSneerLeft, 19, 0.6f},
    Weight{Shape::noseSneerRight, 19, 0.6f},
    Weight{Shape::mouthLeft, 20, 1.0f},
    Weight{Shape::mouthRight, 20, -1.0f},
    Weight{Shape::jawLeft, 21, 1.0f},
    Weight{Shape::jawRight, 21, -1.0f},
};

template <class Field, std::size_t size>
void put(Field* field, const std::array<float, size>& values) {
  field->Assign(values.begin(), values.end());
}

}  // namespace

void write_flame(const Face& face, message::Flame& flame) {
  put(flame.mutable_translation(), std::array{0.0f, 0.0f, 0.0f});
  put(flame.mutable_rotation(), std::array{0.0f, 0.0f, 0.0f});
  put(flame.mutable_neck_pose(), std::array{-face.head_pitch, face.head_yaw, face.head_roll});
  put(flame.mutable_jaw_pose(),
      std::array{jaw_radians_when_open * face[Shape::jawOpen], 0.0f, 0.0f});
  put(flame.mutable_eye_pose(),
      std::array{-face.eye_pitch, face.eye_yaw, 0.0f, -face.eye_pitch, face.eye_yaw, 0.0f});
  put(flame.mutable_eye_lid(), std::array{face[Shape::eyeBlinkLeft], face[Shape::eyeBlinkRight]});

  std::array<float, expression_size> expression{};
  for (const auto& [shape, component, weight] : weights)
    expression[component] += weight * face[shape];
  for (auto& value : expression) value = std::clamp(value, -3.0f, 2.5f);
  put(flame.mutable_expression(), expression);
}

}  // namespace stagedoor::spatius
