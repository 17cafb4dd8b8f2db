// SPDX-License-Identifier: Apache-2.0

#include "server/speak_motion.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "server/motion_plot.h"

// Fontconfig, which cairo asks for fonts, keeps its settings for the life of the process.
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libfontconfig";
}

namespace stagedoor::server {
namespace {

SpokenMotion two_faces() {
  return {.names = {"jawOpen", "mouthClose", "headPitch", "headYaw", "eyeYaw"},
          .frames = {{0.5F, 0.0F, 0.1F, -0.00001F, 0.0F}, {0.00001F, 1.0F, -0.25F, 0.0F, 0.125F}}};
}

TEST(SpeakMotion, TheJsonIsTheSameToTheByteAndHoldsOnlyWhatIsNotZero) {
  EXPECT_EQ(motion_json(two_faces()),
            "{\"fps\":25,\"frames\":[\n"
            "{\"time\":0.00,\"shapes\":{\"jawOpen\":0.5000},"
            "\"head\":{\"pitch\":0.1000,\"yaw\":0.0000},\"eyes\":{\"yaw\":0.0000}},\n"
            "{\"time\":0.04,\"shapes\":{\"mouthClose\":1.0000},"
            "\"head\":{\"pitch\":-0.2500,\"yaw\":0.0000},\"eyes\":{\"yaw\":0.1250}}\n"
            "]}\n");
}

TEST(SpeakMotion, TimeGoesOnByFortyMillisecondsBeyondTheSecond) {
  SpokenMotion motion{.names = {"jawOpen"}, .frames = {}};
  motion.frames.resize(52, {0.25F});
  const auto json = motion_json(motion);
  EXPECT_NE(json.find("{\"time\":0.96,"), std::string::npos);
  EXPECT_NE(json.find("{\"time\":1.00,"), std::string::npos);
  EXPECT_NE(json.find("{\"time\":2.04,"), std::string::npos);
  EXPECT_EQ(json.find("{\"time\":2.08,"), std::string::npos);
}

TEST(SpeakMotion, NoFaceGivesAnEmptyList) {
  EXPECT_EQ(motion_json({}), "{\"fps\":25,\"frames\":[\n]}\n");
}

TEST(SpeakMotion, WhatAServerSendsCannotBreakTheJson) {
  const SpokenMotion motion{.names = {"a\"b\\\n", "nan", "missing"},
                            .frames = {{0.5F, std::nanf("")}}};
  EXPECT_EQ(motion_json(motion),
            "{\"fps\":25,\"frames\":[\n{\"time\":0.00,\"shapes\":{\"a\\\"b\\\\\\u000a\":0.5000},"
            "\"head\":{},\"eyes\":{}}\n]}\n");
  EXPECT_EQ(motion.curve("missing"), std::vector<float>{0.0F});
  EXPECT_TRUE(motion.curve("absent").empty());
}

TEST(MotionPlot, ThePictureIsAPngOfTheStatedSizeAndShowsTheMotion) {
  std::string pattern = std::filesystem::temp_directory_path() / "stagedoor-XXXXXX";
  const std::filesystem::path folder = mkdtemp(pattern.data());
  const Sound sound{.rate_hz = 8000, .samples = std::vector<std::int16_t>(800, 1000)};
  const auto drawn = [&](const SpokenMotion& motion) {
    const auto path = (folder / "plot.png").string();
    EXPECT_TRUE(draw_motion(path, "two faces", sound, motion));
    std::ifstream file(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  const auto moving = drawn(two_faces());
  const auto still = drawn({});
  const std::string head("\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x06\x40\0\0\x03\x5c", 24);
  EXPECT_EQ(moving.substr(0, 24), head);
  EXPECT_EQ(still.substr(0, 24), head);
  EXPECT_NE(moving, still);
  std::filesystem::remove_all(folder);
}

TEST(MotionPlot, APlaceThatCannotBeWrittenIsSaid) {
  const Sound sound{.rate_hz = 8000, .samples = {1, 2, 3}};
  const auto drawn = draw_motion("/nowhere/at/all.png", "t", sound, two_faces());
  ASSERT_FALSE(drawn);
  EXPECT_NE(drawn.error().hint.find("/nowhere/at/all.png"), std::string::npos);
}

TEST(MotionPlot, LipClosureIsTheStrongestOfTheShapesThatBringTheLipsTogether) {
  const SpokenMotion motion{.names = {"mouthPressLeft", "mouthClose", "jawOpen"},
                            .frames = {{0.2F, 0.7F, 1.0F}, {0.3F, 0.0F, 1.0F}}};
  EXPECT_EQ(lip_closure(motion), (std::vector<float>{0.7F, 0.3F}));
}

}  // namespace
}  // namespace stagedoor::server
