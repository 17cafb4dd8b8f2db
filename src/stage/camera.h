// Turns faces into the pictures of a video, one after the other.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "base/result.h"
#include "rules/picture_size.h"
#include "stage/face.h"

namespace stagedoor::stage {

inline constexpr int pictures_per_second = 25;

enum class KeyFrame {
  when_needed,  // The first picture, and whenever the encoder sees fit.
  now,          // The viewer has lost its way and needs a picture that stands alone.
};

// One video. Not safe for concurrent use, but each call may come from another thread.
class Camera {
 public:
  virtual ~Camera() = default;

  // The picture of this face as one VP8 frame (RFC 6386), valid until the next call. `number` is
  // the picture's place in time, counted at 25 a second; it must grow, and where it leaves numbers
  // out those pictures were never taken: the bits that they would have cost are spent on this one.
  // Breath follows the number. Empty: the encoder failed; its next frame is a key frame.
  virtual std::span<const std::uint8_t> picture(const Face& face, std::int64_t number,
                                                KeyFrame key) = 0;

  // What the video may take from here on; kept within 50 and 4,000.
  virtual void set_kilobits_per_second(int kilobits) = 0;
};

struct CameraOptions {
  rules::PictureSize size;
  int kilobits_per_second = 500;
};

// Makes a camera for one video of a character: a face sheet's name, such as "ada". `not_found`,
// with a hint that lists the characters, for one that there is none of; `unavailable` where the
// encoder can't be made. Safe for concurrent use.
using CameraFactory = std::function<base::Result<std::unique_ptr<Camera>>(
    std::string_view character, const CameraOptions& options)>;

}  // namespace stagedoor::stage
