// SPDX-License-Identifier: Apache-2.0

#include "stage/idle_life.h"

#include <algorithm>
#include <cmath>

namespace stagedoor::stage {
namespace {

// How far the lids are down in each face of a blink: down in 80 ms, up in 160.
constexpr std::array<float, 7> blink_course = {0.45F, 0.95F, 1.0F, 0.72F, 0.4F, 0.16F, 0.04F};
constexpr float frame_seconds = 0.04F;
constexpr float head_limit = 0.12F, eye_limit = 0.15F;
constexpr float full_look = 0.5F;  // Radians of gaze that make an eyeLook shape 1.

}  // namespace

IdleLife::IdleLife(std::uint64_t seed)
    : state_(seed), pitch_{0.035F, 7}, yaw_{0.055F, 6}, roll_{0.03F, 5}, brows_{0.07F, 6} {
  next_blink_ = static_cast<int>(between(12, 80));
  next_glance_ = static_cast<int>(between(8, 45));
}

// SplitMix64 (Steele, Lea, Flood 2014): any seed will do, zero too.
double IdleLife::chance() {
  state_ += 0x9e3779b97f4a7c15U;
  std::uint64_t mixed = state_;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9U;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
  mixed ^= mixed >> 31;
  return static_cast<double>(mixed >> 11) * 0x1.0p-53;
}

float IdleLife::between(float low, float high) {
  return low + (high - low) * static_cast<float>(chance());
}

void IdleLife::drift(Drift& part, float goal_reach, int wait_low, int wait_high, float pull) {
  if (--part.wait <= 0) {
    // Small places are likelier than large ones.
    part.goal = goal_reach * 0.5F * (between(-1, 1) + between(-1, 1)) * 1.4F;
    part.wait =
        static_cast<int>(between(static_cast<float>(wait_low), static_cast<float>(wait_high)));
  }
  // Critically damped, so it arrives without a swing; two half steps keep it close.
  for (int half = 0; half < 2; ++half) {
    const float force = part.stiffness * part.stiffness * (part.goal + pull - part.place) -
                        2 * part.stiffness * part.speed;
    part.speed += force * frame_seconds / 2;
    part.place += part.speed * frame_seconds / 2;
  }
}

float IdleLife::blink() {
  if (blink_face_ < 0 && --next_blink_ <= 0) {
    blink_face_ = 0;
    blink_depth_ = between(0.88F, 1);
  }
  if (blink_face_ < 0) return 0;
  const float lids = blink_depth_ * blink_course[static_cast<std::size_t>(blink_face_)];
  if (++blink_face_ == static_cast<int>(blink_course.size())) {
    blink_face_ = -1;
    const bool twice = chance() < 0.12;
    next_blink_ = static_cast<int>(twice ? between(3, 7) : between(45, 85) + between(0, 60));
  }
  return lids;
}

void IdleLife::look(Face& face) {
  if (--next_glance_ <= 0) {
    // Mostly back to the listener, now and then a little aside.
    const bool aside = chance() < 0.45;
    glance_yaw_ = aside ? between(-0.07F, 0.07F) : between(-0.012F, 0.012F);
    glance_pitch_ = aside ? between(-0.045F, 0.035F) : between(-0.01F, 0.01F);
    next_glance_ = static_cast<int>(aside ? between(8, 28) : between(20, 75));
  }
  // The eyes hold the listener while the head turns, and jump in two faces.
  const float yaw = glance_yaw_ - 0.75F * face.head_yaw;
  const float pitch = glance_pitch_ - 0.75F * face.head_pitch;
  eye_yaw_ += 0.7F * (yaw - eye_yaw_);
  eye_pitch_ += 0.7F * (pitch - eye_pitch_);
  face.eye_yaw = std::clamp(eye_yaw_, -eye_limit, eye_limit);
  face.eye_pitch = std::clamp(eye_pitch_, -eye_limit, eye_limit);
  const float left = std::max(face.eye_yaw, 0.0F) / full_look;
  const float right = std::max(-face.eye_yaw, 0.0F) / full_look;
  face[Shape::eyeLookOutLeft] = face[Shape::eyeLookInRight] = left;
  face[Shape::eyeLookInLeft] = face[Shape::eyeLookOutRight] = right;
  const float up = std::max(face.eye_pitch, 0.0F) / full_look;
  const float down = std::max(-face.eye_pitch, 0.0F) / full_look;
  face[Shape::eyeLookUpLeft] = face[Shape::eyeLookUpRight] = up;
  face[Shape::eyeLookDownLeft] = face[Shape::eyeLookDownRight] = down;
}

void IdleLife::lift_brows(float stress, Face& face) {
  // Each stress has a lift of its own, and many have hardly any.
  if (stress > 0.3F && !stressed_) {
    brow_gain_ = chance() < 0.4 ? between(0.6F, 1) : between(0, 0.3F);
    nod_ = chance() < 0.55 ? between(0.012F, 0.035F) : 0;
  }
  stressed_ = stress > (stressed_ ? 0.1F : 0.3F);
  const float wanted = stress * brow_gain_;
  brow_ += std::clamp(0.35F * (wanted - brow_), -0.06F, 0.1F);
  drift(brows_, brows_.reach, 30, 90, 0);
  const float rest = std::max(brows_.place, 0.0F);
  face[Shape::browInnerUp] = std::clamp(rest + 0.42F * brow_, 0.0F, 1.0F);
  const float outer = std::clamp(0.8F * rest + 0.34F * brow_, 0.0F, 1.0F);
  face[Shape::browOuterUpLeft] = face[Shape::browOuterUpRight] = outer;
  const float lowered = std::clamp(-0.6F * brows_.place, 0.0F, 1.0F);
  face[Shape::browDownLeft] = face[Shape::browDownRight] = lowered;
  face[Shape::eyeWideLeft] = face[Shape::eyeWideRight] = std::clamp(0.12F * brow_, 0.0F, 1.0F);
}

void IdleLife::write(float stress, Face& face) {
  lift_brows(stress, face);
  drift(pitch_, pitch_.reach, 18, 60, -nod_ * stress);
  drift(yaw_, yaw_.reach, 20, 75, 0);
  drift(roll_, roll_.reach, 25, 80, 0);
  face.head_pitch = std::clamp(pitch_.place, -head_limit, head_limit);
  face.head_yaw = std::clamp(yaw_.place, -head_limit, head_limit);
  face.head_roll = std::clamp(roll_.place, -head_limit, head_limit);
  look(face);
  const float lids = blink();
  face[Shape::eyeBlinkLeft] = face[Shape::eyeBlinkRight] =
      std::clamp(lids + 0.5F * face[Shape::eyeLookDownLeft], 0.0F, 1.0F);
  // Lids press the eyes a little, and the brows come down with them.
  face[Shape::eyeSquintLeft] = face[Shape::eyeSquintRight] = 0.12F * lids;
  face[Shape::eyeWideLeft] = face[Shape::eyeWideRight] = face[Shape::eyeWideLeft] * (1 - lids);
}

}  // namespace stagedoor::stage
