// SPDX-License-Identifier: Apache-2.0

#include "engines/flite_speech.h"

#include <flite/cst_error.h>
#include <flite/flite.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

extern "C" {
cst_voice* register_cmu_us_slt(const char* folder);
cst_voice* register_cmu_us_rms(const char* folder);
cst_voice* register_cmu_us_awb(const char* folder);
cst_voice* register_cmu_us_kal16(const char* folder);
}

namespace stagedoor::engines {
namespace {

using base::ErrorCode;
using stage::SpeechMark;
using Clock = std::chrono::steady_clock;

constexpr double lead_seconds = 0.04;  // of the silence before the first word
constexpr int callback_samples = 512;

struct Voice {
  std::string_view name;
  cst_voice* (*make)(const char*);
  cst_voice* made = nullptr;
};

// Guards all of flite.
std::mutex flite_mutex;
std::array<Voice, 4> voices = {{{"slt", &register_cmu_us_slt},
                                {"rms", &register_cmu_us_rms},
                                {"awb", &register_cmu_us_awb},
                                {"kal", &register_cmu_us_kal16}}};

bool is_voice(std::string_view name) {
  return std::ranges::any_of(voices, [&](const Voice& voice) { return voice.name == name; });
}

cst_voice* voice_named(std::string_view name) {
  static const bool is_ready = flite_init() == 0;
  if (!is_ready) return nullptr;
  const auto found = std::ranges::find(voices, name, &Voice::name);
  if (found == voices.end()) return nullptr;
  if (!found->made) found->made = found->make(nullptr);
  return found->made;
}

// One request under way, as flite's callback sees it.
struct Making {
  const stage::SpeechRequest& request;
  const stage::SpeechSink& sink;
  const std::stop_token& token;
  Clock::time_point deadline;
  bool has_begun = false;
  bool is_late = false;
  int skipped_samples = 0;  // of the silence before the first word
};

cst_relation* relation(const Making&, const cst_utterance* utterance, const char* name) {
  return utt_relation(const_cast<cst_utterance*>(utterance), name);
}

std::int64_t sample_at(double seconds, int rate_hz, int skipped) {
  return std::max<std::int64_t>(std::llround(seconds * rate_hz) - skipped, 0);
}

double begin_of(const cst_item* segment) {
  const cst_item* before = item_prev(segment);
  return before ? item_feat_float(before, "end") : 0;
}

void append_phonemes(const Making& making, const cst_wave& wave, const cst_utterance* utterance,
                     std::vector<SpeechMark>& marks) {
  for (const auto* segment = relation_head(relation(making, utterance, "Segment")); segment;
       segment = item_next(segment)) {
    SpeechMark mark;
    mark.kind = SpeechMark::Kind::phoneme;
    mark.phoneme = item_feat_string(segment, "name");
    mark.begin_sample = sample_at(begin_of(segment), wave.sample_rate, making.skipped_samples);
    mark.end_sample =
        sample_at(item_feat_float(segment, "end"), wave.sample_rate, making.skipped_samples);
    if (mark.end_sample > mark.begin_sample) marks.push_back(std::move(mark));
  }
}

// The words of a token ("$5.20" has four) as one mark; false where it has none.
bool word_of(const Making& making, const cst_wave& wave, const cst_item* token, SpeechMark& mark) {
  const cst_item* first = item_daughter(token);
  const cst_item* last = item_last_daughter(token);
  if (!first || !last) return false;
  const cst_item* begin = path_to_item(first, "R:SylStructure.daughter1.daughter1.R:Segment");
  const cst_item* end = path_to_item(last, "R:SylStructure.daughtern.daughtern.R:Segment");
  if (!begin || !end) return false;
  mark.begin_sample = sample_at(begin_of(begin), wave.sample_rate, making.skipped_samples);
  mark.end_sample =
      sample_at(item_feat_float(end, "end"), wave.sample_rate, making.skipped_samples);
  return true;
}

std::string_view feature(const cst_item* item, const char* name) {
  return item_feat_present(item, name) ? item_feat_string(item, name) : "";
}

void append_words(const Making& making, const cst_wave& wave, const cst_utterance* utterance,
                  std::vector<SpeechMark>& marks) {
  const std::string_view text = making.request.text;
  std::size_t cursor = 0;
  for (const auto* token = relation_head(relation(making, utterance, "Token")); token;
       token = item_next(token)) {
    const auto name = feature(token, "name");
    const auto at = text.find(name, cursor);
    if (name.empty() || at == text.npos) continue;
    const auto before = feature(token, "prepunctuation"), after = feature(token, "punc");
    SpeechMark mark;
    mark.text_begin = at;
    if (at - cursor >= before.size() && text.substr(at - before.size(), before.size()) == before)
      mark.text_begin = at - before.size();
    cursor = at + name.size();
    if (text.substr(cursor, after.size()) == after) cursor += after.size();
    mark.text_end = cursor;
    if (word_of(making, wave, token, mark)) marks.push_back(std::move(mark));
  }
}

void begin(Making& making, const cst_wave& wave, const cst_utterance* utterance,
           stage::SpeechChunk& chunk) {
  making.has_begun = true;
  const auto* first = relation_head(relation(making, utterance, "Segment"));
  if (first && feature(first, "name") == "pau") {
    const double silence = item_feat_float(first, "end") - lead_seconds;
    making.skipped_samples = static_cast<int>(std::max(silence, 0.0) * wave.sample_rate);
  }
  append_words(making, wave, utterance, chunk.marks);
  append_phonemes(making, wave, utterance, chunk.marks);
}

int on_sound(const cst_wave* wave, int start, int size, int, cst_audio_streaming_info* info) {
  auto& making = *static_cast<Making*>(info->userdata);
  making.is_late = Clock::now() > making.deadline;
  if (making.token.stop_requested() || making.is_late) return CST_AUDIO_STREAM_STOP;
  stage::SpeechChunk chunk;
  chunk.rate_hz = wave->sample_rate;
  if (!making.has_begun) begin(making, *wave, info->utt, chunk);
  const int from = std::max(start, making.skipped_samples);
  if (from < start + size) {
    chunk.samples.assign(wave->samples + from, wave->samples + start + size);
    making.sink(std::move(chunk));
  } else if (!chunk.marks.empty()) {
    making.sink(std::move(chunk));
  }
  return CST_AUDIO_STREAM_CONT;
}

enum class Outcome { made, failed };

// flite leaves by longjmp where it fails, so nothing here has a destructor. What it had allocated
// is lost then.
Outcome synthesize(cst_voice* voice, const char* text, float stretch,
                   cst_audio_streaming_info* info) {
  jmp_buf failed;
  cst_errjmp = &failed;
  if (setjmp(failed) != 0) {
    cst_errjmp = nullptr;
    return Outcome::failed;
  }
  cst_utterance* utterance = new_utterance();
  utt_set_input_text(utterance, text);
  utt_init(utterance, voice);
  info->utt = utterance;
  // The utterance owns the information from here on.
  feat_set(utterance->features, "streaming_info", audio_streaming_info_val(info));
  if (stretch != 1) flite_feat_set_float(utterance->features, "duration_stretch", stretch);
  const cst_utterance* made = utt_synth(utterance);
  delete_utterance(utterance);
  cst_errjmp = nullptr;
  return made ? Outcome::made : Outcome::failed;
}

stage::SpeechEvent failure(ErrorCode code, std::string detail) {
  return base::Error{code, "flite: " + std::move(detail), {}};
}

// Whether there is something to say: flite fails for a text without any word.
bool has_word(std::string_view text) {
  return std::ranges::any_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  });
}

void make(const stage::SpeechRequest& request, const std::string& voice_name,
          Clock::time_point deadline, const std::stop_token& token, const stage::SpeechSink& sink) {
  if (token.stop_requested()) return;
  if (!has_word(request.text)) return sink(stage::SpeechEnd{});
  Making making{.request = request, .sink = sink, .token = token, .deadline = deadline};
  auto outcome = Outcome::failed;
  {
    const std::lock_guard lock(flite_mutex);
    making.is_late = Clock::now() > deadline;
    if (!making.is_late) {
      auto* voice = voice_named(voice_name);
      if (!voice) return sink(failure(ErrorCode::unavailable, "no voice"));
      auto* info = new_audio_streaming_info();
      info->asc = &on_sound;
      info->min_buffsize = callback_samples;
      info->userdata = &making;
      const auto speed = std::clamp(request.speed, 0.5, 2.0);
      outcome = synthesize(voice, request.text.c_str(), static_cast<float>(1 / speed), info);
    }
  }
  if (token.stop_requested()) return;
  if (making.is_late) return sink(failure(ErrorCode::unavailable, "too late"));
  if (outcome == Outcome::failed) return sink(failure(ErrorCode::unavailable, "no sound"));
  sink(stage::SpeechEnd{});
}

}  // namespace

FliteSpeech::FliteSpeech(Options options)
    : options_(std::move(options)), pool_(1, options_.waiting_max) {}

bool FliteSpeech::can_speak(const std::string& voice, const std::string& language) const {
  return (voice.empty() || is_voice(voice)) && (language.empty() || language == "en");
}

std::vector<stage::SpeechVoice> FliteSpeech::voices() const {
  using Gender = stage::SpeechVoice::Gender;
  return {{.name = "slt", .title = "Slt", .language = "en-us", .gender = Gender::female},
          {.name = "rms", .title = "Rms", .language = "en-us", .gender = Gender::male},
          {.name = "awb", .title = "Awb (Scottish)", .language = "en-gb", .gender = Gender::male},
          {.name = "kal", .title = "Kal", .language = "en-us", .gender = Gender::male}};
}

std::unique_ptr<stage::Job> FliteSpeech::speak(stage::SpeechRequest request,
                                               stage::SpeechSink sink) {
  auto job = std::make_unique<StoppableJob>();
  if (!can_speak(request.voice, request.language)) {
    sink(failure(ErrorCode::unsupported, "another voice or language"));
    return job;
  }
  if (request.text.size() > stage::speech_text_bytes_max || request.text.contains('\0')) {
    sink(failure(ErrorCode::malformed, "text"));
    return job;
  }
  const auto voice = request.voice.empty() ? options_.default_voice : request.voice;
  const auto deadline = Clock::now() + options_.timeout;
  // `sink` is copied, so that it is still there where the queue is full.
  if (!pool_.submit([request = std::move(request), voice, deadline, token = job->token(), sink] {
        make(request, voice, deadline, token, sink);
      })) {
    sink(failure(ErrorCode::rate_limited, "too many wait"));
  }
  return job;
}

}  // namespace stagedoor::engines
