// Any bytes as the stream of a chat completion: no crash, what is kept is bounded, and the same
// events however the stream is cut.
//
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "engines/chat_deltas.h"
#include "engines/event_stream.h"

namespace {

using namespace stagedoor;

std::string said(std::string_view bytes, std::size_t piece) {
  engines::EventStream stream;
  engines::ChatDeltas deltas;
  std::vector<stage::ChatEvent> events;
  bool is_wanted = true;
  const auto take = [&](std::string_view data) { return deltas.read(data, events).has_value(); };
  for (std::size_t at = 0; at < bytes.size() && is_wanted; at += piece)
    is_wanted = stream.push(bytes.substr(at, piece), take);
  deltas.finish(events);
  std::string text;
  for (const auto& event : events) {
    if (const auto* delta = std::get_if<stage::ChatDelta>(&event)) text += delta->text;
    if (const auto* call = std::get_if<stage::ChatToolCall>(&event))
      text += call->name + call->arguments;
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto whole = said(bytes, std::max<std::size_t>(size, 1));
  constexpr auto most =
      engines::ChatDeltas::text_bytes_max * (engines::ChatDeltas::tool_calls_max + 2);
  if (whole.size() > most || whole != said(bytes, 1) || whole != said(bytes, 5)) std::abort();
  return 0;
}
