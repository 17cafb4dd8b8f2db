// SPDX-License-Identifier: Apache-2.0

#include "engines/face_painter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "stage/characters.h"
#include "stage/idle_life.h"

namespace stagedoor::engines {
namespace {

struct Colour {
  int red, green, blue;
};

FacePainter painter_of(std::string_view character, int width = 720, int height = 480) {
  return *FacePainter::create(*stage::sheet_of_character(character), width, height);
}

Colour at(const FacePainter& painter, int x, int y) {
  const auto* pixel = painter.pixels().data() + y * painter.stride() + x * 4;
  return {pixel[2], pixel[1], pixel[0]};
}

// A sheet of one square, of which each side is 40 units, on a white ground.
FacePainter square(std::string_view shape, int width = 100, int height = 100) {
  const std::string text =
      R"({"format":"stagedoor-face-sheet","version":1,"name":"Square","size":[100,100],
          "focus":[50,50],"head":{"centre":[50,50],"neck":[50,100],"radius":50},"paints":{
          "fade":{"from":[30,0],"to":[70,0],"stops":[[0,"#000000"],[1,"#ffffff"]]},
          "glow":{"centre":[50,50],"radii":[20,20],"stops":[[0,"#ff0000ff"],[1,"#ff000000"]]}},
          "points":{"a":[30,30],"b":[70,30],"c":[70,70],"d":[30,70]},
          "bindings":{"jawOpen":{"c":[0,20],"d":[0,20]}},"meet":[],"instead":{},
          "clips":{"half":{"path":[[0,0],[50,0],[50,100],[0,100]],"corners":[0,1,2,3]}},
          "layers":[{"name":"ground","shapes":[{"path":[[-9,-9],[109,-9],[109,109],[-9,109]],
          "corners":[0,1,2,3],"fill":"#ffffff"}]},)" +
      std::string(shape) + "]}";
  auto sheet = stage::read_face_sheet(text);
  EXPECT_TRUE(sheet) << sheet.error().hint;
  return *FacePainter::create(std::make_shared<const stage::FaceSheet>(*std::move(sheet)), width,
                              height);
}

#define EXPECT_COLOUR(painter, x, y, r, g, b)    \
  do {                                           \
    const auto seen = at(painter, x, y);         \
    EXPECT_NEAR(seen.red, r, 2) << #x ", " #y;   \
    EXPECT_NEAR(seen.green, g, 2) << #x ", " #y; \
    EXPECT_NEAR(seen.blue, b, 2) << #x ", " #y;  \
  } while (false)

TEST(FacePainter, FillsWithColourOpacityAndClip) {
  auto painter = square(R"({"name":"square","clip":"half","shapes":[{"path":["a","b","c","d"],
      "corners":[0,1,2,3],"fill":"#004080","opacity":0.5}]})");
  painter.draw({});
  EXPECT_COLOUR(painter, 40, 50, 128, 160, 192);
  EXPECT_COLOUR(painter, 60, 50, 255, 255, 255);
  EXPECT_COLOUR(painter, 20, 50, 255, 255, 255);
}

TEST(FacePainter, GradientsRunBetweenTheirStopsAndStandInTheSheet) {
  auto linear = square(R"({"name":"square","shapes":[{"path":["a","b","c","d"],
      "corners":[0,1,2,3],"fill":"fade","move":{"breath":[10,0]}}]})");
  linear.draw({});
  EXPECT_COLOUR(linear, 49, 50, 124, 124, 124);
  EXPECT_COLOUR(linear, 39, 50, 61, 61, 61);
  stage::FaceInputs moved;
  moved.set(stage::breath_input, 1);
  linear.draw(moved);
  EXPECT_COLOUR(linear, 59, 50, 124, 124, 124);

  auto radial = square(R"({"name":"square","shapes":[{"path":["a","b","c","d"],
      "corners":[0,1,2,3],"fill":"glow"}]})");
  radial.draw({});
  EXPECT_COLOUR(radial, 59, 49, 255, 121, 121);
  EXPECT_COLOUR(radial, 50, 50, 255, 9, 9);
  // Beyond the last stop its colour goes on: here, nothing.
  EXPECT_COLOUR(radial, 32, 32, 255, 255, 255);
}

TEST(FacePainter, TheSheetCoversThePictureWithItsFocusInTheMiddle) {
  // Twice as wide as the sheet: scale 2, so of 200 rows those from 50 on are seen.
  auto painter = square(R"({"name":"square","shapes":[{"path":["a","b","c","d"],
      "corners":[0,1,2,3],"fill":"#004080"}]})",
                        200, 100);
  painter.draw({});
  EXPECT_COLOUR(painter, 62, 12, 0, 64, 128);
  EXPECT_COLOUR(painter, 138, 88, 0, 64, 128);
  EXPECT_COLOUR(painter, 57, 50, 255, 255, 255);
  EXPECT_COLOUR(painter, 100, 6, 255, 255, 255);
}

TEST(FacePainter, SaysWhichBlocksHaveChangedAndNothingElseDoes) {
  auto painter = square(R"({"name":"square","shapes":[{"path":["a","b","c","d"],
      "corners":[0,1,2,3],"fill":"#004080"}]})",
                        400, 400);
  ASSERT_EQ(painter.draw({}).size(), 1u);
  EXPECT_EQ(painter.draw({}).size(), 0u);
  stage::FaceInputs open;
  open.set(static_cast<std::size_t>(stage::Shape::jawOpen), 0.5F);
  const auto boxes = painter.draw(open);
  ASSERT_EQ(boxes.size(), 1u);
  // The lower edge went from 280 to 320, with both sides down from the upper corners at 120.
  EXPECT_EQ(boxes[0], (PixelBox{112, 112, 288, 336}));
  open.set(static_cast<std::size_t>(stage::Shape::jawOpen), 0.5001F);
  EXPECT_EQ(painter.draw(open).size(), 0u);
}

// However it came to a face, it draws it as if it were the first, but for an eighth of a pixel.
TEST(FacePainter, WhatIsDrawnAgainLooksAsIfAllWere) {
  for (const auto& character : stage::characters()) {
    auto painter = painter_of(character.id);
    stage::IdleLife life(11);
    for (int i = 0; i < 16; ++i) {
      stage::Face face;
      const float stress = 0.5F + 0.5F * std::sin(static_cast<float>(i) * 0.7F);
      life.write(stress, face);
      face[stage::Shape::jawOpen] = 0.6F * stress;
      face[stage::Shape::mouthPucker] = 0.5F - 0.5F * stress;
      const auto inputs = stage::inputs_of(face, stress);
      const std::vector<std::uint8_t> before(painter.pixels().begin(), painter.pixels().end());
      const auto boxes = painter.draw(inputs);
      auto fresh = painter_of(character.id);
      fresh.draw(inputs);
      const auto now = painter.pixels(), all = fresh.pixels();
      double difference = 0;
      for (std::size_t at_byte = 0; at_byte < now.size(); ++at_byte) {
        if (at_byte % 4 == 3) continue;
        difference += std::abs(now[at_byte] - all[at_byte]);
        if (i == 0 || now[at_byte] == before[at_byte]) continue;
        const int x = static_cast<int>(at_byte) % painter.stride() / 4;
        const int y = static_cast<int>(at_byte) / painter.stride();
        ASSERT_TRUE(std::ranges::any_of(boxes,
                                        [&](const PixelBox& box) {
                                          return x >= box.left && x < box.right && y >= box.top &&
                                                 y < box.bottom;
                                        }))
            << x << ", " << y;
      }
      EXPECT_LT(difference / (720.0 * 480 * 3), 0.3) << character.id << ", face " << i;
    }
  }
}

TEST(FacePainter, AMovingMouthLeavesMostOfThePictureAlone) {
  auto painter = painter_of("ada");
  stage::Face face;
  painter.draw(stage::inputs_of(face, 0));
  face[stage::Shape::mouthPucker] = 0.5F;
  long changed = 0;
  for (const auto& box : painter.draw(stage::inputs_of(face, 0)))
    changed += static_cast<long>(box.right - box.left) * (box.bottom - box.top);
  EXPECT_GT(changed, 0);
  EXPECT_LT(changed, 720 * 480 / 5);
}

TEST(FacePainter, DrawsWhateverTheInputsAre) {
  for (const auto& character : stage::characters()) {
    auto painter = painter_of(character.id, 96, 64);
    for (const float value : {-4.0F, 4.0F, 0.5F}) {
      stage::FaceInputs inputs;
      for (std::size_t input = 0; input < stage::face_input_count; ++input)
        inputs.set(input, value);
      painter.draw(inputs);
    }
  }
}

}  // namespace
}  // namespace stagedoor::engines
