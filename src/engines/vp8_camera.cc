// SPDX-License-Identifier: Apache-2.0

#include "engines/vp8_camera.h"

#include <libyuv/convert.h>
#include <vpx/vp8cx.h>
#include <vpx/vpx_encoder.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "engines/face_painter.h"
#include "stage/characters.h"

namespace stagedoor::engines {
namespace {

constexpr int kilobits_min = 50, kilobits_max = 4'000;
// How many pictures after a key frame the encoder looks at as a whole.
constexpr int whole_pictures = 12;
constexpr unsigned rounds_of_rows = 3;

vpx_codec_enc_cfg_t settings_of(const stage::CameraOptions& options) {
  vpx_codec_enc_cfg_t settings{};
  vpx_codec_enc_config_default(vpx_codec_vp8_cx(), &settings, 0);
  settings.g_w = static_cast<unsigned>(options.size.width);
  settings.g_h = static_cast<unsigned>(options.size.height);
  settings.g_timebase = {1, stage::pictures_per_second};
  settings.g_threads = 1;
  settings.g_lag_in_frames = 0;
  settings.rc_end_usage = VPX_CBR;
  settings.rc_dropframe_thresh = 0;
  settings.rc_resize_allowed = 0;
  settings.rc_min_quantizer = 4;
  settings.rc_max_quantizer = 52;
  settings.rc_undershoot_pct = 100;
  settings.rc_overshoot_pct = 15;
  settings.rc_buf_sz = 1000;
  settings.rc_buf_initial_sz = 500;
  settings.rc_buf_optimal_sz = 600;
  settings.kf_mode = VPX_KF_AUTO;
  settings.kf_max_dist = 3000;
  settings.rc_target_bitrate =
      static_cast<unsigned>(std::clamp(options.kilobits_per_second, kilobits_min, kilobits_max));
  return settings;
}

// The largest way in sheet units that something takes when the head turns by one radian.
double reach_of_turn(const stage::FaceSheet& sheet) {
  double reach = 1;
  for (const auto& layer : sheet.layers) reach = std::max(reach, layer.depth * layer.follow);
  return reach;
}

double reach_of(const stage::FaceSheet& sheet, std::size_t input) {
  double reach = 1;
  const auto look_at = [&](const std::vector<stage::SheetOffset>& offsets) {
    for (const auto& [by_input, by] : offsets) {
      if (by_input == input) reach = std::max({reach, std::abs(by.x), std::abs(by.y)});
    }
  };
  for (const auto& point : sheet.points) look_at(point.moves);
  for (const auto& layer : sheet.layers) {
    look_at(layer.move);
    for (const auto& shape : layer.shapes) look_at(shape.move);
  }
  return reach;
}

}  // namespace

struct Vp8Camera::State {
  explicit State(FacePainter drawn_by) : painter(std::move(drawn_by)) {}
  ~State() {
    if (is_open) vpx_codec_destroy(&encoder);
    vpx_img_free(image);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  std::shared_ptr<const stage::FaceSheet> sheet;
  stage::CameraOptions options;
  double pixels_per_unit = 1;
  FacePainter painter;
  vpx_codec_enc_cfg_t settings{};
  vpx_codec_ctx_t encoder{};
  bool is_open = false;
  vpx_image_t* image = nullptr;
  std::vector<std::uint8_t> active;  // of each block: 1 where it has changed
  std::int64_t last_number = -1;
  int since_key_frame = 0;
  bool needs_key_frame = true;
  std::vector<std::uint8_t> frame;

  bool open();
  void turn_colours(const PixelBox& box);
  void tell_what_changed(std::span<const PixelBox> boxes);
  bool take_frame();
};

bool Vp8Camera::State::open() {
  image = vpx_img_alloc(nullptr, VPX_IMG_FMT_I420, settings.g_w, settings.g_h, 32);
  if (image == nullptr) return false;
  if (vpx_codec_enc_init(&encoder, vpx_codec_vp8_cx(), &settings, 0) != VPX_CODEC_OK) return false;
  is_open = true;
  active.assign((settings.g_w / block_pixels) * (settings.g_h / block_pixels), 1);
  return vpx_codec_control(&encoder, VP8E_SET_CPUUSED, -12) == VPX_CODEC_OK &&
         vpx_codec_control(&encoder, VP8E_SET_STATIC_THRESHOLD, 100) == VPX_CODEC_OK;
}

void Vp8Camera::State::turn_colours(const PixelBox& box) {
  const auto pixels = painter.pixels();
  const int stride = painter.stride();
  const auto at = [&](int plane, int x, int y) {
    return image->planes[plane] + static_cast<std::ptrdiff_t>(y) * image->stride[plane] + x;
  };
  libyuv::ARGBToI420(pixels.data() + static_cast<std::ptrdiff_t>(box.top) * stride + box.left * 4,
                     stride, at(VPX_PLANE_Y, box.left, box.top), image->stride[VPX_PLANE_Y],
                     at(VPX_PLANE_U, box.left / 2, box.top / 2), image->stride[VPX_PLANE_U],
                     at(VPX_PLANE_V, box.left / 2, box.top / 2), image->stride[VPX_PLANE_V],
                     box.right - box.left, box.bottom - box.top);
}

void Vp8Camera::State::tell_what_changed(std::span<const PixelBox> boxes) {
  const unsigned columns = settings.g_w / block_pixels, rows = settings.g_h / block_pixels;
  const bool whole = since_key_frame < whole_pictures;
  std::ranges::fill(active, whole ? 1 : 0);
  if (!whole) {
    for (const auto& box : boxes) {
      for (int y = box.top / block_pixels; y < box.bottom / block_pixels; ++y) {
        const auto row = active.begin() + y * static_cast<std::ptrdiff_t>(columns);
        std::fill(row + box.left / block_pixels, row + box.right / block_pixels, 1);
      }
    }
    // Row by row once more, some times over: where the bits have been too few for the whole.
    const auto beyond = static_cast<unsigned>(since_key_frame - whole_pictures);
    if (beyond < rounds_of_rows * rows)
      std::fill_n(active.begin() + beyond % rows * static_cast<std::ptrdiff_t>(columns), columns,
                  1);
  }
  vpx_active_map_t map{active.data(), rows, columns};
  vpx_codec_control(&encoder, VP8E_SET_ACTIVEMAP, &map);
}

// Moves what the encoder gives out into `frame`.
bool Vp8Camera::State::take_frame() {
  frame.clear();
  vpx_codec_iter_t at = nullptr;
  while (const auto* packet = vpx_codec_get_cx_data(&encoder, &at)) {
    if (packet->kind != VPX_CODEC_CX_FRAME_PKT) continue;
    const auto* bytes = static_cast<const std::uint8_t*>(packet->data.frame.buf);
    frame.insert(frame.end(), bytes, bytes + packet->data.frame.sz);
    if ((packet->data.frame.flags & VPX_FRAME_IS_KEY) != 0) since_key_frame = 0;
  }
  return !frame.empty();
}

Vp8Camera::Vp8Camera(std::unique_ptr<State> state) : state_(std::move(state)) {}
Vp8Camera::~Vp8Camera() = default;

base::Result<std::unique_ptr<stage::Camera>> Vp8Camera::create(
    std::string_view character, const stage::CameraOptions& options) {
  auto sheet = stage::sheet_of_character(character);
  if (!sheet) return base::fail(sheet.error());
  const auto [width, height] = options.size;
  auto painter = FacePainter::create(*sheet, width, height);
  if (!painter) return base::fail(painter.error());
  auto state = std::make_unique<State>(*std::move(painter));
  state->sheet = *std::move(sheet);
  state->options = options;
  state->pixels_per_unit = std::max(width / state->sheet->width, height / state->sheet->height);
  state->settings = settings_of(options);
  if (!state->open()) return base::fail(base::ErrorCode::unavailable, "no VP8 encoder");
  return std::unique_ptr<stage::Camera>(new Vp8Camera(std::move(state)));
}

std::span<const std::uint8_t> Vp8Camera::picture(const stage::Face& face, std::int64_t number,
                                                 stage::KeyFrame key) {
  auto& state = *state_;
  number = std::max(number, state.last_number + 1);
  const auto pictures = std::min<std::int64_t>(number - state.last_number, 25);
  state.last_number = number;
  const auto boxes = state.painter.draw(
      in_visible_steps(face, breath_at(number), *state.sheet, state.pixels_per_unit));
  for (const auto& box : boxes) state.turn_colours(box);
  const bool wants_key = key == stage::KeyFrame::now || state.needs_key_frame;
  if (wants_key) state.since_key_frame = 0;
  state.tell_what_changed(boxes);
  ++state.since_key_frame;
  const auto done =
      vpx_codec_encode(&state.encoder, state.image, number, static_cast<unsigned long>(pictures),
                       wants_key ? VPX_EFLAG_FORCE_KF : 0, VPX_DL_REALTIME);
  state.needs_key_frame = done != VPX_CODEC_OK || !state.take_frame();
  if (state.needs_key_frame) state.frame.clear();
  return state.frame;
}

void Vp8Camera::set_kilobits_per_second(int kilobits) {
  auto& settings = state_->settings;
  settings.rc_target_bitrate =
      static_cast<unsigned>(std::clamp(kilobits, kilobits_min, kilobits_max));
  vpx_codec_enc_config_set(&state_->encoder, &settings);
}

float breath_at(std::int64_t number) {
  constexpr double pictures_a_breath = 3.9 * stage::pictures_per_second;
  const double turns = static_cast<double>(number) / pictures_a_breath;
  return static_cast<float>(0.5 - 0.5 * std::cos(2 * M_PI * (turns - std::floor(turns))));
}

stage::FaceInputs in_visible_steps(const stage::Face& face, float breath,
                                   const stage::FaceSheet& sheet, double pixels_per_unit) {
  constexpr double step_pixels = 0.5;
  auto inputs = stage::inputs_of(face, breath);
  const auto round = [&](std::size_t input, double reach_units) {
    const double step = step_pixels / (reach_units * pixels_per_unit);
    auto& value = inputs.values[input];
    value = static_cast<float>(std::rint(value / step) * step);
  };
  const double turn = reach_of_turn(sheet);
  round(stage::head_yaw_input, turn);
  round(stage::head_pitch_input, turn);
  // The crown is the farthest from the neck.
  round(stage::head_roll_input, sheet.neck.y - sheet.head_centre.y + sheet.head_radius);
  round(stage::eye_yaw_input, reach_of(sheet, stage::eye_yaw_input));
  round(stage::eye_pitch_input, reach_of(sheet, stage::eye_pitch_input));
  round(stage::breath_input, reach_of(sheet, stage::breath_input));
  return inputs;
}

}  // namespace stagedoor::engines
