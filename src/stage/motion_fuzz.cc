// Any samples, at any rate, cut anyhow: the faces keep their bounds and number, and do not depend
// on the cutting.
//
// SPDX-License-Identifier: Apache-2.0

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "stage/motion.h"

namespace {

using stagedoor::stage::Face;
using stagedoor::stage::Motion;

void demand(bool holds) {
  if (!holds) std::abort();
}

void demand_well_formed(const Face& face) {
  for (const float shape : face.shapes) demand(shape >= 0 && shape <= 1);
  for (const float angle :
       {face.head_pitch, face.head_yaw, face.head_roll, face.eye_pitch, face.eye_yaw}) {
    demand(std::abs(angle) <= 0.15F);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 12) return 0;
  std::uint16_t rate = 0;
  std::memcpy(&rate, data, 2);
  std::uint64_t seed = 0;
  std::memcpy(&seed, data + 2, 8);
  const int repeats = 1 + data[10] % 32;  // Lets a short input be a long utterance.
  std::size_t cut = data[11];
  const int rate_hz = rate;  // 0..65535: what lies outside 8000..48000 is brought inside.
  const auto true_rate = static_cast<std::size_t>(rate_hz < 8000    ? 8000
                                                  : rate_hz > 48000 ? 48000
                                                                    : rate_hz);
  std::vector<std::int16_t> once((size - 12) / 2), samples;
  if (!once.empty()) std::memcpy(once.data(), data + 12, once.size() * 2);
  for (int i = 0; i < repeats; ++i) samples.insert(samples.end(), once.begin(), once.end());

  std::vector<Face> whole, parts;
  Motion one(rate_hz, seed), other(rate_hz, seed);
  one.push(samples, whole);
  one.finish(whole);
  for (std::size_t at = 0; at < samples.size();) {
    cut = (cut * 5 + 3) % 1021;
    const std::size_t count = cut < samples.size() - at ? cut : samples.size() - at;
    other.push({samples.data() + at, count}, parts);
    at += count;
    if (cut == 0) other.push({}, parts);
  }
  other.finish(parts);
  demand(whole.size() == samples.size() * 25 / true_rate);
  demand(whole.size() == parts.size() && whole.size() == one.frames());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    demand_well_formed(whole[i]);
    demand(whole[i].shapes == parts[i].shapes && whole[i].head_yaw == parts[i].head_yaw);
  }
  return 0;
}
