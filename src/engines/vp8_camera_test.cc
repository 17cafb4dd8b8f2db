// SPDX-License-Identifier: Apache-2.0

#include "engines/vp8_camera.h"

#include <gtest/gtest.h>
#include <libyuv/convert_from_argb.h>
#include <vpx/vp8dx.h>
#include <vpx/vpx_decoder.h>

#include <cmath>

#include "engines/face_painter.h"
#include "stage/characters.h"
#include "stage/idle_life.h"

namespace stagedoor::engines {
namespace {

using stage::KeyFrame;

class Viewer {
 public:
  Viewer() { vpx_codec_dec_init(&decoder_, vpx_codec_vp8_dx(), nullptr, 0); }
  ~Viewer() { vpx_codec_destroy(&decoder_); }
  const vpx_image_t* see(std::span<const std::uint8_t> frame) {
    if (vpx_codec_decode(&decoder_, frame.data(), static_cast<unsigned>(frame.size()), nullptr,
                         0) != VPX_CODEC_OK)
      return nullptr;
    vpx_codec_iter_t at = nullptr;
    return vpx_codec_get_frame(&decoder_, &at);
  }

 private:
  vpx_codec_ctx_t decoder_{};
};

// RFC 6386 9.1: bit 0 of the first byte is 0 in a key frame.
bool is_key(std::span<const std::uint8_t> frame) {
  return !frame.empty() && (frame[0] & 1) == 0;
}

std::unique_ptr<stage::Camera> camera_of(std::string_view character, rules::PictureSize size = {},
                                         int kilobits = 500) {
  stage::CameraOptions options;
  options.size = size;
  options.kilobits_per_second = kilobits;
  auto camera = Vp8Camera::create(character, options);
  EXPECT_TRUE(camera);
  return *std::move(camera);
}

// How near the seen luma is to what the painter draws, in dB; 35 is good, 40 very good.
double likeness(const vpx_image_t& seen, const stage::Face& face, std::string_view character,
                std::int64_t number) {
  const auto sheet = *stage::sheet_of_character(character);
  const int width = static_cast<int>(seen.d_w), height = static_cast<int>(seen.d_h);
  auto painter = *FacePainter::create(sheet, width, height);
  const double scale = std::max(width / sheet->width, height / sheet->height);
  painter.draw(in_visible_steps(face, breath_at(number), *sheet, scale));
  std::vector<std::uint8_t> luma(static_cast<std::size_t>(width * height));
  libyuv::ARGBToI400(painter.pixels().data(), painter.stride(), luma.data(), width, width, height);
  double squares = 0;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const int off = luma[static_cast<std::size_t>(y * width + x)] -
                      seen.planes[VPX_PLANE_Y][y * seen.stride[VPX_PLANE_Y] + x];
      squares += off * off;
    }
  }
  return 10 * std::log10(255.0 * 255 * width * height / std::max(squares, 1.0));
}

// How far the seen colours are off in the worst row of blocks, as the mean of its U and V of 255.
double worst_row(const vpx_image_t& seen, const stage::Face& face, std::string_view character,
                 std::int64_t number) {
  const auto sheet = *stage::sheet_of_character(character);
  const int width = static_cast<int>(seen.d_w), height = static_cast<int>(seen.d_h);
  auto painter = *FacePainter::create(sheet, width, height);
  const double scale = std::max(width / sheet->width, height / sheet->height);
  painter.draw(in_visible_steps(face, breath_at(number), *sheet, scale));
  const auto cells = static_cast<std::size_t>(width * height);
  std::vector<std::uint8_t> y(cells), u(cells / 4), v(cells / 4);
  libyuv::ARGBToI420(painter.pixels().data(), painter.stride(), y.data(), width, u.data(),
                     width / 2, v.data(), width / 2, width, height);
  double worst = 0;
  constexpr int rows = 8;  // of colours in a block
  for (int top = 0; top < height / 2; top += rows) {
    double off = 0;
    for (int row = top; row < top + rows; ++row) {
      for (int x = 0; x < width / 2; ++x) {
        const auto at = static_cast<std::size_t>(row * (width / 2) + x);
        off += std::abs(u[at] - seen.planes[VPX_PLANE_U][row * seen.stride[VPX_PLANE_U] + x]) +
               std::abs(v[at] - seen.planes[VPX_PLANE_V][row * seen.stride[VPX_PLANE_V] + x]);
      }
    }
    worst = std::max(worst, off / (rows * width));
  }
  return worst;
}

// What stands still is in no picture's changes, and the first pictures may have had no room for it.
TEST(Vp8Camera, AlsoAtALowBitRateWhatStandsStillHasItsColoursInTheEnd) {
  const auto camera = camera_of("ada", {768, 1152}, 400);
  Viewer viewer;
  stage::IdleLife life(5);
  const vpx_image_t* seen = nullptr;
  stage::Face face;
  for (int number = 0; number < 200; ++number) {
    face = stage::Face();
    life.write(0, face);
    seen = viewer.see(camera->picture(face, number, KeyFrame::when_needed));
    ASSERT_NE(seen, nullptr) << number;
  }
  EXPECT_LT(worst_row(*seen, face, "ada", 199), 1.5);
}

TEST(Vp8Camera, ShowsTheFaceInEverySizeBeginningWithAKeyFrame) {
  for (const auto& size : rules::picture_sizes) {
    const auto camera = camera_of("ada", size);
    Viewer viewer;
    stage::Face face;
    face[stage::Shape::jawOpen] = 0.5F;
    const auto frame = camera->picture(face, 0, KeyFrame::when_needed);
    ASSERT_TRUE(is_key(frame));
    const auto* seen = viewer.see(frame);
    ASSERT_NE(seen, nullptr);
    EXPECT_EQ(static_cast<int>(seen->d_w), size.width);
    EXPECT_EQ(static_cast<int>(seen->d_h), size.height);
  }
}

TEST(Vp8Camera, WhatIsSeenStaysLikeWhatIsDrawnWhileTheFaceMoves) {
  for (const auto& character : stage::characters()) {
    const auto camera = camera_of(character.id);
    Viewer viewer;
    stage::IdleLife life(5);
    std::size_t bytes = 0;
    for (int number = 0; number < 75; ++number) {
      stage::Face face;
      const float stress = 0.5F + 0.5F * std::sin(static_cast<float>(number) * 0.5F);
      life.write(stress, face);
      face[stage::Shape::jawOpen] = 0.4F * stress;
      const auto frame = camera->picture(face, number, KeyFrame::when_needed);
      bytes += frame.size();
      const auto* seen = viewer.see(frame);
      ASSERT_NE(seen, nullptr) << number;
      EXPECT_EQ(is_key(frame), number == 0) << number;
      if (number % 25 != 24) continue;
      EXPECT_GT(likeness(*seen, face, character.id, number), 30) << number;
    }
    // 3 s at 500 kbit/s, and what the first picture costs.
    EXPECT_LT(bytes, 500'000u / 8 * 3 + 60'000);
  }
}

TEST(Vp8Camera, GivesAKeyFrameWhereOneIsAskedFor) {
  const auto camera = camera_of("ada");
  for (int number = 0; number < 5; ++number) camera->picture({}, number, KeyFrame::when_needed);
  EXPECT_TRUE(is_key(camera->picture({}, 5, KeyFrame::now)));
  const auto next = camera->picture({}, 6, KeyFrame::when_needed);
  EXPECT_FALSE(next.empty());
  EXPECT_FALSE(is_key(next));
}

TEST(Vp8Camera, AStillFaceCostsHardlyAnything) {
  const auto camera = camera_of("ada");
  stage::Face face;
  for (int number = 0; number < 30; ++number) camera->picture(face, number, KeyFrame::when_needed);
  // Only the breath moves.
  std::size_t bytes = 0;
  for (int number = 30; number < 55; ++number)
    bytes += camera->picture(face, number, KeyFrame::when_needed).size();
  EXPECT_LT(bytes * 8, 250'000u);
}

TEST(Vp8Camera, FollowsItsBitRateAndPassesOverPicturesLeftOut) {
  const auto spent = [](int kilobits) {
    const auto camera = camera_of("bruno", {}, 2'000);
    camera->set_kilobits_per_second(kilobits);
    stage::IdleLife life(3);
    std::size_t bytes = 0;
    std::int64_t number = 0;
    for (int i = 0; i < 50; ++i, number += 2) {
      stage::Face face;
      life.write(1, face);
      face[stage::Shape::jawOpen] = i % 2 == 0 ? 0.2F : 0.7F;
      bytes += camera->picture(face, number, KeyFrame::when_needed).size();
    }
    return static_cast<double>(bytes) / 500;  // 100 pictures are 4 s, so this is kilobits a second
  };
  EXPECT_LT(spent(150), 260);
  EXPECT_GT(spent(1'500), spent(150));
}

// A number that does not grow must not stop the encoder.
TEST(Vp8Camera, TakesPicturesWhateverTheirNumbers) {
  const auto camera = camera_of("ada", {480, 480});
  for (const std::int64_t number : {5, 5, 3, -7, 1'000'000, 0})
    EXPECT_FALSE(camera->picture({}, number, KeyFrame::when_needed).empty());
}

TEST(Vp8Camera, IsNotMadeForSomebodyWhoIsNotThere) {
  const auto nobody = Vp8Camera::create("nobody", {});
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().code, base::ErrorCode::not_found);
}

TEST(VisibleSteps, MoveNothingByMoreThanHalfAPixel) {
  const auto sheet = *stage::sheet_of_character("ada");
  stage::Face face;
  face.head_yaw = 0.0371F;
  face.head_roll = -0.0219F;
  const auto stepped = in_visible_steps(face, 0.333F, *sheet, 0.72);
  EXPECT_NEAR(stepped.values[stage::head_yaw_input], 0.0371, 0.25 / 0.72 / 96 + 1e-6);
  EXPECT_NEAR(stepped.values[stage::head_roll_input], -0.0219, 0.25 / 0.72 / 540 + 1e-6);
  // A little further is the same step.
  face.head_yaw += 0.0005F;
  EXPECT_EQ(in_visible_steps(face, 0.333F, *sheet, 0.72).values, stepped.values);
  EXPECT_EQ(in_visible_steps({}, 0, *sheet, 0.72).values, stage::inputs_of({}, 0).values);
}

}  // namespace
}  // namespace stagedoor::engines
