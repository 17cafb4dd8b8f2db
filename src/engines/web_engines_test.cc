// The engines over the web against a server on this machine: engines/web_calls.h,
// engines/web_speech.h, engines/web_chat.h, engines/web_recognizer.h, engines/web_tool.h.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>

#include "engines/events_for_test.h"
#include "engines/wav_stream.h"
#include "engines/web_calls.h"
#include "engines/web_chat.h"
#include "engines/web_recognizer.h"
#include "engines/web_server_for_test.h"
#include "engines/web_speech.h"
#include "engines/web_tool.h"

namespace stagedoor::engines {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using Send = std::function<bool(const std::string&)>;

WebServer::Answer answer_of(std::string bytes) {
  return [bytes = std::move(bytes)](const WebServer::Request&, const Send& send) { send(bytes); };
}

template <class Event>
bool is_error(const Event& event) {
  return std::holds_alternative<base::Error>(event);
}

struct Speaking {
  std::shared_ptr<Events<stage::SpeechEvent>> events =
      std::make_shared<Events<stage::SpeechEvent>>();
  std::unique_ptr<stage::Job> job;

  void start(WebSpeech& speech, std::string text) {
    stage::SpeechRequest request;
    request.text = std::move(text);
    request.voice = "nova";
    request.speed = 1.25;
    job = speech.speak(std::move(request), [events = events](stage::SpeechEvent event) {
      events->add(std::move(event));
    });
  }
  std::vector<stage::SpeechEvent> all() {
    return events->wait_for([](const auto& seen) {
      return !seen.empty() && !std::holds_alternative<stage::SpeechChunk>(seen.back());
    });
  }
};

std::vector<std::int16_t> samples_of(const std::vector<stage::SpeechEvent>& events) {
  std::vector<std::int16_t> samples;
  for (const auto& event : events)
    if (const auto* chunk = std::get_if<stage::SpeechChunk>(&event))
      samples.insert(samples.end(), chunk->samples.begin(), chunk->samples.end());
  return samples;
}

WebSpeech::Options speech_options(const WebServer& server) {
  WebSpeech::Options options;
  options.url = server.url() + "/v1/audio/speech";
  options.key = base::Secret(std::string("sk-test"));
  options.model = "tts-1";
  options.private_addresses = PrivateAddresses::allowed;
  return options;
}

TEST(WebSpeech, SoundComesAsItArrivesWhileTheAnswerIsStillBeingSent) {
  WebCalls calls({});
  std::promise<void> heard;
  WebServer server([&](const WebServer::Request&, const Send& send) {
    send(ok_head("audio/pcm;rate=16000") + std::string("\x01\x00\x02", 3));
    heard.get_future().wait();
    send(std::string("\x00\x03\x00", 3));
  });
  WebSpeech speech(speech_options(server), calls);
  Speaking speaking;
  speaking.start(speech, "Hello \"you\".");
  const auto first = speaking.events->wait_for([](const auto& seen) { return !seen.empty(); });
  ASSERT_FALSE(first.empty());
  EXPECT_EQ(std::get<stage::SpeechChunk>(first[0]).rate_hz, 16000);
  heard.set_value();
  const auto events = speaking.all();
  EXPECT_TRUE(std::holds_alternative<stage::SpeechEnd>(events.back()));
  EXPECT_THAT(samples_of(events), ElementsAre(1, 2, 3));
  const auto request = server.requests()[0];
  EXPECT_THAT(request.head, HasSubstr("POST /v1/audio/speech"));
  EXPECT_THAT(request.head, HasSubstr("Authorization: Bearer sk-test"));
  EXPECT_EQ(request.body, R"({"model":"tts-1","input":"Hello \"you\".","voice":"nova",)"
                          R"("response_format":"pcm","speed":1.25})");
}

TEST(WebSpeech, AWavAnswerIsReadByItsOwnHead) {
  WebCalls calls({});
  WebServer server(answer_of(ok_head("audio/wav") + wav_of({5, -6, 7}, 22050)));
  WebSpeech speech(speech_options(server), calls);
  Speaking speaking;
  speaking.start(speech, "x");
  const auto events = speaking.all();
  EXPECT_THAT(samples_of(events), ElementsAre(5, -6, 7));
  EXPECT_EQ(std::get<stage::SpeechChunk>(events[0]).rate_hz, 22050);
}

TEST(WebSpeech, RefusalsAndAnswersWithoutSoundAreErrors) {
  WebCalls calls({});
  for (const auto& bytes :
       {std::string("HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno"), ok_head("audio/pcm"),
        ok_head("audio/wav") + "no wav at all", std::string("garbage\r\n\r\n"), std::string()}) {
    WebServer server(answer_of(bytes));
    WebSpeech speech(speech_options(server), calls);
    Speaking speaking;
    speaking.start(speech, "x");
    EXPECT_TRUE(is_error(speaking.all().back())) << bytes;
  }
}

TEST(WebCalls, AServerThatIsSilentForTooLongIsGivenUp) {
  WebCalls calls({});
  std::promise<void> done;
  WebServer silent([waiting = done.get_future().share()](const WebServer::Request&, const Send&) {
    waiting.wait();
  });
  auto options = speech_options(silent);
  options.first_byte_timeout = 200ms;
  WebSpeech speech(std::move(options), calls);
  Speaking speaking;
  speaking.start(speech, "x");
  EXPECT_TRUE(is_error(speaking.all().back()));
  done.set_value();
}

TEST(WebCalls, ACancelledCallIsDroppedAtOnce) {
  WebCalls calls({});
  std::promise<void> begun, dropped;
  WebServer server([&](const WebServer::Request&, const Send& send) {
    send(ok_head("audio/pcm") + std::string("\x01\x00", 2));
    begun.set_value();
    while (send(std::string(65536, '\0'))) {
    }
    dropped.set_value();
  });
  WebSpeech speech(speech_options(server), calls);
  Speaking speaking;
  speaking.start(speech, "x");
  begun.get_future().wait();
  speaking.job.reset();
  EXPECT_EQ(dropped.get_future().wait_for(20s), std::future_status::ready);
  for (const auto& event : speaking.events->so_far()) EXPECT_FALSE(is_error(event));
}

// Rule web-calls-guarded.
TEST(WebCalls, APrivateAddressIsNotAskedUnlessTheSettingsSaySo) {
  WebCalls calls({});
  WebServer server(answer_of(ok_head("audio/pcm") + "xx"));
  auto options = speech_options(server);
  options.private_addresses = PrivateAddresses::refused;
  for (const auto& url : {options.url, std::string("http://localhost:1/"),
                          std::string("http://[::1]:1/"), std::string("http://169.254.169.254/"),
                          std::string("file:///etc/passwd"), std::string("gopher://127.0.0.1/")}) {
    WebSpeech::Options tried;
    tried.url = url;
    WebSpeech speech(std::move(tried), calls);
    Speaking speaking;
    speaking.start(speech, "x");
    EXPECT_TRUE(is_error(speaking.all().back())) << url;
  }
  EXPECT_TRUE(server.requests().empty());
}

// Rule web-calls-guarded.
TEST(WebCalls, ARedirectIsNotFollowedAndALongAnswerIsCutOff) {
  WebCalls calls({});
  WebServer target(answer_of(ok_head("audio/pcm") + "xx"));
  WebServer server(answer_of("HTTP/1.1 302 Found\r\nLocation: " + target.url() +
                             "/\r\nContent-Length: 0\r\n\r\n"));
  WebSpeech speech(speech_options(server), calls);
  Speaking speaking;
  speaking.start(speech, "x");
  EXPECT_TRUE(is_error(speaking.all().back()));
  EXPECT_TRUE(target.requests().empty());
  WebServer endless([](const WebServer::Request&, const Send& send) {
    send(ok_head("audio/pcm"));
    while (send(std::string(65536, '\1'))) {
    }
  });
  WebSpeech flooded(speech_options(endless), calls);
  Speaking drowned;
  drowned.start(flooded, "x");
  EXPECT_TRUE(is_error(drowned.all().back()));
  EXPECT_LE(samples_of(drowned.events->so_far()).size(), 8u << 20);
}

struct Chatting {
  std::shared_ptr<Events<stage::ChatEvent>> events = std::make_shared<Events<stage::ChatEvent>>();
  std::unique_ptr<stage::Job> job;

  std::vector<stage::ChatEvent> all(WebChat& chat, stage::ChatRequest request) {
    job = chat.answer(std::move(request),
                      [events = events](stage::ChatEvent event) { events->add(std::move(event)); });
    return events->wait_for([](const auto& seen) {
      return !seen.empty() &&
             (std::holds_alternative<stage::ChatEnd>(seen.back()) || is_error(seen.back()));
    });
  }
};

WebChat::Options chat_options(const WebServer& server) {
  WebChat::Options options;
  options.url = server.url() + "/v1/chat/completions";
  options.default_model = "small";
  options.temperature = 0.7;
  options.private_addresses = PrivateAddresses::allowed;
  return options;
}

std::string text_of(const std::vector<stage::ChatEvent>& events) {
  std::string text;
  for (const auto& event : events)
    if (const auto* delta = std::get_if<stage::ChatDelta>(&event)) text += delta->text;
  return text;
}

constexpr auto streamed =
    ": a comment\r\n\r\n"
    "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n"
    "data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"hm\"}}]}\n\n"
    "data: {\"choices\":[{\"delta\":{\"content\":\"Hel\"}}]}\n\n"
    "data: {\"choices\":[{\"delta\":{\"content\":\"lo.\"}}]}\n\n"
    "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"c1\",\"function\":"
    "{\"name\":\"look\",\"arguments\":\"{\\\"a\\\"\"}}]}}]}\n\n"
    "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":"
    "\":1}\"}}]},\"finish_reason\":\"tool_calls\"}]}\n\n"
    "data: {\"choices\":[],\"usage\":{\"total_tokens\":3}}\n\n"
    "data: [DONE]\n\n";

TEST(WebChat, DeltasReasoningAndToolCallsOfAStreamAreTold) {
  WebCalls calls({});
  WebServer server(answer_of(ok_head("text/event-stream") + streamed));
  WebChat chat(chat_options(server), calls);
  stage::ChatRequest request;
  request.messages.resize(3);
  request.messages[0].text = "look";
  request.messages[1].role = stage::ChatMessage::Role::persona;
  request.messages[1].tool_calls = {{"c0", "look", "{}"}};
  request.messages[2].role = stage::ChatMessage::Role::tool;
  request.messages[2].tool_call_id = "c0";
  request.messages[2].text = "seen";
  request.tools = {{"look", "Looks.", R"({"type":"object"})"}};
  Chatting chatting;
  const auto events = chatting.all(chat, std::move(request));
  EXPECT_EQ(text_of(events), "Hello.");
  EXPECT_EQ(std::get<stage::ChatReasoning>(events[0]).text, "hm");
  const auto& call = std::get<stage::ChatToolCall>(events[events.size() - 2]);
  EXPECT_EQ(call.id, "c1");
  EXPECT_EQ(call.arguments, R"({"a":1})");
  EXPECT_TRUE(std::holds_alternative<stage::ChatEnd>(events.back()));
  EXPECT_EQ(
      server.requests()[0].body,
      R"({"model":"small","stream":true,"max_tokens":1024,"temperature":70e-2,"messages":[)"
      R"({"role":"user","content":"look"},{"role":"assistant","content":"","tool_calls":[)"
      R"({"id":"c0","type":"function","function":{"name":"look","arguments":"{}"}}]},)"
      R"({"role":"tool","content":"seen","tool_call_id":"c0"}],"tools":[{"type":"function",)"
      R"("function":{"name":"look","description":"Looks.","parameters":{"type":"object"}}}]})");
}

TEST(WebChat, AnAnswerInOnePieceIsReadToo) {
  WebCalls calls({});
  WebServer server(answer_of(ok_head("application/json") +
                             R"({"choices":[{"message":{"content":"All at once."}}]})"));
  WebChat chat(chat_options(server), calls);
  Chatting chatting;
  EXPECT_EQ(text_of(chatting.all(chat, {})), "All at once.");
}

TEST(WebChat, ErrorsBrokenStreamsAndEndlessAnswersEndWithAnError) {
  WebCalls calls({});
  const std::string long_text(70'000, 'x');
  for (const auto& bytes :
       {std::string("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"),
        ok_head("text/event-stream") + "data: {\"error\":{\"message\":\"no\"}}\n\n",
        ok_head("text/event-stream") + "data: {broken\n\n",
        ok_head("text/event-stream") + "data: {\"choices\":[{\"delta\":{\"content\":\"" +
            long_text + "\"}}]}\n\n",
        ok_head("text/event-stream") + "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":"
                                       "99999}]}}]}\n\n",
        ok_head("text/event-stream") + "data: " + std::string(400'000, 'y')}) {
    WebServer server(answer_of(bytes));
    WebChat chat(chat_options(server), calls);
    Chatting chatting;
    EXPECT_TRUE(is_error(chatting.all(chat, {}).back())) << bytes.substr(0, 120);
  }
}

TEST(WebRecognizer, AnUtteranceIsSentAsAWavFileAndItsTextComesBack) {
  WebCalls calls({});
  WebServer server(answer_of(ok_head("application/json") + R"({"text":" Good morning. "})"));
  WebRecognizer::Options options;
  options.url = server.url() + "/v1/audio/transcriptions";
  options.model = "whisper-1";
  options.private_addresses = PrivateAddresses::allowed;
  WebRecognizer recognizer(std::move(options), calls);
  const auto events = std::make_shared<Events<stage::RecognitionEvent>>();
  const auto recognition = recognizer.listen(
      "en", [events](stage::RecognitionEvent event) { events->add(std::move(event)); });
  recognition->push(std::vector<std::int16_t>{1, 2, 3});
  recognition->finish();
  const auto seen = events->wait_for([](const auto& all) { return !all.empty(); });
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(std::get<stage::RecognizedText>(seen[0]).text, "Good morning.");
  const auto request = server.requests()[0];
  EXPECT_THAT(request.head, HasSubstr("multipart/form-data; boundary=stagedoor-part-0"));
  EXPECT_THAT(request.body, HasSubstr("name=\"model\"\r\n\r\nwhisper-1\r\n"));
  EXPECT_THAT(request.body, HasSubstr(wav_of({1, 2, 3}, 16000) + "\r\n--stagedoor-part-0--\r\n"));
}

base::Result<std::string> run(WebTool& tool, stage::WebhookCall call) {
  const auto results = std::make_shared<Events<base::Result<std::string>>>();
  const auto job = tool.call(std::move(call), [results](base::Result<std::string> result) {
    results->add(std::move(result));
  });
  const auto seen = results->wait_for([](const auto& all) { return !all.empty(); });
  return seen.empty() ? base::fail(base::ErrorCode::unavailable, "no result") : seen[0];
}

TEST(WebTool, ArgumentsGoAsTheBodyWithTheDeclaredHeaders) {
  WebCalls calls({});
  WebServer server(answer_of(ok_head("text/plain") + "sunny"));
  WebTool tool({.private_addresses = PrivateAddresses::allowed}, calls);
  stage::WebhookCall call;
  call.method = "PUT";
  call.url = server.url() + "/weather?x=1";
  call.headers = {{"X-Key", "secret"}};
  call.query = {{"town", "Z\xc3\xbcrich & Bern"}};
  call.arguments = R"({"day":2})";
  const auto result = run(tool, call);
  ASSERT_TRUE(result);
  EXPECT_EQ(*result, "sunny");
  const auto request = server.requests()[0];
  EXPECT_THAT(request.head, HasSubstr("PUT /weather?x=1&town=Z%C3%BCrich%20%26%20Bern HTTP"));
  EXPECT_THAT(request.head, HasSubstr("X-Key: secret"));
  EXPECT_THAT(request.head, HasSubstr("Content-Type: application/json"));
  EXPECT_EQ(request.body, R"({"day":2})");
}

TEST(WebTool, ACallThatIsToBeFinishedIsFinishedWhenItsJobIsGone) {
  WebCalls calls({});
  std::promise<void> asked, abandoned;
  WebServer server([&](const WebServer::Request&, const Send& send) {
    asked.set_value();
    abandoned.get_future().wait();
    send(ok_head("text/plain") + "logged");
  });
  WebTool tool({.private_addresses = PrivateAddresses::allowed}, calls);
  stage::WebhookCall call;
  call.url = server.url();
  call.if_abandoned = stage::WebhookCall::IfAbandoned::finished;
  std::promise<std::string> answered;
  auto job = tool.call(std::move(call), [&](base::Result<std::string> result) {
    answered.set_value(result.value_or("failed"));
  });
  asked.get_future().wait();
  job.reset();
  abandoned.set_value();
  EXPECT_EQ(answered.get_future().get(), "logged");
}

// Rule webhooks-stay-outside.
TEST(WebTool, PrivateAddressesLongAnswersAndBrokenHeadersAreRefused) {
  WebCalls calls({});
  WebServer server(answer_of(ok_head("text/plain") + std::string(70'000, 'x')));
  WebTool guarded({}, calls);
  stage::WebhookCall call;
  call.url = server.url();
  EXPECT_FALSE(run(guarded, call));
  EXPECT_TRUE(server.requests().empty());
  WebTool tool({.answer_bytes_max = 1000, .private_addresses = PrivateAddresses::allowed}, calls);
  EXPECT_FALSE(run(tool, call));
  EXPECT_EQ(server.requests().size(), 1U);
  call.headers = {{"X", "a\r\nHost: other"}};
  EXPECT_FALSE(run(tool, call));
  call.headers = {};
  call.method = "CONNECT";
  EXPECT_FALSE(run(tool, call));
  EXPECT_EQ(server.requests().size(), 1U);
  WebServer failing(answer_of("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"));
  stage::WebhookCall other;
  other.url = failing.url();
  const auto refused = run(tool, other);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().hint, "The tool answered with status 404.");
}

TEST(WavStream, SoundIsReadHoweverItsBytesAreCut) {
  const auto file = wav_of({1, -2, 3, -4}, 24000);
  for (std::size_t step = 1; step <= file.size(); ++step) {
    WavStream wav;
    std::vector<std::int16_t> samples;
    for (std::size_t at = 0; at < file.size(); at += step)
      ASSERT_TRUE(wav.push(std::string_view(file).substr(at, step), samples));
    EXPECT_THAT(samples, ElementsAre(1, -2, 3, -4));
    EXPECT_EQ(wav.rate_hz(), 24000);
  }
}

}  // namespace
}  // namespace stagedoor::engines
