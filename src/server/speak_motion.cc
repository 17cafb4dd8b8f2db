// SPDX-License-Identifier: Apache-2.0

#include "server/speak_motion.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "base/json.h"

namespace stagedoor::server {
namespace {

// Four decimals are finer than any renderer shows; a value that rounds to nothing is nothing.
bool is_zero(float value) {
  return std::abs(value) < 0.00005F;
}
float tidy(float value) {
  return is_zero(value) ? 0.0F : value;
}

// Values that are no blendshape but an angle, by the names of motion.proto.
struct Angle {
  std::string_view wire_name;
  std::string_view group;
  std::string_view name;
};
constexpr Angle angles[] = {{"headPitch", "head", "pitch"},
                            {"headYaw", "head", "yaw"},
                            {"headRoll", "head", "roll"},
                            {"eyePitch", "eyes", "pitch"},
                            {"eyeYaw", "eyes", "yaw"}};

bool is_angle(std::string_view name) {
  return std::ranges::find(angles, name, &Angle::wire_name) != std::end(angles);
}

void append_shapes(std::string& out, const std::vector<std::string>& names,
                   const std::vector<float>& values) {
  const char* separator = "";
  for (std::size_t i = 0; i < names.size() && i < values.size(); ++i) {
    if (is_angle(names[i]) || is_zero(values[i]) || !std::isfinite(values[i])) continue;
    out += separator;
    base::append_json_string(out, names[i]);  // names come from the network
    fmt::format_to(std::back_inserter(out), ":{:.4f}", values[i]);
    separator = ",";
  }
}

void append_angles(std::string& out, std::string_view group, const std::vector<std::string>& names,
                   const std::vector<float>& values) {
  const char* separator = "";
  for (const auto& angle : angles) {
    if (angle.group != group) continue;
    const auto at =
        static_cast<std::size_t>(std::ranges::find(names, angle.wire_name) - names.begin());
    if (at >= values.size() || !std::isfinite(values[at])) continue;
    fmt::format_to(std::back_inserter(out), "{}\"{}\":{:.4f}", separator, angle.name,
                   tidy(values[at]));
    separator = ",";
  }
}

}  // namespace

std::vector<float> SpokenMotion::curve(std::string_view name) const {
  const auto found = std::ranges::find(names, name);
  std::vector<float> values;
  if (found == names.end()) return values;
  const auto at = static_cast<std::size_t>(found - names.begin());
  for (const auto& frame : frames) values.push_back(at < frame.size() ? frame[at] : 0.0F);
  return values;
}

std::string motion_json(const SpokenMotion& motion) {
  auto out = fmt::format("{{\"fps\":{},\"frames\":[", SpokenMotion::frames_per_second);
  for (std::size_t i = 0; i < motion.frames.size(); ++i) {
    const auto hundredths = i * 100 / SpokenMotion::frames_per_second;
    fmt::format_to(std::back_inserter(out), "{}\n{{\"time\":{}.{:02},\"shapes\":{{",
                   i == 0 ? "" : ",", hundredths / 100, hundredths % 100);
    append_shapes(out, motion.names, motion.frames[i]);
    out += "},\"head\":{";
    append_angles(out, "head", motion.names, motion.frames[i]);
    out += "},\"eyes\":{";
    append_angles(out, "eyes", motion.names, motion.frames[i]);
    out += "}}";
  }
  return out + "\n]}\n";
}

}  // namespace stagedoor::server
