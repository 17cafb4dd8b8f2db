// SPDX-License-Identifier: Apache-2.0

#include "stage/motion.h"

#include "stage/audio_input.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <numbers>
#include <string>
#include <utility>

#include <unistd.h>

namespace stagedoor::stage {
namespace {

using Samples = std::vector<std::int16_t>;

std::vector<Face> perform(const Samples& samples, int rate_hz, std::uint64_t seed = 1) {
  Motion motion(rate_hz, seed);
  std::vector<Face> faces;
  motion.push(samples, faces);
  motion.finish(faces);
  return faces;
}

bool same(const Face& a, const Face& b) {
  return a.shapes == b.shapes && a.head_pitch == b.head_pitch && a.head_yaw == b.head_yaw &&
         a.head_roll == b.head_roll && a.eye_pitch == b.eye_pitch && a.eye_yaw == b.eye_yaw;
}

bool same(const std::vector<Face>& a, const std::vector<Face>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Face& x, const Face& y) { return same(x, y); });
}

// A steady vowel of a man's voice: pulses at 110 Hz through four resonators.
Samples vowel(int rate_hz, std::array<double, 4> formants_hz, double seconds) {
  Samples out(static_cast<std::size_t>(rate_hz * seconds));
  std::array<double, 4> one{}, two{};
  double phase = 0, soft = 0;
  std::vector<double> wave(out.size());
  double peak = 1e-9;
  for (double& value : wave) {
    phase += 110.0 / rate_hz;
    const double pulse = phase >= 1 ? 1 : 0;
    phase -= std::floor(phase);
    soft += 0.35 * (pulse - soft);  // The voice's own fall towards the treble.
    double sound = soft;
    for (std::size_t i = 0; i < formants_hz.size(); ++i) {
      const double width =
          std::exp(-std::numbers::pi * (60 + 30.0 * static_cast<double>(i)) / rate_hz);
      const double turn = 2 * width * std::cos(2 * std::numbers::pi * formants_hz[i] / rate_hz);
      const double now =
          (1 - turn + width * width) * sound + turn * one[i] - width * width * two[i];
      two[i] = one[i];
      one[i] = now;
      sound = now;
    }
    value = sound;
    peak = std::max(peak, std::abs(value));
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<std::int16_t>(12000 * wave[i] / peak);
  }
  return out;
}

Samples noise(std::size_t count, double amplitude) {
  Samples out(count);
  std::uint32_t state = 7;
  for (auto& sample : out) {
    state = state * 1664525U + 1013904223U;
    sample =
        static_cast<std::int16_t>((static_cast<double>(state >> 8) / (1 << 23) - 1) * amplitude);
  }
  return out;
}

struct Segment {
  double start, end;
  std::string phoneme;
};
struct Spoken {
  int rate_hz = 0;
  Samples samples;
  std::vector<Segment> segments;
};

// What flite says, and when it says which phoneme. The command comes with the test packages.
Spoken speak(const std::string& voice, const std::string& text) {
  const auto path = std::filesystem::temp_directory_path() /
                    ("motion_test_" + std::to_string(::getpid()) + ".wav");
  const std::string command =
      "flite -voice " + voice + " -psdur -t \"" + text + "\" -o " + path.string();
  Spoken spoken;
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return spoken;
  std::string said(4096, '\0');
  said.resize(std::fread(said.data(), 1, said.size(), pipe));
  ::pclose(pipe);
  double start = 0;
  for (std::size_t at = 0; at < said.size();) {
    const std::size_t colon = said.find(':', at), space = said.find(' ', at);
    if (colon == std::string::npos || space == std::string::npos) break;
    const double end = std::strtod(said.c_str() + colon + 1, nullptr);
    spoken.segments.push_back({start, end, said.substr(at, colon - at)});
    start = end;
    at = space + 1;
  }
  std::ifstream file(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), {});
  std::filesystem::remove(path);
  if (bytes.size() < 44) return spoken;
  std::memcpy(&spoken.rate_hz, bytes.data() + 24, 4);
  spoken.samples.resize((bytes.size() - 44) / 2);
  std::memcpy(spoken.samples.data(), bytes.data() + 44, spoken.samples.size() * 2);
  return spoken;
}

const Spoken& sentence() {
  static const Spoken spoken =
      speak("awb", "The plump baker hopes my blue pony will move past the warm beach house.");
  return spoken;
}

float aperture(const Face& face) {
  return face[Shape::jawOpen] - face[Shape::mouthClose] +
         0.5F * (face[Shape::mouthLowerDownLeft] + face[Shape::mouthUpperUpLeft]) +
         0.3F * face[Shape::mouthFunnel];
}

// The mean of a value over faces from 0.3 s to 0.3 s before the end.
template <class Value>
double middle(const std::vector<Face>& faces, Value value) {
  double sum = 0;
  int count = 0;
  for (std::size_t i = 8; i + 8 < faces.size(); ++i, ++count) sum += value(faces[i]);
  return count ? sum / count : 0;
}

void expect_well_formed(const std::vector<Face>& faces) {
  for (const Face& face : faces) {
    for (std::size_t i = 0; i < shape_count; ++i) {
      ASSERT_GE(face.shapes[i], 0) << shape_names[i];
      ASSERT_LE(face.shapes[i], 1) << shape_names[i];
    }
    for (const float angle :
         {face.head_pitch, face.head_yaw, face.head_roll, face.eye_pitch, face.eye_yaw}) {
      ASSERT_LE(std::abs(angle), 0.15F);
    }
  }
}

double correlation(const std::vector<double>& a, const std::vector<double>& b) {
  const auto count = static_cast<double>(a.size());
  double sum_a = 0, sum_b = 0, aa = 0, bb = 0, ab = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum_a += a[i];
    sum_b += b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
    ab += a[i] * b[i];
  }
  return (ab - sum_a * sum_b / count) /
         std::sqrt((aa - sum_a * sum_a / count) * (bb - sum_b * sum_b / count));
}

std::vector<double> jaws(const std::vector<Face>& faces) {
  std::vector<double> out;
  for (const Face& face : faces) out.push_back(face[Shape::jawOpen]);
  return out;
}

// To another rate, by a windowed sinc of the test's own.
Samples at_rate(const Samples& samples, int from_hz, int to_hz) {
  const double step = static_cast<double>(from_hz) / to_hz;
  const double cut = std::min(1.0, 1 / step) * 0.95;
  Samples out(static_cast<std::size_t>(static_cast<double>(samples.size()) / step));
  const long half = static_cast<long>(16 / cut);
  for (std::size_t k = 0; k < out.size(); ++k) {
    const double place = static_cast<double>(k) * step;
    double sum = 0;
    const long whole = static_cast<long>(place);
    for (long i = std::max(0L, whole - half);
         i <= std::min(static_cast<long>(samples.size()) - 1, whole + half); ++i) {
      const double x = static_cast<double>(i) - place;
      const double angle = x * std::numbers::pi * cut;
      const double sinc = std::abs(angle) < 1e-9 ? 1 : std::sin(angle) / angle;
      sum += samples[static_cast<std::size_t>(i)] * cut * sinc *
             (0.5 + 0.5 * std::cos(std::numbers::pi * x / static_cast<double>(half + 1)));
    }
    out[k] = static_cast<std::int16_t>(std::clamp(sum, -32768.0, 32767.0));
  }
  return out;
}

constexpr std::array<double, 4> ah_formants = {730, 1090, 2440, 3400};
constexpr std::array<double, 4> ee_formants = {270, 2290, 3010, 3600};
constexpr std::array<double, 4> oo_formants = {300, 870, 2240, 3300};

// Rule motion-look-ahead.
TEST(Motion, TheFirstFaceComesWithin240MillisecondsAndEachWithin200OfItsMoment) {
  for (const int rate_hz : pcm_rates_hz) {
    const Samples samples = noise(static_cast<std::size_t>(rate_hz), 8000);
    Motion motion(rate_hz, 1);
    std::vector<Face> faces;
    for (std::size_t at = 0; at < samples.size(); ++at) {
      motion.push(std::span(samples).subspan(at, 1), faces);
      const double heard_ms = static_cast<double>(at + 1) * 1000 / rate_hz;
      const double due = heard_ms < 200 ? 0 : std::floor((heard_ms - 200) / 40) + 1;
      ASSERT_GE(static_cast<double>(faces.size()), due) << rate_hz << " Hz, " << heard_ms << " ms";
      ASSERT_TRUE(heard_ms < 240 || !faces.empty());
    }
  }
}

// Rule motion-frame-count.
TEST(Motion, TheFacesNumberTwentyFiveASecondRoundedDown) {
  for (const int rate_hz : {8000, 11025, 12345, 16000, 22050, 44100, 48000}) {
    for (const std::size_t count :
         {std::size_t{0}, std::size_t{1}, std::size_t{319}, std::size_t{320}, std::size_t{1764},
          std::size_t{7777}, std::size_t{22050}}) {
      const auto faces = perform(noise(count, 3000), rate_hz);
      EXPECT_EQ(faces.size(), count * 25 / static_cast<std::size_t>(rate_hz)) << rate_hz;
    }
  }
}

TEST(Motion, AnUtteranceCountsTheFacesItHasGivenAndIgnoresAudioAfterItsEnd) {
  Motion motion(16000, 1);
  std::vector<Face> faces;
  motion.push(noise(16000, 3000), faces);
  EXPECT_EQ(motion.frames(), faces.size());
  EXPECT_LT(faces.size(), 25U);
  motion.finish(faces);
  EXPECT_EQ(motion.frames(), 25U);
  motion.push(noise(16000, 3000), faces);
  motion.finish(faces);
  EXPECT_EQ(faces.size(), 25U);
}

// Rule motion-chunk-independent.
TEST(Motion, TheFacesDoNotDependOnHowTheAudioIsCut) {
  const Spoken& spoken = sentence();
  ASSERT_GT(spoken.samples.size(), 16000U);
  const auto whole = perform(spoken.samples, spoken.rate_hz);
  for (const std::size_t piece : {1, 7, 160, 641, 4096, 5000}) {
    Motion motion(spoken.rate_hz, 1);
    std::vector<Face> faces;
    for (std::size_t at = 0; at < spoken.samples.size(); at += piece) {
      motion.push(
          std::span(spoken.samples).subspan(at, std::min(piece, spoken.samples.size() - at)),
          faces);
      if (at % 3 == 0) motion.push({}, faces);
    }
    motion.finish(faces);
    EXPECT_TRUE(same(whole, faces)) << piece;
  }
}

TEST(Motion, AnUtteranceKnowsNothingOfAnother) {
  const Spoken& spoken = sentence();
  const auto alone = perform(spoken.samples, spoken.rate_hz);
  Motion first(48000, 5), second(spoken.rate_hz, 1);
  std::vector<Face> other, faces;
  first.push(noise(30000, 30000), other);
  second.push(spoken.samples, faces);
  first.push(noise(30000, 30000), other);
  second.finish(faces);
  EXPECT_TRUE(same(alone, faces));
}

TEST(Motion, AMovedUtteranceGoesOnWhereItWas) {
  const Spoken& spoken = sentence();
  Motion first(spoken.rate_hz, 1);
  std::vector<Face> faces;
  first.push(std::span(spoken.samples).first(9000), faces);
  Motion second(std::move(first));
  second.push(std::span(spoken.samples).subspan(9000), faces);
  second.finish(faces);
  EXPECT_TRUE(same(perform(spoken.samples, spoken.rate_hz), faces));
}

// Rule motion-rest-in-silence.
TEST(Motion, TheMouthIsAtRestWithin200MillisecondsOfTheEndOfSpeech) {
  Samples samples = vowel(16000, ah_formants, 1.2);
  const std::size_t end = samples.size();
  samples.resize(end + 16000);
  const auto faces = perform(samples, 16000);
  ASSERT_EQ(faces.size(), 55U);
  EXPECT_GT(faces[20][Shape::jawOpen], 0.2F);
  for (std::size_t i = 35; i < faces.size(); ++i) {  // From 1.4 s on.
    EXPECT_LT(faces[i][Shape::jawOpen], 0.04F) << i;
    EXPECT_LT(aperture(faces[i]), 0.05F) << i;
    EXPECT_LT(faces[i][Shape::mouthPucker], 0.1F) << i;
    EXPECT_LT(faces[i][Shape::mouthPressLeft], 0.1F) << i;
  }
}

// Rule motion-rest-in-silence.
TEST(Motion, TheMouthStaysAtRestInSilenceHissAndHum) {
  Samples hum(32000);
  for (std::size_t i = 0; i < hum.size(); ++i) {
    const double turns = 50 * static_cast<double>(i) / 16000;
    hum[i] = static_cast<std::int16_t>(60 * std::sin(2 * std::numbers::pi * turns));
  }
  for (const Samples& samples :
       {Samples(32000, 0), Samples(32000, 1), noise(32000, 3), noise(32000, 20), hum}) {
    for (const Face& face : perform(samples, 16000)) {
      ASSERT_LT(face[Shape::jawOpen], 0.04F);
      ASSERT_LT(aperture(face), 0.05F);
    }
  }
}

// Rule motion-seeded.
TEST(Motion, TheSameSeedGivesTheSameFacesAndAnotherOnlyOtherEyesHeadAndBrows) {
  const Spoken& spoken = sentence();
  const auto one = perform(spoken.samples, spoken.rate_hz, 1);
  EXPECT_TRUE(same(one, perform(spoken.samples, spoken.rate_hz, 1)));
  const auto two = perform(spoken.samples, spoken.rate_hz, 2);
  EXPECT_FALSE(same(one, two));
  ASSERT_EQ(one.size(), two.size());
  for (std::size_t i = 0; i < one.size(); ++i) {
    for (std::size_t shape = 0; shape < shape_count; ++shape) {
      if (shape_names[shape].starts_with("eye") || shape_names[shape].starts_with("brow")) continue;
      ASSERT_EQ(one[i].shapes[shape], two[i].shapes[shape]) << shape_names[shape];
    }
  }
}

// Rule motion-hears-shapes.
TEST(Motion, OpenSpreadAndRoundedVowelsOfOneLoudnessLookDifferent) {
  const auto ah = perform(vowel(16000, ah_formants, 1.5), 16000);
  const auto ee = perform(vowel(16000, ee_formants, 1.5), 16000);
  const auto oo = perform(vowel(16000, oo_formants, 1.5), 16000);
  const auto jaw = [](const Face& face) { return face[Shape::jawOpen]; };
  const auto round = [](const Face& face) {
    return face[Shape::mouthPucker] + face[Shape::mouthFunnel];
  };
  const auto spread = [](const Face& face) {
    return face[Shape::mouthStretchLeft] + face[Shape::mouthSmileLeft];
  };
  EXPECT_GT(middle(ah, jaw), middle(ee, jaw) + 0.15);
  EXPECT_GT(middle(ah, jaw), middle(oo, jaw) + 0.15);
  EXPECT_GT(middle(oo, round), middle(ee, round) + 0.2);
  EXPECT_GT(middle(oo, round), middle(ah, round) + 0.2);
  EXPECT_GT(middle(ee, spread), middle(oo, spread) + 0.2);
}

// Rule motion-hears-shapes.
TEST(Motion, TheLipsMeetInsideTheLipSoundsAndNotInsideOpenVowels) {
  const Spoken& spoken = sentence();
  const auto faces = perform(spoken.samples, spoken.rate_hz);
  int lips = 0, met = 0, vowels = 0, shut = 0;
  for (const auto& sound : spoken.segments) {
    const bool lip = sound.phoneme == "m" || sound.phoneme == "b" || sound.phoneme == "p";
    const bool open = sound.phoneme == "aa" || sound.phoneme == "ae" || sound.phoneme == "ay" ||
                      sound.phoneme == "aw" || sound.phoneme == "ao";
    for (auto i = static_cast<std::size_t>(std::ceil(sound.start * 25));
         static_cast<double>(i) < sound.end * 25 && i < faces.size(); ++i) {
      const bool closed = aperture(faces[i]) < 0.05F;
      if (lip) ++lips, met += closed;
      if (open) ++vowels, shut += closed;
    }
  }
  ASSERT_GT(lips, 15);
  ASSERT_GT(vowels, 8);
  EXPECT_GE(met, lips * 0.7);
  EXPECT_LE(shut, vowels * 0.15);
}

// Rule motion-hears-shapes.
TEST(Motion, TheSameSpeechThirtyDecibelsSofterMovesTheJawAlike) {
  const Spoken& spoken = sentence();
  Samples soft = spoken.samples;
  for (auto& sample : soft) sample = static_cast<std::int16_t>(std::lround(sample * 0.0316));
  const auto loud_jaw = jaws(perform(spoken.samples, spoken.rate_hz));
  const auto soft_jaw = jaws(perform(soft, spoken.rate_hz));
  EXPECT_GT(correlation(loud_jaw, soft_jaw), 0.9);
}

TEST(Motion, TheJawMovesAlikeAtEveryRate) {
  const Spoken& spoken = sentence();
  const auto at_16k = jaws(perform(spoken.samples, spoken.rate_hz));
  const std::vector<std::pair<int, double>> least = {{8000, 0.85},  {12000, 0.85}, {22050, 0.95},
                                                     {24000, 0.95}, {32000, 0.95}, {44100, 0.95},
                                                     {48000, 0.95}};
  for (const auto& [rate_hz, wanted] : least) {
    auto other = jaws(perform(at_rate(spoken.samples, spoken.rate_hz, rate_hz), rate_hz));
    auto reference = at_16k;
    const std::size_t count = std::min(other.size(), reference.size());
    other.resize(count);
    reference.resize(count);
    EXPECT_GE(correlation(reference, other), wanted) << rate_hz;
  }
}

TEST(Motion, NoAudioWhateverLeavesTheBounds) {
  Samples square(24000);
  for (std::size_t i = 0; i < square.size(); ++i) square[i] = i / 40 % 2 ? 32767 : -32768;
  Samples click(24000);
  click[9000] = -32768;
  for (const Samples& samples :
       {Samples{}, Samples(1, 32767), Samples(24000, 0), Samples(24000, 32767),
        Samples(24000, -32768), noise(24000, 32767), square, click}) {
    for (const int rate_hz : {8000, 16000, 48000, 1, 1000000}) {
      expect_well_formed(perform(samples, rate_hz));
    }
  }
  expect_well_formed(perform(sentence().samples, sentence().rate_hz));
}

TEST(Motion, AFaceNeverJumps) {
  const Spoken& spoken = sentence();
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto faces = perform(spoken.samples, spoken.rate_hz, seed);
    for (std::size_t i = 1; i < faces.size(); ++i) {
      ASSERT_LT(std::abs(faces[i][Shape::jawOpen] - faces[i - 1][Shape::jawOpen]), 0.45F);
      ASSERT_LT(std::abs(faces[i].head_pitch - faces[i - 1].head_pitch), 0.02F);
      ASSERT_LT(std::abs(faces[i].head_yaw - faces[i - 1].head_yaw), 0.02F);
      ASSERT_LT(std::abs(faces[i].head_roll - faces[i - 1].head_roll), 0.02F);
    }
  }
}

TEST(Motion, AnUtteranceHoldsLessThan64KiBHoweverLong) {
  for (const int rate_hz : pcm_rates_hz) {
    Motion motion(rate_hz, 1);
    std::vector<Face> faces;
    for (int k = 0; k < 2; ++k) {
      motion.push(noise(40000, 9000), faces);
      EXPECT_LT(motion.held_bytes(), 65536U) << rate_hz;
    }
  }
}

}  // namespace
}  // namespace stagedoor::stage
