#include "anam/signalling.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <utility>

#include "anam/error_reply.h"
#include "base/json.h"
#include "base/json_shape.h"
#include "front/limit_headers.h"
#include "front/origin.h"
#include "http/await.h"

namespace stagedoor::anam {
namespace {

using base::ErrorCode;
using http::Request;
using http::Response;

constexpr std::string_view socket_action = "GET /v1/webrtc/engines/{engine_key}/ws",
                           talk_action = "POST /v1/webrtc/engines/{engine_key}/talk";

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

// What became of something that was for a face.
enum class Taken : unsigned char { taken, forbidden, nobody };

// Has the face do `step`, and waits until it has.
http::Task<Taken> with_face(LiveFaces& faces, const LiveFaces::Address& address,
                            std::move_only_function<Taken(LiveFace&)> step) {
  co_return co_await http::answer_of<Taken>([&](std::move_only_function<void(Taken)> taken) {
    // Shared: where there is no face, the step is dropped and the answer is still ours to give.
    auto answer = std::make_shared<std::move_only_function<void(Taken)>>(std::move(taken));
    const bool posted = faces.post(address, [answer, step = std::move(step)](
                                                LiveFace& face) mutable { (*answer)(step(face)); });
    if (!posted) (*answer)(Taken::nobody);
  });
}

auto hand_over(base::Result<SignallingMessage> message) {
  return [message = std::move(message)](LiveFace& face) mutable {
    if (message) {
      face.take(*std::move(message));
    } else {
      face.complain(message.error());
    }
    return Taken::taken;
  };
}

// Reads until the socket or the session ends. One message is with the face at a time, so that a
// client which sends faster than the face can take waits in its own network.
http::Task<> serve(LiveFaces& faces, LiveFaces::Address address,
                   std::unique_ptr<http::WebSocket> socket) {
  const auto link = std::make_shared<Link>(*socket);
  bool is_there = faces.post(address, [link](LiveFace& face) { face.attach(link); });
  while (is_there) {
    const auto message = co_await socket->read();
    if (!message) break;
    const auto taken = co_await with_face(
        faces, address,
        hand_over(read_signalling_message({message->bytes.data(), message->bytes.size()})));
    is_there = taken == Taken::taken;
  }
  link->cut();
  faces.post(address, [link](LiveFace& face) { face.detach(*link); });
  if (!is_there) socket->close(1000, "the session is over");
}

LiveFaces::Address address_in(const Request& request) {
  return {request.query("session_id").value_or(""), base::Secret(request.path_part("engine_key"))};
}

// The texts are made outside of the coroutines: g++ 12 miscompiles that there (front/guard.cc).
void refuse_origin(Response& response) {
  reply(response, base::Error{ErrorCode::forbidden, "a page of another origin",
                              "The session is not for a page of this origin."});
}

auto allows(const Request& request) {
  return [origin = front::origin_of(request)](LiveFace& face) {
    return face.admits(origin) ? Taken::taken : Taken::forbidden;
  };
}

// nullopt: it was refused.
std::optional<std::string> words_in(const Request& request, Response& response) {
  thread_local base::JsonReader reader;
  const auto body = reader.read(request.body());
  const auto member = body ? body->member("content") : std::nullopt;
  const auto content = member ? member->text() : std::nullopt;
  if (content && !content->empty() && base::character_count(*content) <= talk_characters_max)
    return std::string(*content);
  reply(response, 400, "content must be a text of 1 to 20000 characters.");
  return std::nullopt;
}

auto speak(const Request& request, std::string words) {
  return [allows = allows(request), words = std::move(words)](LiveFace& face) mutable {
    const auto allowed = allows(face);
    if (allowed == Taken::taken) face.talk(std::move(words));
    return allowed;
  };
}

void answer_talk(Response& response) {
  response.start(200, "application/json") = "{}";
  allow_any_origin(response);
}

}  // namespace

void Signalling::add_to(http::Router& router) const {
  const std::string prefix(engine_path), path = prefix + "{engine_key}";
  router.errors(prefix, [](Response& response, int status, std::string_view what) {
    reply(response, status, what);
  });
  router.add({"GET", path + "/ws",
              http::UpgradeHandler([this](const Request& request, http::Upgrade& upgrade) {
                return open(request, upgrade);
              })});
  router.add(
      {"POST", path + "/talk",
       http::WaitingHandler([this](const Request& in, Response& out) { return talk(in, out); })});
  router.add({"OPTIONS", path + "/talk", http::Handler(&preflight)});
}

void Signalling::refuse_guess(const Request& request, Response& response,
                              std::string_view action) const {
  const base::Error nobody{ErrorCode::not_found, "no live session has this engine key",
                           "There is no live session with this id."};
  const auto outcome = parts_.admit_call.refuse_stranger({.credential = base::fail(nobody),
                                                          .client = request.client(),
                                                          .peer = request.peer(),
                                                          .request_id = request.id(),
                                                          .action = action,
                                                          .needs = std::nullopt},
                                                         nobody);
  front::tell_limit(response, outcome.limit);
  reply(response, outcome.caller.error());
}

http::Task<> Signalling::open(const Request& request, http::Upgrade& upgrade) const {
  if (!upgrade.is_well_formed()) {
    reply(upgrade.refusal(), 400, upgrade.problem());
    co_return;
  }
  auto address = address_in(request);
  const auto allowed = co_await with_face(parts_.faces, address, allows(request));
  if (allowed != Taken::taken) {
    parts_.log.write(base::LogLevel::info, "signalling.refused",
                     {{"request_id", request.id()}, {"peer", request.peer()}});
    if (allowed == Taken::forbidden) refuse_origin(upgrade.refusal());
    if (allowed == Taken::nobody) refuse_guess(request, upgrade.refusal(), socket_action);
    co_return;
  }
  auto socket = co_await upgrade.accept({.message_bytes_max = signalling_bytes_max,
                                         .outbox_bytes_max = 256u << 10,
                                         .message_memory = parts_.message_memory});
  if (!socket) co_return;
  boost::asio::co_spawn(http::this_loop().executor(),
                        serve(parts_.faces, std::move(address), *std::move(socket)),
                        boost::asio::detached);
}

http::Task<> Signalling::talk(const Request& request, Response& response) const {
  auto words = words_in(request, response);
  if (!words) co_return;
  const auto address = address_in(request);
  const auto taken = co_await with_face(parts_.faces, address, speak(request, *std::move(words)));
  if (taken == Taken::taken) answer_talk(response);
  if (taken == Taken::forbidden) refuse_origin(response);
  if (taken == Taken::nobody) refuse_guess(request, response, talk_action);
}

}  // namespace stagedoor::anam
