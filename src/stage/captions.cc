// SPDX-License-Identifier: Apache-2.0

#include "stage/captions.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace stagedoor::stage {
namespace {

constexpr std::int64_t characters_per_second = 14;

bool is_blank(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

}  // namespace

Captions::Captions(std::string text) : text_(std::move(text)) {
  bool was_blank = true;
  for (std::size_t at = 0; at < text_.size(); ++at) {
    if (!was_blank && is_blank(text_[at])) words_.push_back({.end = at});
    was_blank = is_blank(text_[at]);
  }
  if (!was_blank) words_.push_back({.end = text_.size()});
}

void Captions::add(const SpeechChunk& chunk) {
  rate_hz_ = chunk.rate_hz > 0 ? chunk.rate_hz : rate_hz_;
  samples_ += static_cast<std::int64_t>(chunk.samples.size());
  for (const auto& mark : chunk.marks) {
    if (mark.kind != SpeechMark::Kind::word) continue;
    // A mark speaks of the word that it begins in; of several the first counts.
    const auto word = std::ranges::upper_bound(words_, mark.text_begin, {}, &Word::end);
    if (word == words_.end() || word->begin_sample >= 0) continue;
    word->begin_sample = mark.begin_sample;
    has_marks_ = true;
  }
}

std::int64_t Captions::begin_of(std::size_t index) const {
  if (!has_marks_) {
    const auto begin = static_cast<std::int64_t>(index == 0 ? 0 : words_[index - 1].end);
    if (is_whole_) return begin * samples_ / static_cast<std::int64_t>(text_.size());
    return begin * rate_hz_ / characters_per_second;
  }
  if (words_[index].begin_sample >= 0) return words_[index].begin_sample;
  // A word without a mark goes with the one before it, once it is clear that none comes.
  const bool is_passed =
      std::ranges::any_of(words_.begin() + static_cast<std::ptrdiff_t>(index), words_.end(),
                          [](const Word& word) { return word.begin_sample >= 0; });
  if (!is_passed && !is_whole_) return std::numeric_limits<std::int64_t>::max();
  return index == 0 ? 0 : begin_of(index - 1);
}

std::string_view Captions::spoken(std::int64_t played_samples) {
  auto end = given_;
  for (; next_word_ < words_.size() && begin_of(next_word_) <= played_samples; ++next_word_)
    end = words_[next_word_].end;
  const auto from = std::exchange(given_, end);
  return std::string_view(text_).substr(from, end - from);
}

std::string_view Captions::rest() {
  next_word_ = words_.size();
  const auto from = std::exchange(given_, text_.size());
  return std::string_view(text_).substr(from);
}

}  // namespace stagedoor::stage
