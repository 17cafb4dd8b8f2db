// Speech in a hundred languages by espeak-ng, which runs as a process of its own for each request:
// its licence (GPL) does not reach this program.
//
// Rule espeak-apart: the program is started without a shell, with arguments that we choose from
// fixed forms; the text goes to its standard input; it inherits no other open file, and it is
// killed when the job is cancelled or its time is over.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "stage/speech.h"

namespace stagedoor::engines {

class WorkerPool;

// Safe for concurrent use. A voice is a language of espeak-ng with or without a variant: "de",
// "en-gb", "fr+f3".
class EspeakSpeech : public stage::Speech {
 public:
  struct Options {
    std::string program = "/usr/bin/espeak-ng";
    std::string default_language = "en";
    std::size_t processes_max = 4, waiting_max = 128;
    std::chrono::milliseconds timeout{10'000};  // of one request, its wait not included
  };
  // Asks the program for its languages, once; where it is absent, there are none.
  explicit EspeakSpeech(Options options);
  ~EspeakSpeech() override;

  std::unique_ptr<stage::Job> speak(stage::SpeechRequest request, stage::SpeechSink sink) override;
  bool can_speak(const std::string& voice, const std::string& language) const override;
  std::vector<stage::SpeechVoice> voices() const override { return table_.voices; }

 private:
  const Options options_;
  // What the program says that it has.
  struct Table {
    std::set<std::string> languages;
    std::vector<stage::SpeechVoice> voices;
  };
  static Table table_of(const std::string& program);
  const Table table_;
  std::unique_ptr<WorkerPool> pool_;
};

}  // namespace stagedoor::engines
