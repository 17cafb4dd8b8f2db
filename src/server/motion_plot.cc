// SPDX-License-Identifier: Apache-2.0

#include "server/motion_plot.h"

#include <cairo.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <tuple>
#include <utility>

namespace stagedoor::server {
namespace {

constexpr int width = 1600;
constexpr int height = 860;

struct Box {
  double left, top, right, bottom;
  double middle() const { return (top + bottom) / 2; }
};
constexpr Box sound_box{96, 108, 1552, 378};
constexpr Box motion_box{96, 428, 1552, 776};

struct Colour {
  double red, green, blue;
};
constexpr Colour ink{0.13, 0.15, 0.19};
constexpr Colour faint_ink{0.42, 0.45, 0.51};
constexpr Colour grid{0.89, 0.90, 0.92};
constexpr Colour panel{0.985, 0.986, 0.99};
constexpr Colour wave{0.33, 0.42, 0.58};
constexpr Colour jaw{0.87, 0.40, 0.13};
constexpr Colour lips{0.05, 0.52, 0.50};

struct SurfaceDestroyer {
  void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
};
struct PenDestroyer {
  void operator()(cairo_t* pen) const { cairo_destroy(pen); }
};

enum class Align { left, centre, right };

// A few words for what cairo says in many.
class Canvas {
 public:
  Canvas()
      : surface_(cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height)),
        pen_(cairo_create(surface_.get())) {
    cairo_set_line_join(pen(), CAIRO_LINE_JOIN_ROUND);
    cairo_set_line_cap(pen(), CAIRO_LINE_CAP_ROUND);
    cairo_set_source_rgb(pen(), 1, 1, 1);
    cairo_paint(pen());
  }
  cairo_t* pen() const { return pen_.get(); }
  cairo_status_t save(const std::string& path) const {
    return cairo_surface_write_to_png(surface_.get(), path.c_str());
  }

  void colour(const Colour& c, double alpha = 1) const {
    cairo_set_source_rgba(pen(), c.red, c.green, c.blue, alpha);
  }
  void fill(const Box& box, const Colour& c) const {
    colour(c);
    cairo_rectangle(pen(), box.left, box.top, box.right - box.left, box.bottom - box.top);
    cairo_fill(pen());
  }
  void line(double x1, double y1, double x2, double y2, const Colour& c, double thick) const {
    colour(c);
    cairo_set_line_width(pen(), thick);
    cairo_move_to(pen(), x1, y1);
    cairo_line_to(pen(), x2, y2);
    cairo_stroke(pen());
  }
  // `y` is the base line.
  void text(const std::string& words, double x, double y, double size, const Colour& c,
            Align align = Align::left, bool bold = false) const {
    cairo_select_font_face(pen(), "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                           bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(pen(), size);
    cairo_text_extents_t extents;
    cairo_text_extents(pen(), words.c_str(), &extents);
    const double shift = align == Align::left ? 0 : align == Align::centre ? 0.5 : 1;
    colour(c);
    cairo_move_to(pen(), x - shift * extents.x_advance, y);
    cairo_show_text(pen(), words.c_str());
    cairo_new_path(pen());
  }

 private:
  std::unique_ptr<cairo_surface_t, SurfaceDestroyer> surface_;
  std::unique_ptr<cairo_t, PenDestroyer> pen_;
};

double x_of(double seconds, double duration) {
  return sound_box.left + seconds / duration * (sound_box.right - sound_box.left);
}

// The round step that gives six to fifteen ticks.
double tick_step(double duration) {
  for (double decade = 0.01;; decade *= 10) {
    for (const double digit : {1.0, 2.0, 5.0}) {
      if (duration / (decade * digit) <= 15) return decade * digit;
    }
  }
}

void draw_time_axis(const Canvas& canvas, double duration) {
  const double step = tick_step(duration);
  const int decimals = step < 0.1 ? 2 : step < 1 ? 1 : 0;
  for (int i = 0; i * step <= duration + step / 1000; ++i) {
    const double x = std::round(x_of(i * step, duration)) + 0.5;
    for (const auto& box : {sound_box, motion_box}) {
      canvas.line(x, box.top, x, box.bottom, grid, 1);
    }
    canvas.text(fmt::format("{:.{}f}", i * step, decimals), x, motion_box.bottom + 24, 16,
                faint_ink, Align::centre);
  }
  canvas.text("seconds", (motion_box.left + motion_box.right) / 2, motion_box.bottom + 54, 17,
              faint_ink, Align::centre);
}

void draw_frame(const Canvas& canvas, const Box& box) {
  canvas.colour(faint_ink, 0.55);
  cairo_set_line_width(canvas.pen(), 1);
  cairo_rectangle(canvas.pen(), box.left + 0.5, box.top + 0.5, box.right - box.left,
                  box.bottom - box.top);
  cairo_stroke(canvas.pen());
}

void draw_levels(const Canvas& canvas) {
  for (int quarter = 0; quarter <= 4; ++quarter) {
    const double y =
        std::round(motion_box.bottom - quarter / 4.0 * (motion_box.bottom - motion_box.top)) + 0.5;
    canvas.line(motion_box.left, y, motion_box.right, y, grid, 1);
    canvas.text(fmt::format("{:.2f}", quarter / 4.0), motion_box.left - 12, y + 5, 16, faint_ink,
                Align::right);
  }
}

// One vertical stroke a pixel, from the lowest to the highest sample in it. The sound is scaled to
// its own peak, which the axis tells.
void draw_sound(const Canvas& canvas, const Sound& sound) {
  const auto size = sound.samples.size();
  int peak = 1;
  for (const auto sample : sound.samples) peak = std::max(peak, std::abs(int{sample}));
  const double half = (sound_box.bottom - sound_box.top) / 2 * 0.94;
  const auto columns = static_cast<std::size_t>(sound_box.right - sound_box.left);
  canvas.colour(wave);
  cairo_set_line_width(canvas.pen(), 1);
  for (std::size_t column = 0; column < columns; ++column) {
    const auto begin = std::min(column * size / columns, size - 1);
    // One sample over the edge, so that neighbouring strokes meet.
    const auto end = std::clamp((column + 1) * size / columns + 1, begin + 1, size);
    const auto [low, high] = std::minmax_element(sound.samples.begin() + std::ptrdiff_t(begin),
                                                 sound.samples.begin() + std::ptrdiff_t(end));
    const double x = sound_box.left + static_cast<double>(column) + 0.5;
    cairo_move_to(canvas.pen(), x, sound_box.middle() - half * *high / peak - 0.5);
    cairo_line_to(canvas.pen(), x, sound_box.middle() - half * *low / peak + 0.5);
  }
  cairo_stroke(canvas.pen());
  const double full = peak / 32768.0;
  canvas.text(fmt::format("+{:.2f}", full), sound_box.left - 12, sound_box.middle() - half + 5, 16,
              faint_ink, Align::right);
  canvas.text("0", sound_box.left - 12, sound_box.middle() + 5, 16, faint_ink, Align::right);
  canvas.text(fmt::format("\u2212{:.2f}", full), sound_box.left - 12, sound_box.middle() + half + 5,
              16, faint_ink, Align::right);
}

enum class Under { filled, bare };

void draw_curve(const Canvas& canvas, const std::vector<float>& values, double duration,
                const Colour& colour, Under under) {
  if (values.empty()) return;
  const double tall = motion_box.bottom - motion_box.top;
  const auto trace = [&] {
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double seconds = static_cast<double>(i) / SpokenMotion::frames_per_second;
      const double value = std::isfinite(values[i]) ? std::clamp(values[i], 0.0F, 1.0F) : 0.0;
      cairo_line_to(canvas.pen(), x_of(seconds, duration), motion_box.bottom - value * tall);
    }
  };
  if (under == Under::filled) {
    cairo_move_to(canvas.pen(), x_of(0, duration), motion_box.bottom);
    trace();
    const double end = static_cast<double>(values.size() - 1) / SpokenMotion::frames_per_second;
    cairo_line_to(canvas.pen(), x_of(end, duration), motion_box.bottom);
    canvas.colour(colour, 0.16);
    cairo_fill(canvas.pen());
  }
  trace();
  canvas.colour(colour);
  cairo_set_line_width(canvas.pen(), 2.4);
  cairo_stroke(canvas.pen());
}

void draw_legend(const Canvas& canvas) {
  constexpr double y = 66;
  double x = 1122;
  for (const auto& [name, colour, step] :
       {std::tuple{"sound", wave, 126.0}, {"jaw open", jaw, 154.0}, {"lips closed", lips, 0.0}}) {
    canvas.line(x, y - 6, x + 30, y - 6, colour, 5);
    canvas.text(name, x + 42, y, 18, ink);
    x += step;
  }
}

}  // namespace

std::vector<float> lip_closure(const SpokenMotion& motion) {
  std::vector<float> closed;
  for (const auto* name : {"mouthClose", "mouthPressLeft", "mouthPressRight", "mouthRollLower"}) {
    const auto curve = motion.curve(name);
    if (closed.size() < curve.size()) closed.resize(curve.size());
    for (std::size_t i = 0; i < curve.size(); ++i) closed[i] = std::max(closed[i], curve[i]);
  }
  return closed;
}

base::Result<base::Done> draw_motion(const std::string& path, const std::string& title,
                                     const Sound& sound, const SpokenMotion& motion) {
  const Canvas canvas;
  const double duration = std::max(sound.seconds(), 0.04);
  canvas.text(title, sound_box.left, 50, 26, ink, Align::left, true);
  canvas.text(fmt::format("{:.2f} s of sound at {} Hz, {} faces at 25 a second", sound.seconds(),
                          sound.rate_hz, motion.frames.size()),
              sound_box.left, 80, 18, faint_ink);
  draw_legend(canvas);
  canvas.fill(sound_box, panel);
  canvas.fill(motion_box, panel);
  draw_time_axis(canvas, duration);
  draw_levels(canvas);
  draw_sound(canvas, sound);
  const auto jaw_open = motion.curve("jawOpen");
  draw_curve(canvas, jaw_open, duration, jaw, Under::filled);
  if (!jaw_open.empty()) draw_curve(canvas, lip_closure(motion), duration, lips, Under::bare);
  draw_frame(canvas, sound_box);
  draw_frame(canvas, motion_box);
  const auto status = canvas.save(path);
  if (status != CAIRO_STATUS_SUCCESS) {
    return base::fail(base::ErrorCode::unavailable, "cairo_surface_write_to_png",
                      "cannot write " + path + ": " + cairo_status_to_string(status));
  }
  return base::Done{};
}

}  // namespace stagedoor::server
