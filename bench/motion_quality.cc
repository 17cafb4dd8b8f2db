// How well motion follows speech whose sounds are known.
//
//   bench/make-speech FOLDER && motion_quality FOLDER
//
// Reads NAME.wav and NAME.lab (VOICE.NUMBER; held-... voices and all the sentences were never
// trained on) and prints one line for each voice and one for all held-out voices:
//
//   jaw     Pearson correlation of jawOpen with the openness of the phoneme that a face falls into
//           (openness() below), over the faces inside speech
//   closed  share of the faces inside m, b, p whose lips are closed: aperture() under 0.05
//   first   the same for the faces in the first two thirds of the sound: past those a p is breath
//   wrong   share of the faces inside open vowels (aa ae ao ay aw eh) whose lips are closed
//   else    the same inside all sounds but m b p f v
//   round   faces inside uw w ow oy: mean of pucker + funnel; spread: the same inside iy eh
//   auc     how often a face of the one kind has more of it than a face of the other
//   hiss    share of the faces inside s z whose teeth are near (jawOpen < 0.16) and lips parted
//   bite    share of the faces inside f v whose lower lip is under the teeth (mouthRollLower > 0.2)
//   rest    time from the end of speech to a resting mouth, mean and longest, over the silences of
//           300 ms and more; then: the share of resting faces from 200 ms after that end to 120 ms
//           before the next speech, for which the mouth opens ahead
//
// Voices named person-... are recordings of people, whose labels are less exact. Then come the
// figures of every fourth held-out sentence softer, noisier and at other rates, and what moves on
// the recordings of people that Debian ships, if they are there.
//
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "stage/motion.h"

namespace {

using namespace stagedoor::stage;

struct Label {
  double start, end;
  std::string phoneme;
};
struct Speech {
  std::string voice;
  int rate_hz = 16000;
  std::vector<std::int16_t> samples;
  std::vector<Label> labels;
};

// How far a phoneme opens the jaw, 0 shut to 1.
double openness(const std::string& phoneme) {
  static const std::map<std::string, double> table = {
      {"aa", 1.0},  {"ae", 0.9},  {"ay", 0.8}, {"aw", 0.8},  {"ao", 0.75}, {"eh", 0.65},
      {"ah", 0.6},  {"oy", 0.6},  {"ey", 0.5}, {"ow", 0.5},  {"er", 0.4},  {"hh", 0.4},
      {"ih", 0.35}, {"uh", 0.35}, {"l", 0.3},  {"iy", 0.25}, {"r", 0.25},  {"k", 0.25},
      {"g", 0.25},  {"ng", 0.25}, {"uw", 0.2}, {"y", 0.2},   {"n", 0.2},   {"t", 0.2},
      {"d", 0.2},   {"th", 0.2},  {"dh", 0.2}, {"w", 0.15},  {"sh", 0.15}, {"zh", 0.15},
      {"ch", 0.15}, {"jh", 0.15}, {"s", 0.1},  {"z", 0.1},   {"f", 0.08},  {"v", 0.08},
      {"m", 0.0},   {"b", 0.0},   {"p", 0.0},  {"pau", 0.0}};
  const auto found = table.find(phoneme);
  return found == table.end() ? 0.0 : found->second;
}

// What is open between the lips: the jaw's part that the lips do not make good, and what they
// themselves draw up, down and out.
float aperture(const Face& face) {
  return face[Shape::jawOpen] - face[Shape::mouthClose] +
         0.5F * (face[Shape::mouthLowerDownLeft] + face[Shape::mouthUpperUpLeft]) +
         0.3F * face[Shape::mouthFunnel];
}
constexpr float closed_aperture = 0.05F;

bool at_rest(const Face& face) {
  return face[Shape::jawOpen] < 0.04F && aperture(face) < closed_aperture &&
         face[Shape::mouthPucker] < 0.1F && face[Shape::mouthStretchLeft] < 0.1F;
}

std::vector<Face> perform(const std::vector<std::int16_t>& samples, int rate_hz,
                          std::uint64_t seed = 1) {
  Motion motion(rate_hz, seed);
  std::vector<Face> faces;
  motion.push(samples, faces);
  motion.finish(faces);
  return faces;
}

bool is_one_of(const std::string& phoneme, std::initializer_list<const char*> names) {
  return std::find(names.begin(), names.end(), phoneme) != names.end();
}

struct Share {
  long yes = 0, all = 0;
  void count(bool is) {
    yes += is;
    ++all;
  }
  double value() const { return all ? static_cast<double>(yes) / static_cast<double>(all) : 0; }
};

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
  const double spread = std::sqrt((aa - sum_a * sum_a / count) * (bb - sum_b * sum_b / count));
  return spread > 0 ? (ab - sum_a * sum_b / count) / spread : 0;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

// The chance that one of `more` is above one of `less`.
double above(const std::vector<double>& more, std::vector<double> less) {
  std::sort(less.begin(), less.end());
  double wins = 0;
  for (const double value : more) {
    wins += static_cast<double>(std::lower_bound(less.begin(), less.end(), value) - less.begin());
  }
  return more.empty() || less.empty()
             ? 0
             : wins / static_cast<double>(more.size()) / static_cast<double>(less.size());
}

struct Figures {
  std::vector<double> jaw, open, round, spread;
  std::vector<double> rest_ms;  // Of each silence
  Share closed, closed_first, wrong, hiss, bite, resting, else_closed;

  void watch(const Speech& speech, const std::vector<Face>& faces);
  void watch_rest(const Speech& speech, const std::vector<Face>& faces);
  void watch_silence(double begin, double end, const std::vector<Face>& faces);
  void print(const char* name) const;
};

void Figures::watch(const Speech& speech, const std::vector<Face>& faces) {
  std::size_t at = 0;
  watch_rest(speech, faces);
  for (std::size_t i = 0; i < faces.size(); ++i) {
    const double time = static_cast<double>(i) / frames_per_second;
    while (at < speech.labels.size() && speech.labels[at].end <= time) ++at;
    const bool inside = at < speech.labels.size() && speech.labels[at].start <= time;
    const std::string phoneme = inside ? speech.labels[at].phoneme : "pau";
    const Face& face = faces[i];
    if (phoneme == "pau" || phoneme == "?") continue;
    const bool lips_closed = aperture(face) < closed_aperture;
    jaw.push_back(face[Shape::jawOpen]);
    open.push_back(openness(phoneme));
    if (is_one_of(phoneme, {"m", "b", "p"})) {
      closed.count(lips_closed);
      const Label& label = speech.labels[at];
      if (time < label.start + (label.end - label.start) * 2 / 3) closed_first.count(lips_closed);
    }
    if (!is_one_of(phoneme, {"m", "b", "p", "f", "v"})) else_closed.count(lips_closed);
    if (is_one_of(phoneme, {"aa", "ae", "ao", "ay", "aw", "eh"})) wrong.count(lips_closed);
    const double rounded = face[Shape::mouthPucker] + face[Shape::mouthFunnel];
    if (is_one_of(phoneme, {"uw", "w", "ow", "oy"})) round.push_back(rounded);
    if (is_one_of(phoneme, {"iy", "eh"})) spread.push_back(rounded);
    if (is_one_of(phoneme, {"s", "z"})) {
      hiss.count(face[Shape::jawOpen] < 0.16F && face[Shape::mouthLowerDownLeft] > 0.08F);
    }
    if (is_one_of(phoneme, {"f", "v"})) bite.count(face[Shape::mouthRollLower] > 0.2F);
  }
}

// Silences are those of 300 ms and more that follow speech; the last lasts to the end.
void Figures::watch_rest(const Speech& speech, const std::vector<Face>& faces) {
  const double whole = static_cast<double>(faces.size()) / frames_per_second;
  double begin = 0;
  for (std::size_t k = 0; k <= speech.labels.size(); ++k) {
    const bool over = k == speech.labels.size();
    if (!over && speech.labels[k].phoneme == "pau") continue;
    const double end = over ? whole : speech.labels[k].start - 0.12;
    if (begin > 0 && end - begin >= 0.18) watch_silence(begin, end, faces);
    if (!over) begin = speech.labels[k].end;
  }
}

void Figures::watch_silence(double begin, double end, const std::vector<Face>& faces) {
  double first = end;
  for (auto i = static_cast<std::size_t>(std::ceil(begin * frames_per_second)); i < faces.size();
       ++i) {
    const double time = static_cast<double>(i) / frames_per_second;
    if (time >= end) break;
    if (at_rest(faces[i])) first = std::min(first, time);
    if (time >= begin + 0.2) resting.count(at_rest(faces[i]));
  }
  rest_ms.push_back((first - begin) * 1000);
}

void Figures::print(const char* name) const {
  std::printf(
      "%-22s jaw %.3f  closed %.1f%% of %ld (first %.1f%%)  wrong %.2f%% else %.1f%%  round %.2f "
      "spread "
      "%.2f "
      "auc %.3f  hiss %.1f%%  bite %.1f%%  rest %.0f, %.0f ms (then %.1f%%)\n",
      name, correlation(jaw, open), 100 * closed.value(), closed.all, 100 * closed_first.value(),
      100 * wrong.value(), 100 * else_closed.value(), mean(round), mean(spread),
      above(round, spread), 100 * hiss.value(), 100 * bite.value(), mean(rest_ms),
      rest_ms.empty() ? 0 : *std::max_element(rest_ms.begin(), rest_ms.end()),
      100 * resting.value());
}

std::vector<std::int16_t> read_wav(const std::filesystem::path& path, int& rate_hz) {
  std::ifstream file(path, std::ios::binary);
  std::vector<char> bytes((std::istreambuf_iterator<char>(file)), {});
  std::vector<std::int16_t> samples;
  if (path.extension() == ".raw") {
    samples.resize(bytes.size() / 2);
    if (!samples.empty()) std::memcpy(samples.data(), bytes.data(), samples.size() * 2);
    rate_hz = 16000;
  } else if (bytes.size() > 44) {
    std::memcpy(&rate_hz, bytes.data() + 24, 4);
    samples.resize((bytes.size() - 44) / 2);
    std::memcpy(samples.data(), bytes.data() + 44, samples.size() * 2);
  }
  return samples;
}

std::vector<Speech> read_speech(const char* folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".wav") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<Speech> all;
  for (auto& path : paths) {
    Speech speech;
    speech.voice = path.stem().stem().string();
    speech.samples = read_wav(path, speech.rate_hz);
    const bool synthetic = !speech.voice.starts_with("person");
    // Silence follows, in which the mouth has to come to rest.
    if (synthetic) speech.samples.resize(speech.samples.size() + speech.rate_hz * 3 / 5);
    std::ifstream lines(path.replace_extension(".lab"));
    Label label;
    while (lines >> label.start >> label.end >> label.phoneme) speech.labels.push_back(label);
    all.push_back(std::move(speech));
  }
  return all;
}

// The same speech so much softer, and with white noise so far under it (or none: 0).
Speech changed(Speech speech, double gain_db, double noise_under_db) {
  double power = 0;
  for (const auto sample : speech.samples) power += static_cast<double>(sample) * sample;
  power /= static_cast<double>(speech.samples.size());
  const double noise =
      noise_under_db > 0 ? std::sqrt(3 * power) * std::pow(10, -noise_under_db / 20) : 0;
  const double gain = std::pow(10, gain_db / 20);
  std::uint32_t state = 12345;
  for (auto& sample : speech.samples) {
    state = state * 1664525U + 1013904223U;
    const double even = static_cast<double>(state >> 8) / (1 << 23) - 1;
    sample = static_cast<std::int16_t>(
        std::clamp(std::round((sample + even * noise) * gain), -32768.0, 32767.0));
  }
  return speech;
}

// To another rate with a wide windowed sinc, which is not the product's own resampler.
Speech at_rate(Speech speech, int rate_hz) {
  const double step = static_cast<double>(speech.rate_hz) / rate_hz;
  const double cut = std::min(1.0, 1 / step) * 0.96;
  const auto count = static_cast<std::size_t>(static_cast<double>(speech.samples.size()) / step);
  std::vector<std::int16_t> out(count);
  const int half = static_cast<int>(24 / cut);
  for (std::size_t k = 0; k < count; ++k) {
    const double place = static_cast<double>(k) * step;
    const auto whole = static_cast<long>(place);
    double sum = 0;
    for (long i = std::max(0L, whole - half);
         i <= std::min(static_cast<long>(speech.samples.size()) - 1, whole + half); ++i) {
      const double x = (static_cast<double>(i) - place) * 3.14159265358979 * cut;
      const double window =
          0.5 + 0.5 * std::cos(3.14159265358979 * (static_cast<double>(i) - place) / (half + 1));
      sum += speech.samples[static_cast<std::size_t>(i)] * cut * window *
             (std::abs(x) < 1e-9 ? 1 : std::sin(x) / x);
    }
    out[k] = static_cast<std::int16_t>(std::clamp(sum, -32768.0, 32767.0));
  }
  speech.samples = std::move(out);
  speech.rate_hz = rate_hz;
  return speech;
}

void print_recordings() {
  const std::array folders = {"/usr/share/sounds/alsa", "/usr/share/pocketsphinx/test/data",
                              "/usr/share/pocketsphinx/test/data/cards",
                              "/usr/share/pocketsphinx/test/data/librivox"};
  for (const char* folder : folders) {
    std::error_code error;
    std::vector<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
      const auto kind = entry.path().extension();
      if (kind == ".wav" || kind == ".raw") paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end());
    for (const auto& path : paths) {
      int rate_hz = 0;
      const auto samples = read_wav(path, rate_hz);
      if (samples.empty()) continue;
      const auto faces = perform(samples, rate_hz);
      float widest = 0, fastest = 0, before = 0;
      double sum = 0;
      Share pressed, rest;
      for (const Face& face : faces) {
        const float jaw = face[Shape::jawOpen];
        widest = std::max(widest, jaw);
        fastest = std::max(fastest, std::abs(jaw - before));
        before = jaw;
        sum += jaw;
        pressed.count(face[Shape::mouthPressLeft] > 0.3F);
        rest.count(at_rest(face) && face[Shape::mouthPressLeft] <= 0.3F);
      }
      std::printf(
          "recording %-34s jaw mean %.2f most %.2f step %.2f  pressed %4.1f%%  rest %4.1f%%\n",
          path.stem().c_str(), sum / static_cast<double>(faces.size()), widest, fastest,
          100 * pressed.value(), 100 * rest.value());
    }
  }
}

// Faces as a table, to look at.
void print_faces(const Speech& speech) {
  const auto faces = perform(speech.samples, speech.rate_hz);
  std::size_t at = 0;
  for (std::size_t i = 0; i < faces.size(); ++i) {
    const double time = static_cast<double>(i) / frames_per_second;
    while (at + 1 < speech.labels.size() && speech.labels[at].end <= time) ++at;
    const Face& f = faces[i];
    std::printf(
        "%5.2f %-4s jaw %.2f aperture %.2f press %.2f bite %.2f pucker %.2f funnel %.2f "
        "stretch %.2f smile %.2f\n",
        time, at < speech.labels.size() ? speech.labels[at].phoneme.c_str() : "", f[Shape::jawOpen],
        aperture(f), f[Shape::mouthPressLeft], f[Shape::mouthRollLower], f[Shape::mouthPucker],
        f[Shape::mouthFunnel], f[Shape::mouthStretchLeft], f[Shape::mouthSmileLeft]);
  }
}

}  // namespace

int main(int count, char** words) {
  if (count < 2) {
    std::fprintf(stderr, "motion_quality FOLDER [NAME]   (bench/make-speech fills FOLDER)\n");
    return 2;
  }
  const auto all = read_speech(words[1]);
  if (count > 2) {
    for (const Speech& speech : all) {
      if (speech.voice == words[2]) return print_faces(speech), 0;
    }
    return 2;
  }
  std::map<std::string, Figures> voices;
  Figures held, known;
  for (const Speech& speech : all) {
    const auto faces = perform(speech.samples, speech.rate_hz);
    voices[speech.voice].watch(speech, faces);
    if (speech.voice.starts_with("person")) continue;
    (speech.voice.starts_with("held") ? held : known).watch(speech, faces);
  }
  for (const auto& [name, figures] : voices) figures.print(name.c_str());
  held.print("all held-out voices");
  known.print("all known voices");
  const auto print_changed = [&](const char* name, auto change) {
    Figures figures;
    for (std::size_t i = 0; i < all.size(); i += 4) {
      if (!all[i].voice.starts_with("held")) continue;
      const Speech speech = change(all[i]);
      figures.watch(speech, perform(speech.samples, speech.rate_hz));
    }
    figures.print(name);
  };
  print_changed("held, 12 dB softer", [](auto s) { return changed(s, -12, 0); });
  print_changed("held, 30 dB softer", [](auto s) { return changed(s, -30, 0); });
  print_changed("held, 6 dB too loud", [](auto s) { return changed(s, 6, 0); });
  print_changed("held, noise -30 dB", [](auto s) { return changed(s, 0, 30); });
  print_changed("held, noise -20 dB", [](auto s) { return changed(s, 0, 20); });
  print_changed("held, noise -10 dB", [](auto s) { return changed(s, 0, 10); });
  for (const int rate_hz : {8000, 12000, 48000}) {
    const std::string name = "held, at " + std::to_string(rate_hz) + " Hz";
    print_changed(name.c_str(), [&](auto s) { return at_rate(s, rate_hz); });
  }
  print_recordings();
}
