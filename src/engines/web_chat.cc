// SPDX-License-Identifier: Apache-2.0

#include "engines/web_chat.h"

#include <cmath>
#include <utility>
#include <vector>

#include "base/json_writer.h"
#include "engines/chat_deltas.h"
#include "engines/event_stream.h"

namespace stagedoor::engines {
namespace {

using base::ErrorCode;
using stage::ChatMessage;

constexpr std::size_t answer_bytes_max = 4u << 20;

class CompletionAnswer : public WebAnswer {
 public:
  explicit CompletionAnswer(stage::ChatSink sink) : sink_(std::move(sink)) {}

  void on_status(int status, std::string_view content_type) override {
    status_ = status;
    is_whole_ = content_type.contains("application/json");
  }
  bool on_bytes(std::string_view bytes) override {
    if (status_ != 200) return true;
    if (is_whole_) {
      if (whole_.size() + bytes.size() > EventStream::event_bytes_max) return give_up("long");
      whole_ += bytes;
      return true;
    }
    const bool is_wanted =
        events_.push(bytes, [this](std::string_view data) { return take(data); });
    if (is_wanted || is_over_) return is_wanted;
    return give_up("an event too long");
  }
  void on_end() override {
    if (status_ != 200) return on_failure(error("status " + std::to_string(status_)));
    if (is_whole_ && !take(whole_)) return;
    finish();
  }
  void on_failure(base::Error error) override { sink_(std::move(error)); }

 private:
  static base::Error error(std::string detail) {
    return {ErrorCode::unavailable, "web chat: " + std::move(detail), {}};
  }
  bool give_up(std::string detail) {
    is_over_ = true;
    sink_(error(std::move(detail)));
    return false;
  }
  // False: it is over.
  bool take(std::string_view data) {
    if (data == "[DONE]") {
      finish();
      return false;
    }
    std::vector<stage::ChatEvent> said;
    const auto read = deltas_.read(data, said);
    for (auto& event : said) sink_(std::move(event));
    if (read) return true;
    is_over_ = true;
    sink_(read.error());
    return false;
  }
  void finish() {
    if (std::exchange(is_over_, true)) return;
    std::vector<stage::ChatEvent> said;
    deltas_.finish(said);
    for (auto& event : said) sink_(std::move(event));
    sink_(stage::ChatEnd{});
  }

  stage::ChatSink sink_;
  int status_ = 0;
  bool is_whole_ = false, is_over_ = false;
  std::string whole_;
  EventStream events_;
  ChatDeltas deltas_;
};

std::string_view role_of(ChatMessage::Role role) {
  switch (role) {
    case ChatMessage::Role::system:
      return "system";
    case ChatMessage::Role::user:
      return "user";
    case ChatMessage::Role::persona:
      return "assistant";
    case ChatMessage::Role::tool:
      return "tool";
  }
  return "user";
}

void append_calls(std::string& out, const std::vector<stage::ChatToolCall>& calls) {
  out += '[';
  for (const auto& call : calls) {
    if (&call != &calls.front()) out += ',';
    base::JsonWriter json(out);
    json.text("id", call.id).text("type", "function");
    base::JsonWriter function(json.begin("function"));
    function.text("name", call.name).text("arguments", call.arguments).end();
    json.end();
  }
  out += ']';
}

void append_messages(std::string& out, const std::vector<ChatMessage>& messages) {
  out += '[';
  for (const auto& message : messages) {
    if (&message != &messages.front()) out += ',';
    base::JsonWriter json(out);
    json.text("role", role_of(message.role)).text("content", message.text);
    if (!message.tool_call_id.empty()) json.text("tool_call_id", message.tool_call_id);
    if (!message.tool_calls.empty()) append_calls(json.begin("tool_calls"), message.tool_calls);
    json.end();
  }
  out += ']';
}

void append_tools(std::string& out, const std::vector<stage::ChatTool>& tools) {
  out += '[';
  for (const auto& tool : tools) {
    if (&tool != &tools.front()) out += ',';
    base::JsonWriter json(out);
    json.text("type", "function");
    base::JsonWriter function(json.begin("function"));
    function.text("name", tool.name).text("description", tool.description);
    function.json("parameters", tool.parameters.empty() ? R"({"type":"object","properties":{}})"
                                                        : std::string_view(tool.parameters));
    function.end();
    json.end();
  }
  out += ']';
}

}  // namespace

WebChat::WebChat(Options options, WebCalls& calls) : options_(std::move(options)), calls_(calls) {}
WebChat::~WebChat() = default;

std::unique_ptr<stage::Job> WebChat::answer(stage::ChatRequest request, stage::ChatSink sink) {
  WebCall call;
  call.url = options_.url;
  call.bearer = options_.key.expose();
  call.headers = {{"Content-Type", "application/json"}, {"Accept", "text/event-stream"}};
  call.silence_timeout = options_.silence_timeout;
  call.may_be_passed_over = true;
  call.total_timeout = options_.total_timeout;
  call.answer_bytes_max = answer_bytes_max;
  call.private_addresses = options_.private_addresses;
  base::JsonWriter body(call.body);
  body.text("model", request.model.empty() ? options_.default_model : request.model);
  body.json("stream", "true");
  body.number("max_tokens", options_.answer_tokens_max);
  if (options_.temperature) {
    const auto hundredths = std::lround(*options_.temperature * 100);
    body.json("temperature", std::to_string(hundredths) + "e-2");
  }
  if (!options_.reasoning_effort.empty()) body.text("reasoning_effort", options_.reasoning_effort);
  append_messages(body.begin("messages"), request.messages);
  if (!request.tools.empty()) append_tools(body.begin("tools"), request.tools);
  body.end();
  return calls_.start(std::move(call), std::make_unique<CompletionAnswer>(std::move(sink)));
}

}  // namespace stagedoor::engines
