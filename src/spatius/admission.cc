#include "spatius/admission.h"

#include "front/limit_headers.h"
#include "front/origin.h"
#include "http/await.h"
#include "spatius/error_reply.h"

namespace stagedoor::spatius {
namespace {

using actions::AdmitConnection;

// The header where it is given, else the query parameter.
std::string header_or_query(const http::Request& request, std::string_view header,
                            std::string_view query) {
  if (const auto value = request.header(header)) return std::string(*value);
  return request.query(query).value_or("");
}

std::optional<base::Secret> nonce_of(const http::Request& request) {
  auto nonce = header_or_query(request, "X-Client-Nonce", "clientNonce");
  if (nonce.empty()) return std::nullopt;
  return base::Secret(std::move(nonce));
}

// Not inside the coroutine: g++ 12 miscompiles the making of texts there (front/guard.cc).
void refuse(http::Response& response, const AdmitConnection::Refusal& error,
            std::string_view avatar_id) {
  if (error.limit) front::tell_limit(response, *error.limit);
  reply_upgrade(response, error, avatar_id);
}

}  // namespace

http::Task<> Admission::operator()(const http::Request& request, http::Upgrade& upgrade) const {
  if (!upgrade.is_well_formed()) {
    // RFC 6455 4.4: a client that speaks another version is told which one we speak.
    const bool may_upgrade =
        request.header("Upgrade") && request.header("Sec-WebSocket-Version") == "13";
    reply_upgrade(upgrade.refusal(), may_upgrade ? 400 : 426, upgrade.problem());
    upgrade.refusal().header("Upgrade", "websocket");
    upgrade.refusal().header("Sec-WebSocket-Version", "13");
    co_return;
  }
  if (parts_.is_stopping.load()) {
    reply_upgrade(upgrade.refusal(), 503, "The server is shutting down");
    co_return;
  }
  AdmitConnection::Request wanted{
      .token = base::Secret(header_or_query(request, "X-Session-Key", "sessionKey")),
      .app_id = header_or_query(request, "X-App-ID", "appId"),
      .avatar_id = request.query("id").value_or(""),
      .origin = front::origin_of(request),
      .client_nonce = nonce_of(request),
      .request_id = std::string(request.id()),
      .peer = std::string(request.peer()),
      .client = request.client(),
      .dialect = "spatius",
      .action = "GET /v2/driveningress/websocket"};
  auto grant = co_await http::answer_of<AdmitConnection::Admitted>(
      [&](AdmitConnection::Answer answer) { parts_.admit(wanted, std::move(answer)); });
  if (!grant) {
    parts_.log.write(base::LogLevel::info, "connection.refused",
                     {{"request_id", wanted.request_id},
                      {"peer", wanted.peer},
                      {"app_id", wanted.app_id.substr(0, 64)},
                      {"avatar_id", wanted.avatar_id.substr(0, 64)},
                      {"detail", grant.error().detail}});
    refuse(upgrade.refusal(), grant.error(), wanted.avatar_id);
    co_return;
  }
  auto socket = co_await upgrade.accept(parts_.sessions.socket_options());
  if (!socket) {
    parts_.log.write(base::LogLevel::info, "connection.lost_at_upgrade",
                     {{"request_id", wanted.request_id},
                      {"token_id", grant->token_id()},
                      {"detail", socket.error().detail}});
    co_return;
  }
  parts_.sessions.start(*std::move(socket), *std::move(grant), std::move(wanted.request_id));
}

}  // namespace stagedoor::spatius
