#include "server/live_stage.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/json_writer.h"
#include "base/text.h"
#include "engines/espeak_speech.h"
#include "engines/flite_speech.h"
#include "engines/opus_coder.h"
#include "engines/pocketsphinx_recognizer.h"
#include "engines/vp8_camera.h"
#include "engines/web_chat.h"
#include "engines/web_recognizer.h"
#include "engines/web_speech.h"
#include "engines/web_tool.h"
#include "engines/webrtc_voice_detector.h"
#include "server/ice_servers.h"
#include "server/media_port.h"
#include "store/secret_file.h"

namespace stagedoor::server {
namespace {

using base::ErrorCode;
using engines::PrivateAddresses;

PrivateAddresses private_addresses(bool are_allowed) {
  return are_allowed ? PrivateAddresses::allowed : PrivateAddresses::refused;
}

base::Result<base::Secret> key_of(const LiveSettings::Endpoint& endpoint) {
  if (endpoint.key_file.empty()) return base::Secret();
  return store::read_private_line(endpoint.key_file);
}

// "ID=NAME", each. `malformed` for what has no "=".
using Names = std::map<std::string, std::string, std::less<>>;
base::Result<Names> names_of(const std::vector<std::string>& pairs, std::string_view setting) {
  Names names;
  for (const auto& pair : pairs) {
    const auto sign = pair.find('=');
    if (sign == pair.npos || sign == 0)
      return base::fail(ErrorCode::malformed, "setting " + std::string(setting),
                        std::string(setting) + ": \"" + pair + "\" must be \"ID=NAME\"");
    names[pair.substr(0, sign)] = pair.substr(sign + 1);
  }
  return names;
}

std::function<std::string(std::string_view)> lookup(Names names) {
  return [names = std::move(names)](std::string_view id) {
    const auto found = names.find(id);
    return found == names.end() ? std::string() : found->second;
  };
}

rules::Voice voice_of(const std::string& engine, stage::SpeechVoice voice) {
  using Gender = stage::SpeechVoice::Gender;
  auto gender = rules::VoiceGender::neutral;
  if (voice.gender == Gender::male) gender = rules::VoiceGender::male;
  if (voice.gender == Gender::female) gender = rules::VoiceGender::female;
  return {.id = rules::voice_id_of(engine, voice.name),
          .name = std::move(voice.title),
          .engine = engine,
          .engine_name = std::move(voice.name),
          .language = std::move(voice.language),
          .gender = gender};
}

}  // namespace

base::Result<std::unique_ptr<LiveStage>> LiveStage::open(const Parts& parts, const Config& config) {
  std::unique_ptr<LiveStage> stage(new LiveStage(parts));
  if (auto built = stage->build_engines(config.live); !built) return base::fail(built.error());
  if (auto built = stage->build_loops(config); !built) return base::fail(built.error());
  if (auto built = stage->build_door(config); !built) return base::fail(built.error());
  return stage;
}

void LiveStage::add_speech(std::string name, std::unique_ptr<stage::Speech> speech) {
  for (auto& voice : speech->voices()) engine_voices_.push_back(voice_of(name, std::move(voice)));
  voices_.push_back(std::move(speech));
}

// The ids of the settings first, each with the voice that it means, then each engine's own.
base::Result<base::Done> LiveStage::list_voices(const LiveSettings& settings) {
  auto names = names_of(settings.voices, "live.voices");
  if (!names) return base::fail(names.error());
  auto& listed = parts_.workspace.voices;
  // What the ids of the vendors' documents mean where nobody has said so are built-in voices; with
  // an engine that was set up they mean its default.
  const bool are_defaults = settings.voices == LiveSettings().voices;
  if (are_defaults && !settings.speech.url.empty()) names->clear();
  for (const auto& [id, name] : *names) {
    const auto known = std::ranges::find(engine_voices_, name, &rules::Voice::engine_name);
    auto voice = known == engine_voices_.end() ? rules::Voice{.id = {},
                                                              .name = name,
                                                              .engine = {},
                                                              .engine_name = name,
                                                              .language = {}}
                                               : *known;
    voice.id = id;
    listed.add(std::move(voice));
  }
  for (const auto& voice : engine_voices_) listed.add(voice);
  return base::Done{};
}

base::Result<base::Done> LiveStage::build_engines(const LiveSettings& settings) {
  const auto reach = private_addresses(settings.allow_private_engines);
  auto speech_key = key_of(settings.speech), chat_key = key_of(settings.chat),
       recognizer_key = key_of(settings.recognizer);
  for (const auto* key : {&speech_key, &chat_key, &recognizer_key})
    if (!*key) return base::fail(key->error());

  if (!settings.speech.url.empty()) {
    engines::WebSpeech::Options options;
    options.url = settings.speech.url;
    options.key = *std::move(speech_key);
    options.model = settings.speech.model;
    options.default_voice = settings.speech_voice;
    options.private_addresses = reach;
    add_speech("web", std::make_unique<engines::WebSpeech>(std::move(options), web_calls_));
  }
  add_speech("flite", std::make_unique<engines::FliteSpeech>(engines::FliteSpeech::Options{}));
  engines::EspeakSpeech::Options espeak;
  espeak.program = settings.espeak_program;
  add_speech("espeak-ng", std::make_unique<engines::EspeakSpeech>(std::move(espeak)));
  std::vector<stage::Speech*> in_order;
  for (const auto& voice : voices_) in_order.push_back(voice.get());
  if (auto listed = list_voices(settings); !listed) return listed;
  speech_ = std::make_unique<stage::FallbackSpeech>(std::move(in_order), failures_of("speech"));

  build_chat(settings, *std::move(chat_key));
  build_recognizer(settings, *std::move(recognizer_key));
  engines::WebTool::Options tool;
  tool.private_addresses = private_addresses(settings.allow_private_webhooks);
  tools_ = std::make_unique<engines::WebTool>(tool, web_calls_);
  return base::Done{};
}

stage::EngineFailed LiveStage::failures_of(std::string engine) const {
  return told_failures_of(std::move(engine), parts_.log, parts_.workspace.clock);
}

void LiveStage::build_chat(const LiveSettings& settings, base::Secret key) {
  scripted_ = std::make_shared<stage::ScriptedChat>();
  chat_ = scripted_;
  if (settings.chat.url.empty()) return;
  engines::WebChat::Options options;
  options.url = settings.chat.url;
  options.key = std::move(key);
  options.default_model = settings.chat.model;
  options.private_addresses = private_addresses(settings.allow_private_engines);
  chat_ = std::make_shared<stage::FallbackChat>(
      std::make_shared<engines::WebChat>(std::move(options), web_calls_), scripted_,
      failures_of("chat"));
}

void LiveStage::build_recognizer(const LiveSettings& settings, base::Secret key) {
  std::vector<stage::Recognizer*> in_order;
  if (!settings.recognizer.url.empty()) {
    engines::WebRecognizer::Options options;
    options.url = settings.recognizer.url;
    options.key = std::move(key);
    options.model = settings.recognizer.model;
    options.private_addresses = private_addresses(settings.allow_private_engines);
    in_order.push_back(
        recognizers_
            .emplace_back(std::make_unique<engines::WebRecognizer>(std::move(options), web_calls_))
            .get());
  }
  if (auto built_in = open_built_in_recognizer(settings))
    in_order.push_back(recognizers_.emplace_back(std::move(built_in)).get());
  // Without any the server hears whether somebody speaks, and not what.
  if (!in_order.empty())
    recognizer_ =
        std::make_unique<stage::FallbackRecognizer>(std::move(in_order), failures_of("recognizer"));
}

// Null, after a line in the log, where it is not wanted or can't be had.
std::unique_ptr<stage::Recognizer> LiveStage::open_built_in_recognizer(
    const LiveSettings& settings) const {
  const auto tell = [&](std::string_view detail) {
    parts_.log.write(base::LogLevel::warning, "recognizer.missing",
                     {{"detail", detail},
                      {"model", settings.pocketsphinx_model},
                      {"in_its_place", settings.recognizer.url.empty() ? "nobody" : "web"}});
  };
  if (settings.pocketsphinx_model.empty()) {
    if (settings.recognizer.url.empty()) tell("the settings name no recogniser");
    return nullptr;
  }
  engines::PocketSphinxRecognizer::Options options;
  options.model_path = settings.pocketsphinx_model;
  auto built_in = engines::PocketSphinxRecognizer::open(std::move(options));
  if (built_in) return *std::move(built_in);
  tell(built_in.error().detail);
  return nullptr;
}

base::Result<base::Done> LiveStage::build_loops(const Config& config) {
  auto port = media_port_of(config);
  if (!port) return base::fail(port.error());
  auto loops = live::FaceLoops::open({.threads = config.live.threads,
                                      .faces_max = config.live.faces_max,
                                      .port = *std::move(port)},
                                     parts_.workspace.random, parts_.workspace.clock);
  if (!loops) return base::fail(loops.error());
  loops_ = *std::move(loops);
  return base::Done{};
}

live::FaceSession::Parts LiveStage::session_parts() {
  return {.speech = *speech_,
          .chat = chat_.get(),
          .recognizer = recognizer_.get(),
          .tools = tools_.get(),
          .voice_detector = [] { return std::make_unique<engines::WebRtcVoiceDetector>(); },
          .camera = &engines::Vp8Camera::create,
          .sound_encoder = &engines::make_opus_encoder,
          .sound_decoder = &engines::make_opus_decoder,
          .clock = parts_.workspace.clock,
          .random = parts_.workspace.random,
          .counts = counts_};
}

base::Result<base::Done> LiveStage::build_door(const Config& config) {
  const auto& live = config.live;
  auto models = names_of(live.models, "live.models");
  if (!models) return base::fail(models.error());
  auto& workspace = parts_.workspace;
  auto ice_servers = IceServers::of(live, workspace.clock, workspace.random);
  if (!ice_servers) return base::fail(ice_servers.error());
  faces_ = std::make_unique<anam::LiveFaces>(anam::LiveFaces::Parts{
      .loops = *loops_,
      .session = session_parts(),
      .sessions = parts_.office.sessions(),
      .reports = *workspace.session_reports,
      .clock = workspace.clock,
      .random = workspace.random,
      .log = parts_.log,
      .must_end = [&office = parts_.office](const rules::LiveSession& session) {
        return office.must_end(session);
      }});
  signalling_ = std::make_unique<anam::Signalling>(
      anam::Signalling::Parts{.faces = *faces_,
                              .admit_call = parts_.reception.admit(),
                              .log = parts_.log,
                              .message_memory = &parts_.message_memory});
  engine_sessions_ = std::make_unique<anam::EngineSessions>(
      anam::EngineSessions::Parts{
          .admit_call = parts_.reception.admit(),
          .admit_connection = parts_.office.admit(),
          .mint = parts_.mint,
          .snapshots = *workspace.persona_snapshots,
          .faces = *faces_,
          .workers = parts_.reception.workers(),
          .log = parts_.log,
          .clock = workspace.clock,
          .is_stopping = parts_.is_stopping,
          .names = {.voice =
                        [&voices = workspace.voices](std::string_view id) {
                          const auto* voice = voices.find(id);
                          return voice == nullptr ? std::string() : voice->engine_name;
                        },
                    .model = lookup(*std::move(models))},
          .language_model = language_models(live),
          .knowledge =
              [this](const rules::ItemScope& scope, std::vector<std::string> group_ids) {
                return searches_.over(scope, std::move(group_ids));
              },
          .transcripts =
              live.keep_transcripts ? rules::Transcripts::kept : rules::Transcripts::left_out},
      anam::EngineSessions::Options{.public_url = config.public_url,
                                    .region = config.region,
                                    .ice_servers = *std::move(ice_servers)});
  return base::Done{};
}

// What a workspace brings, with the scripted partner behind it.
LiveStage::FindChat LiveStage::language_models(const LiveSettings& settings) {
  return [models = LanguageModels(
              {.items = *parts_.workspace.items,
               .calls = web_calls_,
               .private_addresses = private_addresses(settings.allow_private_webhooks)}),
          scripted = scripted_, failed = failures_of("language_model")](
             const rules::ItemScope& scope,
             std::string_view id) -> base::Result<std::shared_ptr<stage::Chat>> {
    auto model = models(scope, id);
    if (!model) return base::fail(model.error());
    return std::make_shared<stage::FallbackChat>(*std::move(model), scripted, failed);
  };
}

LiveStage::~LiveStage() {
  stop();
}

void LiveStage::stop() {
  if (loops_) loops_->stop();
  if (faces_) faces_->abandon();
}

void LiveStage::add_to(http::Router& router) {
  engine_sessions_->add_to(router);
  signalling_->add_to(router);
  client_metrics_.add_to(router);
}

std::vector<api::Gauge> LiveStage::gauges() const {
  using Kind = api::Gauge::Kind;
  const auto counter = [](std::string name, std::string help,
                          const std::atomic<std::uint64_t>& value) {
    return api::Gauge{"stagedoor_live_" + name, std::move(help), Kind::counter,
                      [&value] { return static_cast<double>(value.load()); }};
  };
  std::vector<api::Gauge> all = {
      counter("sessions_begun_total", "Live faces begun.", counts_.sessions_begun),
      counter("sessions_connected_total", "Live faces that a client saw.",
              counts_.sessions_connected),
      counter("pictures_total", "Pictures sent.", counts_.pictures),
      counter("pictures_left_out_total", "Pictures left out since the next came before their turn.",
              counts_.pictures_left_out),
      counter("sound_packets_total", "Packets of sound sent, 20 ms each.", counts_.sound_packets),
      counter("messages_refused_total", "Messages of clients that were too long to be taken.",
              counts_.messages_refused),
      counter("packets_dropped_total",
              "Datagrams of clients that were not genuine or could not be read.",
              counts_.packets_dropped),
      {"stagedoor_live_strays_total",
       "Datagrams for a user, or from an address, that there is not.", Kind::counter,
       [this] { return static_cast<double>(loops_->strays().of_nobody); }},
      {"stagedoor_live_unreadable_total", "Datagrams that are nothing which is spoken here.",
       Kind::counter, [this] { return static_cast<double>(loops_->strays().unreadable); }},
      {"stagedoor_engine_endpoints_opened_total",
       "Endpoints of engines that began to be passed over since they did not answer.",
       Kind::counter, [this] { return static_cast<double>(breakers_.counts().opened); }},
      {"stagedoor_engine_calls_passed_over_total",
       "Calls to engines that were not made since their endpoint did not answer.", Kind::counter,
       [this] { return static_cast<double>(breakers_.counts().passed_over); }},
      {"stagedoor_live_faces", "Live faces now.", Kind::gauge,
       [this] { return static_cast<double>(faces_->count()); }},
  };
  for (std::size_t at = 0; at < anam::ClientMetrics::names.size(); ++at)
    all.push_back(
        {"stagedoor_clients_tell_" + std::string(anam::ClientMetrics::names[at]) + "_total",
         "Messages of the clients' telemetry with this name.", Kind::counter,
         [this, at] { return static_cast<double>(client_metrics_.count(at)); }});
  return all;
}

}  // namespace stagedoor::server
