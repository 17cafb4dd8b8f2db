#include "anam/engine_sessions.h"

#include <utility>

#include "anam/error_reply.h"
#include "anam/mint_request.h"
#include "anam/signalling.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "front/credential.h"
#include "front/limit_headers.h"
#include "front/origin.h"
#include "http/answer_within.h"
#include "rules/api_key.h"
#include "rules/built_in.h"

namespace stagedoor::anam {
namespace {

using actions::AdmitConnection;
using actions::Grant;
using base::ErrorCode;
using http::Request;
using http::Response;

constexpr std::string_view action = "POST /v1/engine/session";
constexpr auto redemption_patience = std::chrono::seconds(10);
constexpr int heartbeat_seconds = 5, reconnections_max = 5;

// What tells a client's retry from a second client: the client sends nothing of its own for that.
base::Secret client_mark_of(const Request& request) {
  std::string text(request.peer());
  text += '\n';
  text += request.header("User-Agent").value_or("");
  return base::Secret(base::base64url(base::as_text(crypto::sha256(text))));
}

// "https://door.example" is {"https", "door.example"}.
struct Place {
  std::string_view scheme, host;
};
Place place_of(std::string_view public_url, const Request& request) {
  const auto end = public_url.find("://");
  if (end == public_url.npos) return {"http", request.header("Host").value_or("localhost")};
  auto host = public_url.substr(end + 3);
  while (host.ends_with('/')) host.remove_suffix(1);
  return {public_url.substr(0, end), host};
}

}  // namespace

EngineSessions::EngineSessions(Parts parts, Options options)
    : parts_(std::move(parts)),
      options_(std::move(options)),
      work_([this](const Request& in, Response& out) { start(in, out); }) {}

void EngineSessions::add_to(http::Router& router) const {
  const std::string path(engine_session_path);
  router.errors(path, [](Response& response, int status, std::string_view what) {
    reply(response, status, what);
  });
  router.add({"POST", path, http::WaitingHandler([this](const Request& in, Response& out) {
                return serve(in, out);
              })});
  router.add({"OPTIONS", path, http::Handler(&preflight)});
}

namespace {

// Not inside the coroutine: g++ 12 miscompiles the making of texts there (front/guard.cc).
void refuse_busy(Response& response) {
  reply(response, 503, "The server has too much to do; try again.");
}

}  // namespace

http::Task<> EngineSessions::serve(const Request& request, Response& response) const {
  const bool was_taken = co_await http::on_worker(parts_.workers, work_, request, response);
  if (!was_taken) refuse_busy(response);
}

// On a worker: it waits for the disk and for a face loop.
void EngineSessions::start(const Request& request, Response& response) const {
  rules::Faults faults;
  if (parts_.is_stopping.load()) return reply(response, 503, "The server is shutting down.");
  auto token = token_of(request, response, faults);
  if (!token) return refuse(request, response, token.error(), faults);
  // Before the token is spent.
  const auto client = read_client_side(request.body());
  if (!client) return refuse(request, response, client.error().error, client.error().faults);
  const auto address = begun(request, *std::move(token), *client);
  if (!address) return refuse(request, response, address.error(), faults);
  answer(request, response, *address);
}

// The session token that came, or one minted with the API key that came.
base::Result<base::Secret> EngineSessions::token_of(const Request& request, Response& response,
                                                    rules::Faults& faults) const {
  const auto credential = front::bearer_of(request);
  // An API key, of ours or imported, has never the two dots of a token.
  if (credential && actions::is_token(*credential)) return base::Secret(std::string(*credential));
  const actions::AdmitCall::Request call{.credential = credential,
                                         .client = request.client(),
                                         .peer = request.peer(),
                                         .request_id = request.id(),
                                         .action = action,
                                         .needs = rules::Permission::tokens_mint};
  const auto outcome = parts_.admit_call(call);
  front::tell_limit(response, outcome.limit);
  if (!outcome.caller) return base::fail(outcome.caller.error());
  if (outcome.caller->kind() != rules::CallerKind::api_key)
    return base::fail(ErrorCode::unauthenticated, "a person at the engine");
  auto token = token_by_key(*outcome.caller, request, faults);
  if (!token) parts_.admit_call.note_refused(*outcome.caller, call, token.error());
  return token;
}

// That of the first such call, where the call names itself.
base::Result<base::Secret> EngineSessions::token_by_key(const rules::Caller& caller,
                                                        const Request& request,
                                                        rules::Faults& faults) const {
  const auto name = request.header("Idempotency-Key");
  if (!name) return minted(caller, request, faults);
  const auto by = caller.actor();
  const rules::NamedMints::Call call{.minted_by = by, .key = *name, .body = request.body()};
  auto earlier = named_.find(call, parts_.clock.now());
  if (!earlier) return base::fail(earlier.error());
  if (*earlier) return **std::move(earlier);
  auto token = minted(caller, request, faults);
  if (!token) return token;
  return named_.keep(call, *std::move(token), parts_.clock.now());
}

base::Result<base::Secret> EngineSessions::minted(const rules::Caller& caller,
                                                  const Request& request,
                                                  rules::Faults& faults) const {
  const auto wanted = read_mint_request(request.body());
  if (!wanted) {
    faults = wanted.error().faults;
    return base::fail(wanted.error().error);
  }
  auto minted = parts_.mint(caller, *wanted);
  if (!minted) {
    faults = minted.error().faults;
    return base::fail(minted.error().error);
  }
  return std::move(minted->token);
}

AdmitConnection::Admitted EngineSessions::admitted(const Request& request, base::Secret token,
                                                   std::optional<base::Error> no_room) const {
  const AdmitConnection::Request wanted{.token = std::move(token),
                                        .opens = AdmitConnection::Opens::live_face,
                                        .app_id = {},
                                        .avatar_id = {},
                                        .origin = front::origin_of(request),
                                        .client_nonce = client_mark_of(request),
                                        .request_id = std::string(request.id()),
                                        .peer = std::string(request.peer()),
                                        .client = request.client(),
                                        .no_room = std::move(no_room),
                                        .dialect = "anam",
                                        .action = action};
  return http::answer_within<AdmitConnection::Admitted>(
      redemption_patience,
      [&](AdmitConnection::Answer answer) { parts_.admit_connection(wanted, std::move(answer)); });
}

base::Result<base::Done> EngineSessions::find_engines(const Grant& grant, PersonaPlay& play) const {
  const rules::ItemScope scope{.workspace_id = grant.live_session().workspace_id,
                               .environment = grant.live_session().environment,
                               .app_id = grant.live_session().app_id};
  for (auto& tool : play.conversation.tools)
    if (tool.kind == stage::ConversationTool::Kind::knowledge)
      tool.runner = parts_.knowledge(scope, tool.source_ids);
  const auto& id = play.language_model_id;
  const bool is_asked = play.conversation.words == stage::ConversationSettings::Words::chat;
  if (!is_asked || id.empty() || rules::built_in_language_model(id) != nullptr) return base::Done{};
  auto chat = parts_.language_model(scope, id);
  if (chat) {
    play.chat = *std::move(chat);
    play.conversation.model.clear();
    return base::Done{};
  }
  if (chat.error().code != ErrorCode::not_found) return base::fail(chat.error());
  return base::fail(ErrorCode::malformed, "a session whose language model is gone",
                    "The language model of this persona has been taken away.");
}

std::expected<LiveFaces::Address, EngineSessions::Refusal> EngineSessions::begun(
    const Request& request, base::Secret token, const ClientSide& client) const {
  // Before the token is spent: a full house costs nobody their token.
  auto place = parts_.faces.enter();
  auto grant = admitted(request, std::move(token),
                        place ? std::nullopt : std::optional(std::move(place.error())));
  if (!grant) return std::unexpected(grant.error());
  if (!place) place = parts_.faces.enter_again();
  const auto digest = base::from_base64url(grant->persona().address);
  crypto::Digest address{};
  if (!digest || digest->size() != address.size())
    return base::fail(ErrorCode::unavailable, "a token's persona address can't be read");
  std::ranges::copy(*digest, address.begin());
  const auto snapshot = parts_.snapshots.find(address);
  if (!snapshot) return base::fail(ErrorCode::unavailable, snapshot.error().detail);
  auto play = play_of(*snapshot, parts_.names);
  if (!play) return base::fail(play.error());
  if (auto found = find_engines(*grant, *play); !found) return base::fail(found.error());
  prefer(client.voice_detection, *play);
  play->facts = rules::facts_of(*snapshot, {grant->persona().client_label, client.metadata},
                                parts_.transcripts);
  auto session_id = grant->session_id();
  auto engine_key = parts_.faces.begin(*std::move(place), *std::move(grant), *std::move(play));
  if (!engine_key) return base::fail(engine_key.error());
  return LiveFaces::Address{std::move(session_id), *std::move(engine_key)};
}

void EngineSessions::refuse(const Request& request, Response& response, const Refusal& error,
                            const rules::Faults& faults) const {
  parts_.log.write(
      base::LogLevel::info, "engine_session.refused",
      {{"request_id", request.id()}, {"peer", request.peer()}, {"detail", error.detail}});
  if (error.limit) front::tell_limit(response, *error.limit);
  // To this call a token is shown; the door's words for the code speak of keys.
  if (error.limit && error.code != ErrorCode::rate_limited && error.hint.empty()) {
    return reply(response, base::Error{ErrorCode::token_invalid, error.detail,
                                       "The session token is not valid here."});
  }
  reply(response, error, faults);
}

void EngineSessions::answer(const Request& request, Response& response,
                            const LiveFaces::Address& address) const {
  const auto place = place_of(options_.public_url, request);
  const auto engine = std::string(engine_path) + std::string(address.engine_key.expose());
  base::JsonWriter body(response.start(200, "application/json"));
  body.text("sessionId", address.session_id)
      .text("engineHost", std::string(place.host) + engine)
      .text("engineProtocol", place.scheme)
      .text("signallingEndpoint", engine + "/ws")
      .text("region", options_.region);
  base::JsonWriter client(body.begin("clientConfig"));
  // Two spellings: the vendor's clients do not agree (contract 3.2).
  client.number("heartbeatIntervalSeconds", heartbeat_seconds)
      .number("expectedHeartbeatIntervalSecs", heartbeat_seconds)
      .number("maxWsReconnectionAttempts", reconnections_max)
      .number("maxWsReconnectAttempts", reconnections_max)
      .json("iceServers", options_.ice_servers());
  client.end();
  body.end();
  response.header("Cache-Control", "no-store");
  allow_any_origin(response);
}

}  // namespace stagedoor::anam
