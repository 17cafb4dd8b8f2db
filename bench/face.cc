// What a live face costs: drawing, turning colours, VP8 and Opus, in milliseconds of processor time
// per picture of 40 ms: face SPEECH.wav [SECONDS [CHARACTER [WIDTH]]], else of all.
//
// One thread. The speech (16 kHz mono) is spoken again and again without a pause, which is the
// dearest that a session can be.
//
// SPDX-License-Identifier: Apache-2.0

#include <libyuv/convert.h>
#include <sndfile.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "engines/face_painter.h"
#include "engines/opus_coder.h"
#include "engines/vp8_camera.h"
#include "stage/characters.h"
#include "stage/motion.h"

namespace {

using namespace stagedoor;

double processor_ms() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) * 1e-6;
}

std::vector<std::int16_t> speech_in(const char* path, std::size_t samples) {
  SF_INFO info{};
  SNDFILE* file = sf_open(path, SFM_READ, &info);
  if (file == nullptr || info.channels != 1 || info.samplerate != 16'000) {
    std::fprintf(stderr, "face: %s is not a sound file of 16 kHz mono\n", path);
    std::exit(1);
  }
  std::vector<std::int16_t> once(static_cast<std::size_t>(info.frames)), out;
  sf_read_short(file, once.data(), info.frames);
  sf_close(file);
  while (out.size() < samples) out.insert(out.end(), once.begin(), once.end());
  out.resize(samples);
  return out;
}

std::vector<stage::Face> faces_of(const std::vector<std::int16_t>& speech) {
  std::vector<stage::Face> faces;
  stage::Motion motion(16'000, 7);
  motion.push(speech, faces);
  motion.finish(faces);
  return faces;
}

// Drawing and turning colours, apart; adds to both.
void draw(const std::vector<stage::Face>& faces, std::string_view character,
          rules::PictureSize size, double& drawing, double& turning) {
  const auto sheet = *stage::sheet_of_character(character);
  auto painter = *engines::FacePainter::create(sheet, size.width, size.height);
  const double scale = std::max(size.width / sheet->width, size.height / sheet->height);
  const auto pixels = static_cast<std::size_t>(size.width * size.height);
  std::vector<std::uint8_t> luma(pixels), blue(pixels / 4), red(pixels / 4);
  for (std::size_t i = 0; i < faces.size(); ++i) {
    const double begin = processor_ms();
    const auto number = static_cast<std::int64_t>(i);
    const auto boxes = painter.draw(
        engines::in_visible_steps(faces[i], engines::breath_at(number), *sheet, scale));
    const double drawn = processor_ms();
    for (const auto& box : boxes) {
      const auto at = static_cast<std::size_t>(box.top * size.width + box.left);
      const auto half = static_cast<std::size_t>(box.top / 2 * (size.width / 2) + box.left / 2);
      libyuv::ARGBToI420(painter.pixels().data() + box.top * painter.stride() + box.left * 4,
                         painter.stride(), luma.data() + at, size.width, blue.data() + half,
                         size.width / 2, red.data() + half, size.width / 2, box.right - box.left,
                         box.bottom - box.top);
    }
    drawing += drawn - begin;
    turning += processor_ms() - drawn;
  }
}

// All of a picture, from face to VP8; gives the bytes of the video.
double film(const std::vector<stage::Face>& faces, std::string_view character,
            rules::PictureSize size, double& all) {
  stage::CameraOptions options;
  options.size = size;
  auto camera = *engines::Vp8Camera::create(character, options);
  double bytes = 0;
  for (std::size_t i = 0; i < faces.size(); ++i) {
    const double begin = processor_ms();
    bytes += static_cast<double>(
        camera->picture(faces[i], static_cast<std::int64_t>(i), stage::KeyFrame::when_needed)
            .size());
    all += processor_ms() - begin;
  }
  return bytes;
}

double sound_ms(const std::vector<std::int16_t>& speech) {
  auto encoder = *engines::make_opus_encoder();
  std::array<std::int16_t, stage::packet_samples> packet{};
  const double begin = processor_ms();
  for (std::size_t at = 0; at + 320 <= speech.size(); at += 320) {
    for (std::size_t i = 0; i < packet.size(); ++i) packet[i] = speech[at + i / 3];
    encoder->packet(packet);
  }
  return processor_ms() - begin;
}

}  // namespace

int main(int argument_count, char** arguments) {
  if (argument_count < 2) return 2;
  const int seconds = argument_count > 2 ? std::atoi(arguments[2]) : 40;
  const auto speech = speech_in(arguments[1], static_cast<std::size_t>(seconds) * 16'000);
  const auto faces = faces_of(speech);
  const auto count = static_cast<double>(faces.size());
  const double sound = sound_ms(speech) / count;
  const std::string_view only = argument_count > 3 ? arguments[3] : "";
  const int only_width = argument_count > 4 ? std::atoi(arguments[4]) : 0;
  for (const auto& character : stage::characters()) {
    if (!only.empty() && character.id != only) continue;
    for (const auto& size : rules::picture_sizes) {
      if (only_width != 0 && size.width != only_width) continue;
      double drawing = 0, turning = 0, all = 0;
      draw(faces, character.id, size, drawing, turning);
      const double bytes = film(faces, character.id, size, all);
      const double encoding = all - drawing - turning;
      std::printf("%.*s %dx%d %.3f %.3f %.3f %.3f %.3f %.0f\n",
                  static_cast<int>(character.id.size()), character.id.data(), size.width,
                  size.height, drawing / count, turning / count, encoding / count, sound,
                  all / count + sound, bytes * 8 / 1000 / seconds);
    }
  }
  return 0;
}
