#include "live/face_session.h"

#include <algorithm>
#include <array>

#include "live/face_loops.h"

namespace stagedoor::live {
namespace {

constexpr std::string_view channel_label = "session";
constexpr int listening_rate_hz = 48'000;
// A picture takes a few milliseconds: one that begins later than this would hold up the next sound.
constexpr std::chrono::milliseconds late_picture{12};
// After a longer stall the sound goes on from where it should be, with a gap.
constexpr std::uint64_t ticks_made_up_max = 5;
constexpr double kilobits_min = 150;

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
    : parts_(parts), options_(std::move(options)), loop_(loop), listener_(listener) {}

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
  kilobits_ = options_.kilobits_per_second;
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
  key_frame_ = stage::KeyFrame::now;
  const bool is_first = ticks_ == 0;
  if (is_first) {
    ++parts_.counts.sessions_connected;
    beat_ = loop_.clock().subscribe([this](const media::Beat& beat) { on_beat(beat); });
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

void FaceSession::on_channel_closed(media::ChannelId channel) {
  if (channel == channel_) channel_.reset();
}

void FaceSession::on_lost(media::LostReason reason) {
  beat_.end();
  listener_.lost(reason);
}

void FaceSession::on_beat(const media::Beat& beat) {
  if (conversation_->is_ended()) return;
  // What a stall of the whole machine left out is not made up: the clocks go on.
  const auto missed = beat.periods > ticks_made_up_max ? beat.periods - ticks_made_up_max : 0;
  ticks_ += missed;
  bool is_picture_due = false;
  for (auto period = missed; period < beat.periods; ++period) {
    send_sound();
    is_picture_due |= ticks_ % 2 == 1;
    ++ticks_;
  }
  if (is_picture_due) send_picture(beat);
  follow_loss();
}

void FaceSession::send_sound() {
  std::array<std::int16_t, stage::tick_samples> samples{};
  conversation_->next_sound(samples);
  const auto packet = sound_encoder_->packet(samples);
  if (packet.empty()) return;
  const media::SampleTime at(static_cast<std::int64_t>(ticks_ * stage::tick_samples));
  if (peer_->send_sound(packet, at)) ++parts_.counts.sound_packets;
}

void FaceSession::send_picture(const media::Beat& beat) {
  // The face goes on whether or not it is shown.
  const auto face = conversation_->face();
  if (beat.now - beat.due > late_picture) {
    ++parts_.counts.pictures_left_out;
    return;
  }
  // A picture is for the two ticks of sound before.
  const auto number = static_cast<std::int64_t>(ticks_ / 2) - 1;
  const auto key = std::exchange(key_frame_, stage::KeyFrame::when_needed);
  const auto frame = camera_->picture(face, number, key);
  if (frame.empty()) return;
  const media::SampleTime at(number * 2 * static_cast<std::int64_t>(stage::tick_samples));
  if (peer_->send_picture(frame, at)) {
    ++parts_.counts.pictures;
  } else {
    // A later picture would build on one that nobody has.
    key_frame_ = stage::KeyFrame::now;
  }
}

void FaceSession::follow_loss() {
  const auto& path = peer_->path();
  if (path.reports == reports_seen_) return;
  reports_seen_ = path.reports;
  const double most = options_.kilobits_per_second;
  if (path.fraction_lost > 0.1) {
    kilobits_ = std::max(std::min(kilobits_min, most), kilobits_ * 2 / 3);
  } else if (path.fraction_lost < 0.02) {
    kilobits_ = std::min(most, kilobits_ * 1.05);
  }
  camera_->set_kilobits_per_second(static_cast<int>(kilobits_));
  sound_encoder_->set_loss(static_cast<float>(path.fraction_lost));
}

}  // namespace stagedoor::live
