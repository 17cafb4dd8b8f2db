// SPDX-License-Identifier: Apache-2.0

#include "server/speak_client.h"

#include <motion.pb.h>
#include <simdjson.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/url/encode.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>
#include <exception>
#include <optional>
#include <utility>

namespace stagedoor::server {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using asio::ip::tcp;
using Clock = std::chrono::steady_clock;
using boost::system::error_code;

constexpr auto connect_time = std::chrono::seconds(10);
constexpr auto silence_time = std::chrono::seconds(30);
constexpr auto token_lifetime = std::chrono::minutes(10);
constexpr std::size_t reply_bytes_max = 1024 * 1024;
constexpr std::size_t message_bytes_max = 16 * 1024 * 1024;

// What ends a conversation early; never leaves this file.
struct Ended {
  base::Error error;
};
[[noreturn]] void end(base::ErrorCode code, std::string hint) {
  throw Ended{{code, "speak", std::move(hint)}};
}

struct Address {
  std::string host, port, prefix;
  std::string host_header() const { return host + ":" + port; }
};

Address address_of(const std::string& url) {
  using base::ErrorCode::malformed;
  const auto parsed = boost::urls::parse_uri(url);
  if (!parsed || parsed->host().empty()) {
    end(malformed, "the server's URL has to look like http://127.0.0.1:8700");
  }
  if (parsed->scheme() == "https" || parsed->scheme() == "wss") {
    end(malformed,
        "speak has no TLS of its own: give the http:// address of the server itself, behind its "
        "reverse proxy");
  }
  if (parsed->scheme() != "http") end(malformed, "the server's URL has to begin with http://");
  if (parsed->has_query() || parsed->has_fragment() || parsed->has_userinfo()) {
    end(malformed, "the server's URL takes neither a user name nor a query");
  }
  std::string prefix(parsed->encoded_path());
  while (prefix.ends_with('/')) prefix.pop_back();
  std::string port(parsed->port());
  return {std::string(parsed->host_address()), port.empty() ? "80" : port, prefix};
}

// Values that go into a header: printable, without blanks, so that none can add a header.
void demand_plain(const std::string& value, const char* what) {
  const bool plain = std::ranges::all_of(value, [](char c) { return c > ' ' && c < 0x7F; });
  if (value.empty() || !plain) {
    end(base::ErrorCode::malformed, std::string("the ") + what + " is empty or holds blanks");
  }
}

// The words of a refusal, in the forms that the Console API and the Motion Server give them.
std::string words_of(const std::string& body) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(simdjson::padded_string(body)).get(root) != simdjson::SUCCESS) return {};
  const auto text = [](simdjson::dom::element in, const char* key) {
    std::string_view found;
    return in[key].get(found) == simdjson::SUCCESS ? std::string(found) : std::string();
  };
  simdjson::dom::element first;
  if (root["errors"].at(0).get(first) == simdjson::SUCCESS) {
    const auto detail = text(first, "detail");
    return detail.empty() ? text(first, "title") : detail;
  }
  return text(root, "message");
}

std::string refusal(const std::string& what, unsigned status, const std::string& body) {
  const auto words = words_of(body);
  return what + " (HTTP " + std::to_string(status) + ")" + (words.empty() ? "" : ": " + words);
}

// Everything between the first connection and the end mark, as coroutines on one thread.
class Conversation {
 public:
  Conversation(asio::io_context& io, const SpeakTarget& target, const SpeakUtterance& utterance,
               const std::function<void(const SpeakProgress&)>& progress)
      : target_(target),
        utterance_(utterance),
        progress_(progress),
        address_(address_of(target.server_url)),
        socket_(io) {
    demand_plain(target.api_key, "API key");
    demand_plain(target.app_id, "app id");
    if (target.avatar_id.empty()) end(base::ErrorCode::malformed, "the avatar id is empty");
  }

  asio::awaitable<void> run() {
    const auto begun = Clock::now();
    const auto token = co_await mint();
    co_await open(token);
    co_await configure();
    // The sound goes out on a coroutine of its own, since faces come back while it is going.
    // If it fails, the reader finds out why: the server's words may still be on their way.
    asio::co_spawn(socket_.get_executor(), send(),
                   [this](const std::exception_ptr& failed) { send_failed_ = failed; });
    co_await receive();
    reply_.total = Clock::now() - begun;
    error_code ignored;
    co_await socket_.async_close(websocket::close_code::normal,
                                 asio::redirect_error(asio::use_awaitable, ignored));
  }

  // Ends whatever is still under way.
  void hang_up() { beast::get_lowest_layer(socket_).close(); }

  SpeakReply take() { return std::move(reply_); }

 private:
  template <class Stream>
  asio::awaitable<void> connect(Stream& stream) {
    error_code error;
    tcp::resolver resolver(co_await asio::this_coro::executor);
    const auto found = co_await resolver.async_resolve(
        address_.host, address_.port, asio::redirect_error(asio::use_awaitable, error));
    if (error) unreachable(error);
    stream.expires_after(connect_time);
    co_await stream.async_connect(found, asio::redirect_error(asio::use_awaitable, error));
    if (error) unreachable(error);
    stream.socket().set_option(tcp::no_delay(true), error);
  }

  [[noreturn]] void unreachable(const error_code& error) const {
    end(base::ErrorCode::unavailable,
        "no server answers at " + target_.server_url + ": " + error.message());
  }
  // The connection was there and is no more, or nothing comes through it.
  [[noreturn]] void lost(const error_code& error) const {
    if (send_failed_ && error == asio::error::operation_aborted) {
      std::rethrow_exception(send_failed_);
    }
    if (error == beast::error::timeout) {
      end(base::ErrorCode::unavailable, "the server was silent for 30 s");
    }
    const auto& why = socket_.reason();
    if (error == websocket::error::closed && !why.reason.empty()) {
      end(base::ErrorCode::forbidden,
          "the server closed the connection: " + std::string(why.reason.data(), why.reason.size()));
    }
    end(base::ErrorCode::unavailable, "the connection broke: " + error.message());
  }

  asio::awaitable<std::string> mint() {
    beast::tcp_stream stream(co_await asio::this_coro::executor);
    co_await connect(stream);
    const auto now = std::chrono::system_clock::now() + token_lifetime;
    const auto expire_at =
        std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
    http::request<http::string_body> request{http::verb::post,
                                             address_.prefix + "/v1/console/session-tokens", 11};
    request.set(http::field::host, address_.host_header());
    request.set(http::field::user_agent, "stagedoor/" STAGEDOOR_VERSION);
    request.set(http::field::content_type, "application/json");
    request.set("X-Api-Key", target_.api_key);
    request.body() = "{\"expireAt\":" + std::to_string(expire_at) + "}";
    request.prepare_payload();

    error_code error;
    stream.expires_after(silence_time);
    co_await http::async_write(stream, request, asio::redirect_error(asio::use_awaitable, error));
    if (error) lost(error);
    beast::flat_buffer buffer;
    http::response_parser<http::string_body> parser;
    parser.body_limit(reply_bytes_max);
    co_await http::async_read(stream, buffer, parser,
                              asio::redirect_error(asio::use_awaitable, error));
    if (error) lost(error);
    co_return token_in(parser.get());
  }

  static std::string token_in(const http::response<http::string_body>& response) {
    constexpr auto refused = "the server gives no session token";
    simdjson::dom::parser json;
    simdjson::dom::element root;
    std::string_view token;
    if (response.result() == http::status::ok &&
        json.parse(simdjson::padded_string(response.body())).get(root) == simdjson::SUCCESS &&
        root["sessionToken"].get(token) == simdjson::SUCCESS && !token.empty()) {
      demand_plain(std::string(token), "session token");
      return std::string(token);
    }
    end(base::ErrorCode::forbidden, refusal(refused, response.result_int(), response.body()));
  }

  asio::awaitable<void> open(const std::string& token) {
    auto& lowest = beast::get_lowest_layer(socket_);
    co_await connect(lowest);
    lowest.expires_never();  // from here on the WebSocket keeps the time
    socket_.set_option(websocket::stream_base::timeout{.handshake_timeout = connect_time,
                                                       .idle_timeout = silence_time,
                                                       .keep_alive_pings = false});
    socket_.set_option(
        websocket::stream_base::decorator([this, &token](websocket::request_type& request) {
          request.set(http::field::user_agent, "stagedoor/" STAGEDOOR_VERSION);
          request.set("X-App-ID", target_.app_id);
          request.set("X-Session-Key", token);
        }));
    socket_.read_message_max(message_bytes_max);
    socket_.binary(true);
    error_code error;
    websocket::response_type response;
    const auto id = boost::urls::encode(target_.avatar_id, boost::urls::unreserved_chars);
    co_await socket_.async_handshake(response, address_.host_header(),
                                     address_.prefix + "/v2/driveningress/websocket?id=" + id,
                                     asio::redirect_error(asio::use_awaitable, error));
    if (error == websocket::error::upgrade_declined) {
      end(base::ErrorCode::forbidden,
          refusal("the server does not open the session", response.result_int(), response.body()));
    }
    if (error) lost(error);
  }

  asio::awaitable<void> configure() {
    message::Message hello;
    hello.set_type(message::MESSAGE_CLIENT_CONFIGURE_SESSION);
    auto& wish = *hello.mutable_client_configure_session();
    wish.set_sample_rate(utterance_.rate_hz);
    wish.set_audio_format(utterance_.ogg_opus ? message::AUDIO_FORMAT_OGG_OPUS
                                              : message::AUDIO_FORMAT_PCM_S16LE);
    (*wish.mutable_extra_params())["stagedoor.blendshapes"] = "arkit52";
    co_await write(hello);
    const auto answer = co_await read();
    if (!answer.has_server_confirm_session()) {
      end(base::ErrorCode::unavailable, "the server does not confirm the session");
    }
  }

  asio::awaitable<void> send() {
    sent_first_ = Clock::now();
    for (std::size_t i = 0; i < utterance_.chunks.size(); ++i) {
      message::Message input;
      input.set_type(message::MESSAGE_CLIENT_AUDIO_INPUT);
      input.mutable_client_audio_input()->set_req_id(request_id);
      input.mutable_client_audio_input()->set_audio(utterance_.chunks[i]);
      input.mutable_client_audio_input()->set_end(i + 1 == utterance_.chunks.size());
      co_await write(input);
      ++state_.chunks_sent;
      progress_(state_);
    }
  }

  asio::awaitable<void> receive() {
    for (;;) {
      const auto message = co_await read();
      if (!message.has_server_response_animation()) continue;
      const auto& animation = message.server_response_animation();
      if (animation.req_id() != request_id) continue;
      keep(animation);
      progress_(state_);
      if (animation.end()) co_return;
    }
  }

  void keep(const message::ServerResponseAnimation& animation) {
    const auto& named = animation.named_animation();
    const auto count = static_cast<std::size_t>(
        std::max(animation.animation().keyframes_size(), named.frames_size()));
    if (reply_.frames == 0 && count > 0) reply_.to_first_frame = Clock::now() - sent_first_;
    reply_.frames += count;
    state_.frames = reply_.frames;
    if (reply_.motion.names.empty()) {
      reply_.motion.names.assign(named.names().begin(), named.names().end());
    }
    for (const auto& frame : named.frames()) {
      reply_.motion.frames.emplace_back(frame.values().begin(), frame.values().end());
    }
  }

  asio::awaitable<void> write(const message::Message& message) {
    const auto bytes = message.SerializeAsString();
    error_code error;
    co_await socket_.async_write(asio::buffer(bytes),
                                 asio::redirect_error(asio::use_awaitable, error));
    if (error) lost(error);
  }

  // The next message; what the server says against us ends the conversation in its own words.
  asio::awaitable<message::Message> read() {
    buffer_.clear();
    error_code error;
    co_await socket_.async_read(buffer_, asio::redirect_error(asio::use_awaitable, error));
    if (error) lost(error);
    message::Message message;
    const auto size = static_cast<int>(buffer_.size());
    if (socket_.got_text() || !message.ParseFromArray(buffer_.cdata().data(), size)) {
      end(base::ErrorCode::unavailable, "the server sent what is no Motion Server message");
    }
    if (message.has_server_error()) {
      end(base::ErrorCode::forbidden, "the server says: " + message.server_error().message() +
                                          " (code " +
                                          std::to_string(message.server_error().code()) + ")");
    }
    co_return message;
  }

  static inline const std::string request_id = "speak-1";
  const SpeakTarget& target_;
  const SpeakUtterance& utterance_;
  const std::function<void(const SpeakProgress&)>& progress_;
  const Address address_;
  websocket::stream<beast::tcp_stream> socket_;
  beast::flat_buffer buffer_;
  std::exception_ptr send_failed_;
  Clock::time_point sent_first_;
  SpeakProgress state_;
  SpeakReply reply_;
};

}  // namespace

base::Result<SpeakReply> speak_to(const SpeakTarget& target, const SpeakUtterance& utterance,
                                  const std::function<void(const SpeakProgress&)>& progress) {
  try {
    asio::io_context io;
    Conversation conversation(io, target, utterance, progress);
    std::exception_ptr failed;
    asio::co_spawn(io, conversation.run(), [&](const std::exception_ptr& why) {
      failed = why;
      conversation.hang_up();
    });
    io.run();
    if (failed) std::rethrow_exception(failed);
    return conversation.take();
  } catch (const Ended& ended) {
    return base::fail(ended.error);
  } catch (const std::exception& trouble) {
    return base::fail(base::ErrorCode::unavailable, trouble.what(),
                      std::string("the connection failed: ") + trouble.what());
  }
}

}  // namespace stagedoor::server
