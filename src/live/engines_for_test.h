// A camera and sound coders that make nothing but packets to be counted.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "stage/camera.h"
#include "stage/sound_coder.h"

namespace stagedoor::live {

// Notes of each picture whether it had to be a key frame.
class PuppetCamera : public stage::Camera {
 public:
  explicit PuppetCamera(std::vector<bool>& keys) : keys_(keys) {}
  std::span<const std::uint8_t> picture(const stage::Face&, std::int64_t,
                                        stage::KeyFrame key) override {
    keys_.push_back(key == stage::KeyFrame::now);
    return frame_;
  }
  void set_kilobits_per_second(int) override {}

 private:
  std::vector<bool>& keys_;
  std::vector<std::uint8_t> frame_ = std::vector<std::uint8_t>(200, 9);
};

// A packet is one byte: whether there is any sound.
class PuppetEncoder : public stage::SoundEncoder {
 public:
  std::span<const std::uint8_t> packet(
      std::span<const std::int16_t, stage::packet_samples> samples) override {
    packet_ = std::ranges::any_of(samples, [](auto sample) { return sample != 0; }) ? 1 : 0;
    return {&packet_, 1};
  }
  void set_loss(float) override {}

 private:
  std::uint8_t packet_ = 0;
};

// A packet's first byte is the loudness of its 20 ms; 0xff is no packet.
class PuppetDecoder : public stage::SoundDecoder {
 public:
  base::Result<base::Done> push(std::uint16_t, std::span<const std::uint8_t> packet,
                                std::vector<std::int16_t>& out) override {
    if (packet[0] == 0xff) return base::fail(base::ErrorCode::malformed, "test");
    for (std::size_t i = 0; i < stage::packet_samples; ++i)
      out.push_back(i / 50 % 2 ? static_cast<std::int16_t>(packet[0] * 100) : std::int16_t{0});
    return base::Done{};
  }
};

}  // namespace stagedoor::live
