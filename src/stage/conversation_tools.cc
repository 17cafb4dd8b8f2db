// What the persona's model calls.
//
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <utility>

#include "stage/conversation_core.h"

namespace stagedoor::stage {
namespace {

// What the model reads as the result.
ChatMessage result_message(const std::string& call_id, std::string text) {
  ChatMessage message;
  message.role = ChatMessage::Role::tool;
  message.tool_call_id = call_id;
  message.text = std::move(text);
  return message;
}

}  // namespace

void Conversation::Core::start_tool(Turn& turn, ChatToolCall call) {
  if (turn.calls.size() >= tool_calls_max) return warn("Too many tools were called at once.");
  if (call.id.empty()) call.id = new_id();
  // The persona's message with the calls of this round comes before their results.
  if (turn.calls.empty()) {
    auto& message = turn.exchange.emplace_back();
    message.role = ChatMessage::Role::persona;
    message.text = turn.said_this_round;
  }
  turn.calls.push_back(call);
  for (auto message = turn.exchange.rbegin(); message != turn.exchange.rend(); ++message) {
    if (message->role != ChatMessage::Role::persona) continue;
    message->tool_calls.push_back(call);
    break;
  }
  const auto tool = std::ranges::find_if(
      settings_.tools, [&](const ConversationTool& known) { return known.tool.name == call.name; });
  PendingTool pending;
  pending.number = ++last_number_;
  pending.notice.call_id = call.id;
  pending.notice.name = call.name;
  pending.notice.arguments = std::move(call.arguments);
  pending.notice.correlation_id = turn.correlation_id;
  if (tool == settings_.tools.end()) {
    parts_.listener.tool_call_started(pending.notice);
    turn.tools.push_back(std::move(pending));
    return finish_tool(turn, turn.tools.size() - 1,
                       base::fail(base::ErrorCode::not_found, "tool", "There is no such tool."));
  }
  pending.notice.kind = tool->kind;
  pending.interruptions = tool->interruptions;
  pending.deadline = parts_.clock.now() + tool->timeout;
  parts_.listener.tool_call_started(pending.notice);
  run_tool(turn, *tool, std::move(pending));
}

void Conversation::Core::run_tool(Turn& turn, const ConversationTool& tool, PendingTool pending) {
  turn.tools.push_back(std::move(pending));
  const auto last = turn.tools.size() - 1;
  const auto refuse = [&](std::string why) {
    finish_tool(turn, last, base::fail(base::ErrorCode::unsupported, "tool", std::move(why)));
  };
  if (tool.kind == ConversationTool::Kind::system) {
    turn.ends_session |= tool.action == ConversationTool::Action::end_call;
    // Later: the turn is being worked on.
    if (tool.action == ConversationTool::Action::interrupt)
      parts_.post([weak = weak_from_this(), number = turn.number] {
        const auto core = weak.lock();
        if (core && !core->is_ended && core->front(number)) core->interrupt_all();
      });
    return finish_tool(turn, last, std::string("Done."));
  }
  const bool is_awaited = tool.result == ConversationTool::Result::awaited;
  if (tool.kind == ConversationTool::Kind::client) {
    if (!is_awaited) finish_tool(turn, last, std::string("Handed to the client."));
    return;
  }
  auto* const runner =
      tool.kind == ConversationTool::Kind::knowledge ? tool.runner.get() : parts_.tools;
  if (!runner) return refuse("This server calls no tools of others.");
  if (webhooks_under_way() >= webhooks_max) return refuse("Too many tools run at once.");
  auto job = call_of(tool, *runner, turn.tools[last]);
  if (!is_awaited) return leave_running(turn, last, std::move(job));
  turn.tools[last].job = std::move(job);
}

std::size_t Conversation::Core::webhooks_under_way() const {
  const auto runs = [](const PendingTool& pending) { return pending.job != nullptr; };
  const auto awaited = turns_.empty() ? 0 : std::ranges::count_if(turns_.front().tools, runs);
  return unawaited_.size() + static_cast<std::size_t>(awaited);
}

std::unique_ptr<Job> Conversation::Core::call_of(const ConversationTool& tool, ToolRunner& runner,
                                                 const PendingTool& pending) {
  auto call = tool.webhook;
  call.arguments = pending.notice.arguments;
  call.timeout = tool.timeout;
  call.if_abandoned = tool.result == ConversationTool::Result::awaited
                          ? WebhookCall::IfAbandoned::dropped
                          : WebhookCall::IfAbandoned::finished;
  auto sink = [weak = weak_from_this(), post = parts_.post,
               number = pending.number](base::Result<std::string> result) {
    post([weak, number, result = std::move(result)]() mutable {
      const auto core = weak.lock();
      if (core && !core->is_ended) core->on_tool(number, std::move(result));
    });
  };
  return runner.call(std::move(call), std::move(sink));
}

// The turn goes on without its result.
void Conversation::Core::leave_running(Turn& turn, std::size_t index, std::unique_ptr<Job> job) {
  auto pending = std::move(turn.tools[index]);
  turn.tools.erase(turn.tools.begin() + static_cast<std::ptrdiff_t>(index));
  turn.exchange.push_back(result_message(pending.notice.call_id, "Called; nobody waits for it."));
  pending.job = std::move(job);
  unawaited_.push_back(std::move(pending));
}

void Conversation::Core::client_tool_result(std::string_view call_id,
                                            base::Result<std::string> result) {
  if (turns_.empty()) return;
  const auto& tools = turns_.front().tools;
  const auto found = std::ranges::find_if(tools, [&](const PendingTool& pending) {
    return pending.notice.kind == rules::ToolKind::client && pending.notice.call_id == call_id;
  });
  if (found != tools.end()) on_tool(found->number, std::move(result));
}

void Conversation::Core::on_tool(std::uint64_t number, base::Result<std::string> result) {
  const auto left = std::ranges::find(unawaited_, number, &PendingTool::number);
  if (left != unawaited_.end()) {
    auto pending = std::move(*left);
    unawaited_.erase(left);
    tell_tool_end(std::move(pending), std::move(result));
    return;
  }
  if (turns_.empty()) return;
  auto& turn = turns_.front();
  const auto found = std::ranges::find(turn.tools, number, &PendingTool::number);
  if (found == turn.tools.end()) return;
  finish_tool(turn, static_cast<std::size_t>(found - turn.tools.begin()), std::move(result));
  if (turn.is_thought) end_round(turn);
  speak_next();
  finish_if_over();
}

void Conversation::Core::finish_tool(Turn& turn, std::size_t index,
                                     base::Result<std::string> result) {
  auto pending = std::move(turn.tools[index]);
  turn.tools.erase(turn.tools.begin() + static_cast<std::ptrdiff_t>(index));
  const auto call_id = pending.notice.call_id;
  auto text = tell_tool_end(std::move(pending), std::move(result));
  turn.exchange.push_back(result_message(call_id, std::move(text)));
}

void Conversation::Core::fail_tools(Turn& turn, std::string_view why) {
  while (!turn.tools.empty())
    finish_tool(turn, 0,
                base::fail(base::ErrorCode::unavailable, "tool of a turn", std::string(why)));
}

std::string Conversation::Core::tell_tool_end(PendingTool pending,
                                              base::Result<std::string> result) {
  auto& notice = pending.notice;
  if (result && result->size() > tool_result_bytes_max)
    result = base::fail(base::ErrorCode::malformed, "tool result", "The result is too long.");
  if (result) {
    notice.result = std::move(*result);
    parts_.listener.tool_call_completed(notice);
    return std::move(notice.result);
  }
  const auto& hint = result.error().hint;
  notice.error = hint.empty() ? "The tool did not answer." : hint;
  parts_.listener.tool_call_failed(notice);
  return "Error: " + notice.error;
}

// One that is late at a time; the others follow with the next ticks.
void Conversation::Core::check_tool_times() {
  const auto now = parts_.clock.now();
  const auto is_late = [&](const PendingTool& pending) { return now >= pending.deadline; };
  const auto fail_late = [&](const std::vector<PendingTool>& tools) {
    const auto late = std::ranges::find_if(tools, is_late);
    if (late != tools.end())
      on_tool(late->number, base::fail(base::ErrorCode::unavailable, "tool time-out",
                                       "The tool did not answer in time."));
  };
  fail_late(unawaited_);
  if (!turns_.empty()) fail_late(turns_.front().tools);
}

}  // namespace stagedoor::stage
