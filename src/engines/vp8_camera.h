// Pictures of a face as VP8: drawn by a FacePainter, their colours turned by libyuv, encoded by
// libvpx for a live connection (no look-ahead, constant bit rate, one thread).
//
// What a picture costs is what has changed in it: head, gaze and breath move in steps of half a
// pixel, so that a slow drift leaves most pictures with a still head, and only the blocks that the
// painter has drawn again are turned and searched. After a key frame the encoder looks at the whole
// picture for a while, and then at a row of blocks more in each, until what stands still is sharp.
//
// Why:  docs/decisions/0012-live-pictures-by-a-rasteriser-of-our-own.md
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <memory>
#include <string_view>

#include "stage/camera.h"
#include "stage/face_sheet.h"

namespace stagedoor::engines {

class Vp8Camera : public stage::Camera {
 public:
  // As stage::CameraFactory.
  static base::Result<std::unique_ptr<stage::Camera>> create(std::string_view character,
                                                             const stage::CameraOptions& options);
  Vp8Camera(const Vp8Camera&) = delete;
  Vp8Camera& operator=(const Vp8Camera&) = delete;
  ~Vp8Camera() override;

  std::span<const std::uint8_t> picture(const stage::Face& face, std::int64_t number,
                                        stage::KeyFrame key) override;
  void set_kilobits_per_second(int kilobits) override;

 private:
  struct State;
  explicit Vp8Camera(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The steps of picture(), each of which may be wanted, and measured, by itself.

// How deep the breath is in a picture, 0..1: one breath in 3.9 s, as on the page.
float breath_at(std::int64_t number);

// The face with head, gaze and breath in steps that move nothing by more than half a pixel.
stage::FaceInputs in_visible_steps(const stage::Face& face, float breath,
                                   const stage::FaceSheet& sheet, double pixels_per_unit);

}  // namespace stagedoor::engines
