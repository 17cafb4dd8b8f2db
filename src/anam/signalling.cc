#include "anam/signalling.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <utility>

#include "anam/error_reply.h"
#include "base/json.h"
#include "base/json_shape.h"
#include "http/await.h"

namespace stagedoor::anam {
namespace {

using base::ErrorCode;
using http::Request;
using http::Response;

// Of one socket. The face sends from its own loop; the socket is touched on the socket's loop only.
class Link final : public SignallingLink, public std::enable_shared_from_this<Link> {
 public:
  explicit Link(http::WebSocket& socket)
      : mailbox_(http::this_loop().mailbox()), socket_(&socket) {}

  void send(std::string message) override {
    mailbox_->post([self = shared_from_this(), message = std::move(message)]() mutable {
      // Who does not read what little we say is not there.
      if (self->socket_ != nullptr && !self->socket_->send_text_now(std::move(message)))
        self->socket_->close(1008, "the client does not read");
    });
  }
  void close(std::string reason) override {
    mailbox_->post([self = shared_from_this(), reason = std::move(reason)] {
      if (self->socket_ != nullptr) self->socket_->close(1000, reason);
    });
  }
  // The socket is gone.
  void cut() { socket_ = nullptr; }

 private:
  std::shared_ptr<http::Mailbox> mailbox_;
  http::WebSocket* socket_;
};

// The next message has been taken by the face, or there is no face any more.
using Taken = bool;

http::Task<Taken> hand_over(LiveFaces& faces, std::string_view session_id,
                            base::Result<SignallingMessage> message) {
  co_return co_await http::answer_of<Taken>([&](std::move_only_function<void(Taken)> taken) {
    // Shared: where there is no face, the step is dropped and the answer is still ours to give.
    auto answer = std::make_shared<std::move_only_function<void(Taken)>>(std::move(taken));
    const bool posted =
        faces.post(session_id, [answer, message = std::move(message)](LiveFace& face) mutable {
          if (message) {
            face.take(*std::move(message));
          } else {
            face.complain(message.error());
          }
          (*answer)(true);
        });
    if (!posted) (*answer)(false);
  });
}

// Reads until the socket or the session ends. One message is with the face at a time, so that a
// client which sends faster than the face can take waits in its own network.
http::Task<> serve(LiveFaces& faces, std::string session_id,
                   std::unique_ptr<http::WebSocket> socket) {
  const auto link = std::make_shared<Link>(*socket);
  bool is_there = faces.post(session_id, [link](LiveFace& face) { face.attach(link); });
  while (is_there) {
    const auto message = co_await socket->read();
    if (!message) break;
    is_there = co_await hand_over(
        faces, session_id, read_signalling_message({message->bytes.data(), message->bytes.size()}));
  }
  link->cut();
  faces.post(session_id, [link](LiveFace& face) { face.detach(*link); });
  if (!is_there) socket->close(1000, "the session is over");
}

}  // namespace

void Signalling::add_to(http::Router& router) const {
  const std::string path(engine_path);
  router.errors(path, [](Response& response, int status, std::string_view what) {
    reply(response, status, what);
  });
  router.add({"GET", path + "/ws",
              http::UpgradeHandler([this](const Request& request, http::Upgrade& upgrade) {
                return open(request, upgrade);
              })});
  router.add({"POST", path + "/talk",
              http::Handler([this](const Request& in, Response& out) { talk(in, out); })});
  router.add({"OPTIONS", path + "/talk", http::Handler(&preflight)});
}

http::Task<> Signalling::open(const Request& request, http::Upgrade& upgrade) const {
  auto session_id = request.query("session_id").value_or("");
  if (!upgrade.is_well_formed()) {
    reply(upgrade.refusal(), 400, upgrade.problem());
    co_return;
  }
  if (!parts_.faces.post(session_id, [](LiveFace&) {})) {
    parts_.log.write(base::LogLevel::info, "signalling.refused",
                     {{"request_id", request.id()}, {"peer", request.peer()}});
    reply(upgrade.refusal(), 404, "There is no live session with this id.");
    co_return;
  }
  auto socket = co_await upgrade.accept({.message_bytes_max = signalling_bytes_max,
                                         .outbox_bytes_max = 256u << 10,
                                         .message_memory = parts_.message_memory});
  if (!socket) co_return;
  boost::asio::co_spawn(http::this_loop().executor(),
                        serve(parts_.faces, std::move(session_id), *std::move(socket)),
                        boost::asio::detached);
}

void Signalling::talk(const Request& request, Response& response) const {
  thread_local base::JsonReader reader;
  const auto body = reader.read(request.body());
  const auto member = body ? body->member("content") : std::nullopt;
  const auto content = member ? member->text() : std::nullopt;
  if (!content || content->empty() || base::character_count(*content) > talk_characters_max)
    return reply(response, 400, "content must be a text of 1 to 20000 characters.");
  const auto session_id = request.query("session_id").value_or("");
  if (!parts_.faces.post(session_id, [words = std::string(*content)](LiveFace& face) mutable {
        face.talk(std::move(words));
      }))
    return reply(response, 404, "There is no live session with this id.");
  response.start(200, "application/json") = "{}";
  allow_any_origin(response);
}

}  // namespace stagedoor::anam
