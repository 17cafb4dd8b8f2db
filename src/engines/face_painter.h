// Draws a face sheet, as web/door/face-view.js draws it in a browser.
//
// Rule face-drawn-alike: server and page draw one sheet and one face alike, within 3 of 255 for a
// pixel on average: what somebody tries on the page is what they get as a video.
//
// It draws again only what has moved since the face before, in whole blocks of 16 by 16 pixels, and
// says which; what comes out is the same as if all had been drawn. What never moves is drawn once,
// and a gradient is worked out once and then carried along by whole pixels.
//
// Why:  docs/decisions/0012-live-pictures-by-a-rasteriser-of-our-own.md
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "engines/pixel_box.h"
#include "stage/face_sheet.h"

namespace stagedoor::engines {

// Not safe for concurrent use; several painters may share a sheet.
class FacePainter {
 public:
  // Both from 16 to 4,096 pixels. `unavailable`: no memory for the picture.
  static base::Result<FacePainter> create(std::shared_ptr<const stage::FaceSheet> sheet, int width,
                                          int height);
  FacePainter(FacePainter&&) noexcept;
  FacePainter& operator=(FacePainter&&) noexcept;
  ~FacePainter();

  // Draws the face and gives the boxes that may look other than before, none of which overlap;
  // at first the whole picture. Valid until the next call.
  std::span<const PixelBox> draw(const stage::FaceInputs& face);

  // The picture, 32 bits a pixel, blue first (libyuv's ARGB); `stride` bytes a row.
  std::span<const std::uint8_t> pixels() const;
  int stride() const;

  // As a PNG file's bytes. `unavailable`: no memory.
  base::Result<std::string> png() const;
  // `unavailable` where the file can't be written.
  base::Result<base::Done> write_png(const std::string& path) const;

 private:
  struct State;
  explicit FacePainter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace stagedoor::engines
