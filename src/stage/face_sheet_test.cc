// SPDX-License-Identifier: Apache-2.0

#include "stage/face_sheet.h"

#include <gtest/gtest.h>

#include "stage/characters.h"
#include "stage/face_pose.h"

namespace stagedoor::stage {
namespace {

// A sheet of one triangle, one point of which moves.
constexpr std::string_view small = R"({
  "format": "stagedoor-face-sheet", "version": 1, "name": "Dot", "size": [100, 100],
  "focus": [50, 50], "head": {"centre": [50, 50], "neck": [50, 100], "radius": 50},
  "paints": {"red": {"from": [0, 0], "to": [0, 100], "stops": [[0, "#ff0000"], [1, "#00000080"]]}},
  "points": {"top": [50, 10], "low": [50, 12]},
  "bindings": {"jawOpen": {"top": [0, 10]}},
  "meet": [["top", "low"]], "instead": {"eyeYaw": ["eyeLookInLeft"]},
  "clips": {"all": {"path": [[0, 0], [100, 0], [50, 100]], "corners": [0, 1, 2]}},
  "layers": [{"name": "one", "clip": "all", "depth": 20, "bulge": 10, "follow": 0.5,
              "move": {"breath": [0, 4]},
              "shapes": [{"path": ["top", [90, 90], [10, 90]], "fill": "red", "opacity": 0.5,
                          "fade": {"jawOpen": 1}, "move": {"eyeLookInLeft": [8, 0]}},
                         {"path": [[0, 0], [10, 0]], "closed": false, "stroke": "#102030",
                          "width": 2}]}]
})";

std::string with(std::string_view from, std::string_view to) {
  std::string text(small);
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(FaceSheet, IsReadWithItsNamesLookedUp) {
  const auto sheet = read_face_sheet(small);
  ASSERT_TRUE(sheet) << sheet.error().hint;
  EXPECT_EQ(sheet->name, "Dot");
  EXPECT_EQ(sheet->gradients[0].stops[1].colour, (SheetColour{0, 0, 0, 0x80}));
  ASSERT_EQ(sheet->points.size(), 2u);
  EXPECT_EQ(sheet->points[0].moves.at(0).input, static_cast<int>(Shape::jawOpen));
  const auto& layer = sheet->layers.at(0);
  EXPECT_EQ(layer.clip, 0);
  EXPECT_EQ(layer.shapes[0].path.points[0].named, 0);
  EXPECT_EQ(layer.shapes[0].gradient_fill, 0);
  EXPECT_FALSE(layer.shapes[1].path.is_closed);
  EXPECT_EQ(layer.shapes[1].stroke->colour, (SheetColour{0x10, 0x20, 0x30, 255}));
}

// Rule face-sheet-strict.
TEST(FaceSheet, WhateverLeadsNowhereIsRefusedAndThePlaceIsTold) {
  const std::vector<std::tuple<std::string, std::string, std::string>> wrong = {
      {R"("version": 1)", R"("version": 2)", "version: must be 1"},
      {R"("fill": "red")", R"("fill": "rad")",
       R"(layers[0].shapes[0].fill: there is no paint "rad")"},
      {R"("fill": "red")", R"("fill": "#12345")",
       "layers[0].shapes[0].fill: must be a colour, #rrggbb or #rrggbbaa"},
      {R"(["top", [90, 90])", R"(["tip", [90, 90])",
       R"(layers[0].shapes[0].path[0]: there is no point "tip")"},
      {R"("clip": "all")", R"("clip": "none")", R"(layers[0].clip: there is no clip "none")"},
      {R"({"jawOpen": {"top")", R"({"jawOpn": {"top")", "bindings.jawOpn: there is no such input"},
      {R"({"top": [0, 10]})", R"({"tip": [0, 10]})",
       "bindings.jawOpen.tip: there is no such point"},
      {R"("depth": 20)", R"("dept": 20)", "layers[0].dept: the format has no such member"},
      {R"("depth": 20)", R"("depth": 1e9)", "layers[0].depth: must be a number within 10,000 of 0"},
      {R"("corners": [0, 1, 2])", R"("corners": [3])",
       "clips.all.corners[0]: must be the index of a point of the path"},
      {R"([[0, 0], [10, 0]], "closed")", R"([[0, 0]], "closed")",
       "layers[0].shapes[1].path: must have 2 points at least"},
      {R"([[0, "#ff0000"], [1, "#00000080"]])", R"([[1, "#ff0000"], [0, "#00000080"]])",
       "paints.red.stops[1]: its place must be from 0 to 1, and not before the stop before it"},
      {R"("radius": 50)", R"("radius": 0)", "head.radius: must be at least 1"},
      {R"("stroke": "#102030",)", "",
       "layers[0].shapes[1]: needs a fill or a stroke, or it draws nothing"},
      {R"("name": "Dot",)", "", R"(The sheet: needs "name")"},
  };
  for (const auto& [from, to, hint] : wrong) {
    const auto refused = read_face_sheet(with(from, to));
    ASSERT_FALSE(refused) << to;
    EXPECT_EQ(refused.error().code, base::ErrorCode::malformed);
    EXPECT_EQ(refused.error().hint, hint);
  }
}

// Rule face-sheet-strict.
TEST(FaceSheet, NeitherTornNorHugeTextIsRead) {
  for (std::size_t length = 0; length < small.size(); ++length)
    EXPECT_FALSE(read_face_sheet(small.substr(0, length)));
  EXPECT_FALSE(read_face_sheet(std::string(small) + std::string(sheet_bytes_max, ' ')));
  std::string many = "[0, 0]";
  for (std::size_t i = 0; i < sheet_path_points_max; ++i) many += ", [1, 1]";
  EXPECT_FALSE(read_face_sheet(with(R"([[0, 0], [10, 0]])", "[" + many + "]")));
}

// The numbers are worked out by hand from docs/reference/face-sheet.md.
TEST(FacePose, PlacesPointsAsTheModelSays) {
  const auto sheet = read_face_sheet(small);
  ASSERT_TRUE(sheet);
  FaceInputs inputs;
  FacePose pose;
  pose_face(*sheet, inputs, pose);
  EXPECT_EQ(pose.named[0], (SheetPoint{50, 10}));
  EXPECT_DOUBLE_EQ(pose.shapes[0].opacity, 0.5);

  inputs.set(static_cast<std::size_t>(Shape::jawOpen), 0.4F);
  inputs.set(breath_input, 0.5F);
  inputs.set(head_yaw_input, 0.2F);
  pose_face(*sheet, inputs, pose);
  // 10 + 0.4 * 10 lies below 12: both take the mean.
  EXPECT_NEAR(pose.named[0].y, 13, 1e-6);
  EXPECT_NEAR(pose.named[1].y, 13, 1e-6);
  EXPECT_NEAR(pose.shapes[0].opacity, 0.9, 1e-6);
  // nearness = 20 - 10 * (37 / 50)^2 = 14.524; sin(0.2 * 0.5) = 0.0998334; breath moves by 2.
  const auto top = pose.points[pose.shapes[0].path.first];
  EXPECT_NEAR(top.x, 50 + 14.524 * 0.0998334, 1e-5);
  EXPECT_NEAR(top.y, 15, 1e-5);
  // The gradient's anchor is (0, 0): nearness = 20 - 10 * 2 = 0.
  EXPECT_NEAR(pose.shapes[0].travel.x, 0, 1e-6);
  EXPECT_NEAR(pose.shapes[0].travel.y, 2, 1e-6);
}

TEST(FacePose, WhatIsSaidTwiceCountsOnce) {
  const auto sheet = read_face_sheet(small);
  ASSERT_TRUE(sheet);
  const auto first_x = [&](const FaceInputs& inputs) {
    FacePose pose;
    pose_face(*sheet, inputs, pose);
    return pose.points[pose.shapes[0].path.first].x;
  };
  FaceInputs inputs;
  inputs.set(static_cast<std::size_t>(Shape::eyeLookInLeft), 1);
  EXPECT_NEAR(first_x(inputs), 58, 1e-6);
  inputs.set(eye_yaw_input, 0);
  EXPECT_NEAR(first_x(inputs), 50, 1e-6);
}

TEST(FacePose, CurvesGoThroughTheirPointsAndCornersAimAtEachOther) {
  const auto sheet = read_face_sheet(small);
  ASSERT_TRUE(sheet);
  const SheetPoint points[] = {{0, 0}, {90, 0}, {45, 60}};
  const auto corner = curve_part(sheet->clips[0], points, 0);
  EXPECT_EQ(corner.first_handle, (SheetPoint{30, 0}));
  EXPECT_EQ(corner.second_handle, (SheetPoint{60, 0}));
  EXPECT_EQ(corner.end, (SheetPoint{90, 0}));
  // Smooth: the handle at the first point is parallel to the line from its neighbours (45, 60) to
  // (90, 0), which is 75 long, and 30 long itself.
  const auto smooth = curve_part(sheet->layers[0].shapes[0].path, points, 0);
  EXPECT_NEAR(smooth.first_handle.x, 30 * 45 / 75.0, 1e-9);
  EXPECT_NEAR(smooth.first_handle.y, 30 * -60 / 75.0, 1e-9);
}

TEST(Characters, AreTwoAtLeastAndAllCanBeRead) {
  EXPECT_GE(characters().size(), 2u);
  EXPECT_EQ(characters().front().id, "ada");
  for (const auto& character : characters()) {
    const auto sheet = sheet_of_character(character.id);
    ASSERT_TRUE(sheet) << character.id << ": " << sheet.error().hint;
    EXPECT_EQ(*sheet, *sheet_of_character(character.id));
  }
  const auto nobody = sheet_of_character("nobody");
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().code, base::ErrorCode::not_found);
  EXPECT_EQ(nobody.error().hint, "There is no such character; there are ada, bruno.");
}

// m, b and p: whatever the jaw does, mouthClose brings the lips together.
TEST(Characters, CloseTheirLipsForMBAndP) {
  for (const auto& character : characters()) {
    const auto sheet = *sheet_of_character(character.id);
    FaceInputs open, shut;
    for (auto* inputs : {&open, &shut}) inputs->set(static_cast<std::size_t>(Shape::jawOpen), 0.5F);
    shut.set(static_cast<std::size_t>(Shape::mouthClose), 0.5F);
    FacePose pose;
    const auto gap = [&](const FaceInputs& inputs) {
      pose_face(*sheet, inputs, pose);
      double widest = 0;
      for (const auto& [upper, lower] : sheet->meet)
        widest = std::max(widest, pose.named[lower].y - pose.named[upper].y);
      return widest;
    };
    // The eyelids are among the pairs: those of the mouth are what differs.
    FaceInputs blink = open, blink_shut = shut;
    for (auto* inputs : {&blink, &blink_shut}) {
      inputs->set(static_cast<std::size_t>(Shape::eyeBlinkLeft), 1);
      inputs->set(static_cast<std::size_t>(Shape::eyeBlinkRight), 1);
    }
    EXPECT_GT(gap(blink), 30) << character.id;
    EXPECT_LT(gap(blink_shut), 3) << character.id;
  }
}

}  // namespace
}  // namespace stagedoor::stage
