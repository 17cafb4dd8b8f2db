// Any text as a stream of words: its pieces put together are the text, none is too long, and they
// are the same however it comes; captions give all of it once.
//
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "stage/captions.h"
#include "stage/scripted_chat.h"
#include "stage/sentences.h"

namespace {

using namespace stagedoor::stage;

std::vector<std::string> pieces_of(std::string_view text, std::size_t step) {
  Sentences sentences;
  std::vector<std::string> pieces;
  for (std::size_t at = 0; at < text.size(); at += step)
    sentences.push(text.substr(at, step), pieces);
  sentences.finish(pieces);
  return pieces;
}

void check_captions(const std::string& piece) {
  Captions captions(piece);
  SpeechChunk chunk;
  chunk.rate_hz = 16000;
  chunk.samples.resize(1000);
  SpeechMark mark;
  mark.text_begin = piece.size() / 2;
  mark.begin_sample = 500;
  if (piece.size() % 2 == 0) chunk.marks.push_back(mark);
  captions.add(chunk);
  std::string given(captions.spoken(0));
  given += captions.spoken(600);
  captions.finish();
  given += captions.spoken(900);
  given += captions.rest();
  if (given != piece) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto pieces = pieces_of(text, std::max<std::size_t>(size, 1));
  if (pieces != pieces_of(text, 1) || pieces != pieces_of(text, 11)) std::abort();
  std::string joined;
  for (const auto& piece : pieces) {
    if (piece.size() > Sentences::piece_bytes_max) std::abort();
    check_captions(piece);
    joined += piece;
  }
  if (joined != text) std::abort();
  ScriptedChat chat;
  ChatRequest request;
  request.system_prompt = text.substr(0, size / 2);
  request.messages.resize(1);
  request.messages[0].text = text.substr(size / 2);
  const auto job = chat.answer(std::move(request), [](ChatEvent) {});
  return 0;
}
