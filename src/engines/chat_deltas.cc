// SPDX-License-Identifier: Apache-2.0

#include "engines/chat_deltas.h"

#include <optional>
#include <utility>

namespace stagedoor::engines {
namespace {

using base::ErrorCode;
using base::Json;

std::unexpected<base::Error> trouble(ErrorCode code, std::string detail) {
  return base::fail(code, "web chat: " + std::move(detail));
}

std::string_view text_of(const std::optional<Json>& json) {
  return json ? json->text().value_or("") : "";
}

// The first of a list.
std::optional<Json> first_of(const std::optional<Json>& json) {
  simdjson::dom::array list;
  if (!json || json->element().get_array().get(list) != simdjson::SUCCESS || list.size() == 0)
    return std::nullopt;
  return Json(*list.begin());
}

}  // namespace

bool ChatDeltas::read_call(const Json& call, std::size_t position) {
  const auto named = call.member("index");
  const auto index = named ? named->integer().value_or(-1) : static_cast<std::int64_t>(position);
  if (index < 0 || index >= static_cast<std::int64_t>(tool_calls_max)) return false;
  if (static_cast<std::size_t>(index) >= calls_.size())
    calls_.resize(static_cast<std::size_t>(index) + 1);
  auto& kept = calls_[static_cast<std::size_t>(index)];
  if (kept.id.empty()) kept.id = text_of(call.member("id"));
  const auto function = call.member("function");
  if (!function) return true;
  kept.name += text_of(function->member("name"));
  kept.arguments += text_of(function->member("arguments"));
  return kept.arguments.size() + kept.name.size() + kept.id.size() <= text_bytes_max;
}

base::Result<base::Done> ChatDeltas::read(std::string_view json,
                                          std::vector<stage::ChatEvent>& out) {
  const auto chunk = reader_.read(json);
  if (!chunk) return trouble(ErrorCode::malformed, "no JSON");
  if (const auto error = chunk->member("error"); error && !error->is_null())
    return trouble(ErrorCode::unavailable, "the service tells of an error");
  const auto choice = first_of(chunk->member("choices"));
  if (!choice) return base::Done{};  // Such as the chunk that counts tokens.
  auto delta = choice->member("delta");
  if (!delta) delta = choice->member("message");
  if (!delta) return base::Done{};
  for (const auto* name : {"reasoning_content", "reasoning"}) {
    const auto thought = text_of(delta->member(name));
    text_bytes_ += thought.size();
    if (!thought.empty()) out.push_back(stage::ChatReasoning{std::string(thought)});
  }
  const auto text = text_of(delta->member("content"));
  text_bytes_ += text.size();
  if (text_bytes_ > text_bytes_max) return trouble(ErrorCode::unavailable, "more text than may be");
  if (!text.empty()) out.push_back(stage::ChatDelta{std::string(text)});
  simdjson::dom::array calls;
  const auto list = delta->member("tool_calls");
  if (!list || list->element().get_array().get(calls) != simdjson::SUCCESS) return base::Done{};
  std::size_t position = 0;
  for (const auto call : calls)
    if (!read_call(Json(call), position++))
      return trouble(ErrorCode::unavailable, "more tool calls than may be");
  return base::Done{};
}

void ChatDeltas::finish(std::vector<stage::ChatEvent>& out) {
  for (auto& call : calls_)
    if (!call.name.empty()) out.push_back(std::move(call));
  calls_.clear();
}

}  // namespace stagedoor::engines
