#include "anam/mint_request.h"

#include <string>
#include <utility>

#include "base/json.h"
#include "base/json_shape.h"
#include "rules/persona_shape.h"
#include "rules/session_report.h"

namespace stagedoor::anam {
namespace {

using base::add_fault;
using base::Json;
using Request = actions::MintPersonaToken::Request;

constexpr std::size_t client_label_characters_max = 128;
constexpr std::size_t persona_id_characters_max = 128;

// A member that is there and not null.
std::optional<Json> given(const Json& object, std::string_view name) {
  auto member = object.member(name);
  if (member && member->is_null()) member.reset();
  return member;
}

std::string text_member(const Json& object, std::string_view name, std::size_t characters_max,
                        std::string path, rules::Faults& faults) {
  const auto member = given(object, name);
  if (!member) return {};
  const auto text = member->text();
  if (text && base::character_count(*text) <= characters_max) return std::string(*text);
  add_fault(faults, std::move(path), text ? "too_long" : "invalid_type",
            "must be a text of at most " + std::to_string(characters_max) + " characters");
  return {};
}

void read_persona(const Json& body, Request& request, rules::Faults& faults) {
  const auto config = given(body, "personaConfig");
  if (!config) {
    return add_fault(faults, "personaConfig", "missing",
                     "Say whom the token is for: personaConfig with personaId, or with avatarId, "
                     "voiceId, llmId and systemPrompt.");
  }
  if (given(*config, "personaId")) {
    request.persona_id = text_member(*config, "personaId", persona_id_characters_max,
                                     "personaConfig.personaId", faults);
    if (request.persona_id.empty() && faults.empty())
      add_fault(faults, "personaConfig.personaId", "missing", "must not be empty");
    return;
  }
  auto content =
      rules::PersonaContent::read(*config, rules::PersonaForm::inline_content, "personaConfig");
  if (content) {
    request.content = *std::move(content);
  } else {
    for (auto& fault : content.error()) faults.push_back(std::move(fault));
  }
}

// Where else the media should go: nothing of that is served, and a token for it would be a promise.
void check_environment(const Json& body, rules::Faults& faults) {
  const auto environment = given(body, "environment");
  if (!environment) return;
  if (!environment->is_object())
    return add_fault(faults, "environment", "invalid_type", "must be an object");
  for (const auto* name : {"livekitUrl", "livekitToken", "elevenLabsAgentSettings", "agora"}) {
    if (given(*environment, name)) {
      add_fault(faults, std::string("environment.") + name, "unsupported",
                "This server does not send media into other services' rooms.");
    }
  }
}

}  // namespace

std::expected<Request, rules::PersonaRefusal> read_mint_request(std::string_view text) {
  thread_local base::JsonReader reader;
  const auto body = reader.read(text);
  if (!body) return std::unexpected(rules::PersonaRefusal{.error = body.error(), .faults = {}});
  rules::Faults faults;
  Request request;
  request.path = "personaConfig";
  if (!body->is_object()) {
    add_fault(faults, "", "invalid_type", "The body must be a JSON object with personaConfig.");
    return std::unexpected(rules::refusal_of(std::move(faults)));
  }
  request.client_label =
      text_member(*body, "clientLabel", client_label_characters_max, "clientLabel", faults);
  read_persona(*body, request, faults);
  if (const auto options = given(*body, "sessionOptions")) {
    auto canonical = rules::read_session_options(*options, "sessionOptions");
    if (canonical) {
      request.session_options = *std::move(canonical);
    } else {
      for (auto& fault : canonical.error()) faults.push_back(std::move(fault));
    }
  }
  check_environment(*body, faults);
  if (!faults.empty()) return std::unexpected(rules::refusal_of(std::move(faults)));
  return request;
}

std::expected<ClientSide, rules::PersonaRefusal> read_client_side(std::string_view text) {
  if (text.empty()) return ClientSide();
  thread_local base::JsonReader reader;
  const auto body = reader.read(text);
  if (!body) return std::unexpected(rules::PersonaRefusal{.error = body.error(), .faults = {}});
  rules::Faults faults;
  if (!body->is_object()) {
    add_fault(faults, "", "invalid_type", "The body must be a JSON object, or empty.");
    return std::unexpected(rules::refusal_of(std::move(faults)));
  }
  ClientSide client;
  static const auto shape = base::JsonShape::any_object(rules::client_metadata_bytes_max);
  if (const auto metadata = given(*body, "clientMetadata"))
    client.metadata = shape.read(*metadata, "clientMetadata", faults);
  const auto options = given(*body, "sessionOptions");
  if (const auto detection = options ? given(*options, "voiceDetection") : std::nullopt)
    client.voice_detection = rules::session_voice_detection_shape().read(
        *detection, "sessionOptions.voiceDetection", faults);
  if (!faults.empty()) return std::unexpected(rules::refusal_of(std::move(faults)));
  return client;
}

}  // namespace stagedoor::anam
