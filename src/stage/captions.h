// Which of a text's words have been spoken, by how much of its sound has been played.
//
// An engine's marks tell when each word begins. Without marks words are spread over the sound by
// their length, at the pace of speech until the sound's length is known. Not safe for concurrent
// use.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stage/speech.h"

namespace stagedoor::stage {

class Captions {
 public:
  explicit Captions(std::string text);

  void add(const SpeechChunk& chunk);
  // The sound is whole.
  void finish() { is_whole_ = true; }

  // What has begun to be spoken since this was last asked, once that many samples were played:
  // whole words, with the blanks before them. Valid until the captions end.
  std::string_view spoken(std::int64_t played_samples);
  // Likewise: whatever is left.
  std::string_view rest();

  const std::string& text() const { return text_; }

 private:
  struct Word {
    std::size_t end = 0;
    std::int64_t begin_sample = -1;  // -1: no mark has told
  };

  std::int64_t begin_of(std::size_t index) const;

  std::string text_;
  std::vector<Word> words_;
  std::size_t next_word_ = 0, given_ = 0;
  int rate_hz_ = 16000;
  std::int64_t samples_ = 0;
  bool is_whole_ = false, has_marks_ = false;
};

}  // namespace stagedoor::stage
