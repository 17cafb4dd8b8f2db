// SPDX-License-Identifier: Apache-2.0

#include "engines/web_tool.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

namespace stagedoor::engines {
namespace {

using base::ErrorCode;

constexpr std::array<std::string_view, 5> methods = {"GET", "POST", "PUT", "PATCH", "DELETE"};

class ToolAnswer : public WebAnswer {
 public:
  explicit ToolAnswer(stage::ToolSink sink) : sink_(std::move(sink)) {}

  void on_status(int status, std::string_view) override { status_ = status; }
  bool on_bytes(std::string_view bytes) override {
    body_ += bytes;
    return true;
  }
  void on_end() override {
    if (status_ < 200 || status_ >= 300)
      return on_failure({ErrorCode::unavailable, "web tool",
                         "The tool answered with status " + std::to_string(status_) + "."});
    sink_(std::move(body_));
  }
  void on_failure(base::Error error) override { sink_(base::fail(std::move(error))); }

 private:
  stage::ToolSink sink_;
  int status_ = 0;
  std::string body_;
};

void append_percent_encoded(std::string& out, std::string_view text) {
  constexpr std::string_view plain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  constexpr std::string_view digits = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (plain.contains(c)) {
      out += c;
    } else {
      out += {'%', digits[byte >> 4], digits[byte & 15]};
    }
  }
}

}  // namespace

WebTool::WebTool(Options options, WebCalls& calls) : options_(options), calls_(calls) {}

std::unique_ptr<stage::Job> WebTool::call(stage::WebhookCall wish, stage::ToolSink sink) {
  auto answer = std::make_unique<ToolAnswer>(std::move(sink));
  if (std::ranges::find(methods, wish.method) == methods.end()) {
    answer->on_failure({ErrorCode::malformed, "web tool: method", {}});
    return std::make_unique<stage::Job>();
  }
  WebCall call;
  call.method = std::move(wish.method);
  call.url = std::move(wish.url);
  for (const auto& [name, value] : wish.query) {
    call.url += call.url.contains('?') ? '&' : '?';
    append_percent_encoded(call.url, name);
    call.url += '=';
    append_percent_encoded(call.url, value);
  }
  call.headers = std::move(wish.headers);
  const bool has_type = std::ranges::any_of(call.headers, [](const auto& header) {
    return std::ranges::equal(header.first, std::string_view("content-type"),
                              [](char x, char y) { return (x | 0x20) == y; });
  });
  if (call.method != "GET") {
    if (!has_type) call.headers.emplace_back("Content-Type", "application/json");
    call.body = std::move(wish.arguments);
  }
  call.silence_timeout = call.total_timeout = wish.timeout;
  call.answer_bytes_max = options_.answer_bytes_max;
  call.private_addresses = options_.private_addresses;
  call.plain_http = PlainHttp::anywhere;  // Its owner chose the address.
  call.is_finished_if_abandoned = wish.if_abandoned == stage::WebhookCall::IfAbandoned::finished;
  return calls_.start(std::move(call), std::move(answer));
}

}  // namespace stagedoor::engines
