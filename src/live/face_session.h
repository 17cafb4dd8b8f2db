// One live face: a conversation performed over a WebRTC connection.
//
//   microphone ──Opus──▶ conversation ──sound──▶ Opus ──┐
//                             └──face──▶ camera ──VP8──┴▶ peer
//
// It knows no dialect: a door hands it offers and what the client says, and hears through a
// FaceSessionListener what to tell the client.
//
// What goes out, and when, is live/broadcast.h's.
//
// Everything is called on the session's face loop (live/face_loops.h). Not safe for concurrent use.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "live/broadcast.h"
#include "media/media_clock.h"
#include "media/peer.h"
#include "rules/picture_size.h"
#include "stage/camera.h"
#include "stage/chat.h"
#include "stage/conversation.h"
#include "stage/listening.h"
#include "stage/sound_coder.h"
#include "stage/speech.h"

namespace stagedoor::live {

class FaceLoop;

// What a session tells its door, on its loop. A door may not give the session up from inside.
class FaceSessionListener : public stage::ConversationListener {
 public:
  // Media flow: the client can see and hear.
  virtual void connected() = 0;
  // The data channel is open: what is sent over it arrives.
  virtual void channel_open() = 0;
  // Text from the client over the data channel; valid during the call only.
  virtual void message(std::string_view text) = 0;
  // A message that was too long to be taken.
  virtual void message_refused() = 0;
  // The client is gone, or never came.
  virtual void lost(media::LostReason reason) = 0;
};

class FaceSession final : private media::PeerListener {
 public:
  // All of it outlives the session.
  struct Parts {
    stage::Speech& speech;
    stage::Chat* chat = nullptr;
    stage::Recognizer* recognizer = nullptr;
    stage::ToolRunner* tools = nullptr;
    stage::VoiceDetectorFactory voice_detector;
    stage::CameraFactory camera;
    stage::SoundEncoderFactory sound_encoder;
    stage::SoundDecoderFactory sound_decoder;
    const base::Clock& clock;
    base::Random& random;
    FaceCounts& counts;
  };
  struct Options {
    stage::ConversationSettings conversation;
    std::string character;
    rules::PictureSize size;
    int kilobits_per_second = 600;  // at 720x480; of another size in proportion to its pixels
  };

  // `unavailable` where the loop has no place left, or an encoder can't be made; `not_found` for a
  // character that there is none of.
  static base::Result<std::unique_ptr<FaceSession>> make(const Parts& parts, Options options,
                                                         FaceLoop& loop,
                                                         FaceSessionListener& listener);
  ~FaceSession() override;

  // The answer to an offer, the first or a later one.
  base::Result<std::string> answer(std::string_view offer_sdp);
  // To the client, over the data channel: `unavailable` while there is none.
  base::Result<base::Done> send(std::string_view message);
  stage::Conversation& conversation() { return *conversation_; }
  bool is_connected() const { return peer_->is_connected(); }
  // How long ago the client last proved that it is there.
  std::chrono::milliseconds silence() const { return peer_->silence(); }
  // Datagrams from the client that were not genuine, or could not be read, since the last call.
  std::uint64_t take_dropped();

 private:
  FaceSession(const Parts& parts, Options options, FaceLoop& loop, FaceSessionListener& listener);
  base::Result<base::Done> open();

  void on_connected() override;
  void on_key_frame_wanted() override { broadcast_->want_key_frame(); }
  void on_sound(const media::SoundPacket& sound) override;
  void on_channel_open(media::ChannelId channel, std::string_view label) override;
  void on_message(media::ChannelId channel, media::MessageKind kind,
                  std::string_view message) override;
  void on_message_refused(media::ChannelId channel) override;
  void on_channel_closed(media::ChannelId channel) override;
  void on_lost(media::LostReason reason) override;

  Parts parts_;
  Options options_;
  FaceLoop& loop_;
  FaceSessionListener& listener_;
  std::unique_ptr<stage::Camera> camera_;
  std::unique_ptr<stage::SoundEncoder> sound_encoder_;
  std::unique_ptr<stage::SoundDecoder> sound_decoder_;
  std::unique_ptr<stage::Conversation> conversation_;
  std::vector<std::int16_t> heard_;  // Kept for its memory.
  std::optional<media::ChannelId> channel_;
  bool has_connected_ = false;
  std::uint64_t told_dropped_ = 0;
  std::optional<Broadcast> broadcast_;
  media::MediaClock::Subscription beat_;
  media::PeerHandle peer_;  // the first to go: it calls us
};

}  // namespace stagedoor::live
