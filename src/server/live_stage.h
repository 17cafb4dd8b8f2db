// The live faces, built: the loops that they are performed on, their engines, and the door's part.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "anam/client_metrics.h"
#include "anam/engine_sessions.h"
#include "anam/live_face.h"
#include "anam/signalling.h"
#include "api/health.h"
#include "base/result.h"
#include "engines/circuit_breakers.h"
#include "engines/web_calls.h"
#include "http/memory_budget.h"
#include "live/face_loops.h"
#include "rules/voice.h"
#include "server/config.h"
#include "server/engine_failures.h"
#include "server/knowledge_runner.h"
#include "server/language_models.h"
#include "server/reception.h"
#include "server/session_office.h"
#include "server/workspace.h"
#include "stage/fallback_chat.h"
#include "stage/fallback_recognizer.h"
#include "stage/fallback_speech.h"
#include "stage/scripted_chat.h"
#include "stage/tool_runner.h"

namespace stagedoor::server {

// Safe for concurrent use after `open`. Ends its threads in the destructor, and before that where
// `stop` is called.
class LiveStage {
 public:
  struct Parts {
    Workspace& workspace;
    Reception& reception;
    SessionOffice& office;
    const actions::MintPersonaToken& mint;
    http::MemoryBudget& message_memory;
    base::Log& log;
    const std::atomic<bool>& is_stopping;
  };
  ~LiveStage();
  // `forbidden` for a key file that others can read, `malformed` for a setting, `unavailable`
  // where no UDP port can be had.
  static base::Result<std::unique_ptr<LiveStage>> open(const Parts& parts, const Config& config);

  void add_to(http::Router& router);
  std::vector<api::Gauge> gauges() const;
  // What still lives is abandoned.
  void stop();

 private:
  explicit LiveStage(const Parts& parts)
      : parts_(parts), breakers_({}, parts.workspace.clock, told_breakers_of(parts.log)) {}
  void add_speech(std::string name, std::unique_ptr<stage::Speech> speech);
  base::Result<base::Done> list_voices(const LiveSettings& settings);
  base::Result<base::Done> build_engines(const LiveSettings& settings);
  stage::EngineFailed failures_of(std::string engine) const;
  void build_chat(const LiveSettings& settings, base::Secret key);
  void build_recognizer(const LiveSettings& settings, base::Secret key);
  std::unique_ptr<stage::Recognizer> open_built_in_recognizer(const LiveSettings& settings) const;
  base::Result<base::Done> build_loops(const Config& config);
  base::Result<base::Done> build_door(const Config& config);
  using FindChat = std::function<base::Result<std::shared_ptr<stage::Chat>>(const rules::ItemScope&,
                                                                            std::string_view id)>;
  FindChat language_models(const LiveSettings& settings);
  live::FaceSession::Parts session_parts();

  Parts parts_;
  engines::CircuitBreakers breakers_;
  engines::WebCalls web_calls_{{.breakers = &breakers_}};
  KnowledgeSearches searches_{*parts_.workspace.knowledge};
  std::vector<std::unique_ptr<stage::Speech>> voices_;  // in the order of trying
  std::vector<rules::Voice> engine_voices_;
  std::unique_ptr<stage::FallbackSpeech> speech_;
  std::shared_ptr<stage::Chat> scripted_, chat_;
  std::vector<std::unique_ptr<stage::Recognizer>> recognizers_;  // in the order of trying
  std::unique_ptr<stage::Recognizer> recognizer_;                // null: nothing is understood
  std::unique_ptr<stage::ToolRunner> tools_;
  live::FaceCounts counts_;
  std::unique_ptr<anam::LiveFaces> faces_;  // gone after the loops that they live on
  std::unique_ptr<live::FaceLoops> loops_;
  std::unique_ptr<anam::Signalling> signalling_;
  std::unique_ptr<anam::EngineSessions> engine_sessions_;
  anam::ClientMetrics client_metrics_;
};

}  // namespace stagedoor::server
