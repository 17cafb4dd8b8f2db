// SPDX-License-Identifier: Apache-2.0

#include "server/speak.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <span>

#include "engines/opus_ogg.h"
#include "server/motion_plot.h"
#include "server/speak_client.h"
#include "server/speak_opus.h"
#include "server/speak_sound.h"

namespace stagedoor::server {
namespace {

constexpr int done = 0;
constexpr int failed = 1;
constexpr int asked_wrongly = 2;
constexpr int chunk_milliseconds = 100;

int complain(int exit_code, const std::string& words) {
  fmt::print(stderr, "stagedoor speak: {}\n", words);
  return exit_code;
}
int complain(int exit_code, const base::Error& error) {
  return complain(exit_code, error.hint.empty() ? error.detail : error.hint);
}

// How the sound goes on its way, on stderr: on a terminal a line that redraws itself, else a line
// for each quarter.
class Progress {
 public:
  Progress(bool quiet, std::size_t chunks, std::size_t frames)
      : quiet_(quiet), redraws_(isatty(STDERR_FILENO) == 1), chunks_(chunks), frames_(frames) {}
  ~Progress() {
    if (!quiet_ && redraws_) std::fputs("\r\033[K", stderr);
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void operator()(const SpeakProgress& now) {
    if (quiet_) return;
    if (redraws_) {
      fmt::print(stderr, "\r\033[K  said {}   faces {}", bar(now.chunks_sent, chunks_),
                 bar(now.frames, frames_));
      std::fflush(stderr);
      return;
    }
    const auto quarter = now.chunks_sent * 4 / chunks_;
    if (quarter == quarters_told_) return;
    quarters_told_ = quarter;
    fmt::print(stderr, "said {} %, {} faces\n", quarter * 25, now.frames);
  }

 private:
  static std::string bar(std::size_t part, std::size_t whole) {
    constexpr std::size_t cells = 24;
    const auto reached = std::min(part, whole);
    const auto full = whole == 0 ? cells : reached * cells / whole;
    return fmt::format("[{:<{}}] {:>3} %", std::string(full, '='), cells,
                       whole == 0 ? 100 : reached * 100 / whole);
  }
  const bool quiet_;
  const bool redraws_;
  const std::size_t chunks_, frames_;
  std::size_t quarters_told_ = 0;
};

base::Result<std::string> api_key_of(const SpeakOptions& options) {
  using base::ErrorCode::malformed;
  if (options.api_key.empty() == options.api_key_file.empty()) {
    return base::fail(malformed, "key", "give an API key, or a file that holds one");
  }
  std::string key = options.api_key;
  if (key.empty()) {
    std::ifstream file(options.api_key_file, std::ios::binary);
    if (!file) return base::fail(malformed, "key", "cannot read " + options.api_key_file);
    key.assign(std::istreambuf_iterator<char>(file), {});
  }
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!key.empty() && blank(key.back())) key.pop_back();
  key.erase(key.begin(), std::ranges::find_if_not(key, blank));
  if (key.empty()) return base::fail(malformed, "key", "the API key is empty");
  return key;
}

std::vector<std::string> pcm_chunks(const Sound& sound) {
  const auto step = static_cast<std::size_t>(sound.rate_hz * chunk_milliseconds / 1000);
  std::vector<std::string> chunks;
  for (std::size_t at = 0; at < sound.samples.size(); at += step) {
    std::string bytes;
    for (auto i = at; i < std::min(at + step, sound.samples.size()); ++i) {
      const auto sample = static_cast<std::uint16_t>(sound.samples[i]);
      bytes.push_back(static_cast<char>(sample & 0xFF));
      bytes.push_back(static_cast<char>(sample >> 8));
    }
    chunks.push_back(std::move(bytes));
  }
  return chunks;
}

// Heads and the first packets together, then five pages of 20 ms to a chunk.
base::Result<std::vector<std::string>> opus_chunks(const Sound& sound) {
  const auto pages = ogg_opus_pages(sound);
  if (!pages) return base::fail(pages.error());
  constexpr std::size_t pages_in_chunk = chunk_milliseconds / 20;
  std::vector<std::string> chunks;
  for (std::size_t i = 0; i < pages->size(); ++i) {
    if (i % pages_in_chunk == 0) chunks.emplace_back();
    chunks.back() += (*pages)[i];
  }
  return chunks;
}

bool write_whole(const std::string& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << bytes;
  file.close();
  return file.good();
}

int show(const SpeakOptions& options, const Sound& sound, const SpeakReply& reply) {
  const bool wants_motion = !options.motion_json.empty() || !options.plot_png.empty();
  if (wants_motion && reply.motion.frames.empty() && reply.frames > 0) {
    return complain(failed, "the server sends frames, but no named face movement to write or draw");
  }
  if (!options.motion_json.empty() &&
      !write_whole(options.motion_json, motion_json(reply.motion))) {
    return complain(failed, "cannot write " + options.motion_json);
  }
  if (!options.plot_png.empty()) {
    const auto title = std::filesystem::path(options.file).filename().string();
    const auto drawn = draw_motion(options.plot_png, title, sound, reply.motion);
    if (!drawn) return complain(failed, drawn.error());
  }
  if (options.quiet) return done;
  fmt::print("speech       {:.2f} s, sent as {} at {} Hz\n", sound.seconds(),
             options.opus ? "Ogg Opus" : "PCM", sound.rate_hz);
  fmt::print("frames       {}, {} a second\n", reply.frames, SpokenMotion::frames_per_second);
  if (reply.frames > 0) {
    fmt::print("first frame  {:.3f} s after the first sound\n", reply.to_first_frame.count());
  }
  fmt::print("total        {:.3f} s\n", reply.total.count());
  if (!options.motion_json.empty()) fmt::print("motion       {}\n", options.motion_json);
  if (!options.plot_png.empty()) fmt::print("plot         {}\n", options.plot_png);
  return done;
}

}  // namespace

int speak(const SpeakOptions& options) {
  const auto key = api_key_of(options);
  if (!key) return complain(asked_wrongly, key.error());
  if (options.app_id.empty()) return complain(asked_wrongly, "an app id is needed");
  if (options.avatar_id.empty()) return complain(asked_wrongly, "an avatar id is needed");

  auto read = read_sound(options.file);
  if (!read) return complain(asked_wrongly, read.error());
  const std::span<const int> rates_hz =
      options.opus ? std::span<const int>(stage::opus_rates_hz) : stage::pcm_rates_hz;
  const auto sound = at_rate_of(std::move(*read), rates_hz);
  auto chunks = options.opus ? opus_chunks(sound) : pcm_chunks(sound);
  if (!chunks) return complain(failed, chunks.error());

  const SpeakTarget target{.server_url = options.server_url,
                           .api_key = *key,
                           .app_id = options.app_id,
                           .avatar_id = options.avatar_id};
  const SpeakUtterance utterance{
      .rate_hz = sound.rate_hz, .ogg_opus = options.opus, .chunks = std::move(*chunks)};
  const auto reply = [&] {
    Progress progress(options.quiet, utterance.chunks.size(),
                      static_cast<std::size_t>(sound.seconds() * 25));
    return speak_to(target, utterance, std::ref(progress));
  }();
  if (!reply) {
    const bool wrongly = reply.error().code == base::ErrorCode::malformed;
    return complain(wrongly ? asked_wrongly : failed, reply.error());
  }
  return show(options, sound, *reply);
}

}  // namespace stagedoor::server
