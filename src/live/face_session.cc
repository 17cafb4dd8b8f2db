#include "live/face_session.h"

#include <utility>

#include "live/face_loops.h"

namespace stagedoor::live {
namespace {

constexpr std::string_view channel_label = "session";
constexpr int listening_rate_hz = 48'000;

}  // namespace

base::Result<std::unique_ptr<FaceSession>> FaceSession::make(const Parts& parts, Options options,
                                                             FaceLoop& loop,
                                                             FaceSessionListener& listener) {
  std::unique_ptr<FaceSession> session(new FaceSession(parts, std::move(options), loop, listener));
  if (auto opened = session->open(); !opened) return base::fail(opened.error());
  return session;
}

FaceSession::FaceSession(const Parts& parts, Options options, FaceLoop& loop,
                         FaceSessionListener& listener)
    : parts_(parts), options_(std::move(options)), loop_(loop), listener_(listener) {
  const auto pixels = options_.size.width * options_.size.height;
  options_.kilobits_per_second = options_.kilobits_per_second * (pixels / 100) / (720 * 480 / 100);
}

FaceSession::~FaceSession() = default;

base::Result<base::Done> FaceSession::open() {
  auto camera =
      parts_.camera(options_.character,
                    {.size = options_.size, .kilobits_per_second = options_.kilobits_per_second});
  if (!camera) return base::fail(camera.error());
  camera_ = *std::move(camera);
  auto encoder = parts_.sound_encoder();
  if (!encoder) return base::fail(encoder.error());
  sound_encoder_ = *std::move(encoder);
  auto decoder = parts_.sound_decoder(listening_rate_hz);
  if (!decoder) return base::fail(decoder.error());
  sound_decoder_ = *std::move(decoder);
  conversation_ = std::make_unique<stage::Conversation>(
      std::move(options_.conversation),
      stage::Conversation::Parts{
          .speech = parts_.speech,
          .chat = parts_.chat,
          .recognizer = parts_.recognizer,
          .voice_detector = parts_.voice_detector ? parts_.voice_detector() : nullptr,
          .tools = parts_.tools,
          .clock = parts_.clock,
          .random = parts_.random,
          .post = [mailbox = loop_.mailbox()](
                      std::move_only_function<void()> step) { mailbox->post(std::move(step)); },
          .listener = listener_});
  auto peer = loop_.port().open_peer(*this, {});
  if (!peer) return base::fail(peer.error());
  peer_ = *std::move(peer);
  broadcast_.emplace(Broadcast::Parts{.conversation = *conversation_,
                                      .camera = *camera_,
                                      .sound_encoder = *sound_encoder_,
                                      .peer = *peer_,
                                      .pictures = loop_.pictures(),
                                      .counts = parts_.counts},
                     options_.kilobits_per_second);
  ++parts_.counts.sessions_begun;
  return base::Done{};
}

base::Result<std::string> FaceSession::answer(std::string_view offer_sdp) {
  return peer_->answer(offer_sdp);
}

base::Result<base::Done> FaceSession::send(std::string_view message) {
  if (!channel_) return base::fail(base::ErrorCode::unavailable, "no data channel");
  return peer_->send_message(*channel_, message);
}

void FaceSession::on_connected() {
  broadcast_->want_key_frame();
  if (!std::exchange(has_connected_, true)) {
    ++parts_.counts.sessions_connected;
    beat_ = loop_.clock().subscribe([this](const media::Beat& beat) {
      if (!conversation_->is_ended()) broadcast_->on_beat(beat);
    });
    conversation_->start();
  }
  listener_.connected();
}

void FaceSession::on_sound(const media::SoundPacket& sound) {
  heard_.clear();
  if (!sound_decoder_->push(sound.sequence_number, sound.opus, heard_)) return;
  conversation_->hear(heard_);
}

void FaceSession::on_channel_open(media::ChannelId channel, std::string_view label) {
  if (label != channel_label) return;
  channel_ = channel;
  listener_.channel_open();
}

void FaceSession::on_message(media::ChannelId channel, media::MessageKind, std::string_view text) {
  if (channel == channel_) listener_.message(text);
}

void FaceSession::on_message_refused(media::ChannelId) {
  ++parts_.counts.messages_refused;
  listener_.message_refused();
}

std::uint64_t FaceSession::take_dropped() {
  const auto dropped =
      peer_->counts().dropped - std::exchange(told_dropped_, peer_->counts().dropped);
  parts_.counts.packets_dropped += dropped;
  return dropped;
}

void FaceSession::on_channel_closed(media::ChannelId channel) {
  if (channel == channel_) channel_.reset();
}

void FaceSession::on_lost(media::LostReason reason) {
  beat_.end();
  listener_.lost(reason);
}

}  // namespace stagedoor::live
