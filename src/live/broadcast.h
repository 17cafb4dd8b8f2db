// What of a conversation goes out over a peer: at each beat its sound, and with every second beat
// its face as a picture, when its turn in the loop's queue comes (rule overload-costs-pictures,
// live/picture_queue.h).
//
// Rule bit-rate-follows-loss: when the receiver reports that more than a tenth of the pictures'
// packets got lost, their bit rate falls by a third, at least to 150 kbit/s; while less than a
// fiftieth gets lost it climbs back by a twentieth with each report. Between the two it stays.
//
// Used from its own loop only.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "live/picture_queue.h"
#include "media/media_clock.h"
#include "media/peer.h"
#include "stage/camera.h"
#include "stage/conversation.h"
#include "stage/sound_coder.h"

namespace stagedoor::live {

// What all live faces count together; read by /metrics.
struct FaceCounts {
  std::atomic<std::uint64_t> sessions_begun = 0, sessions_connected = 0, pictures = 0,
                             pictures_left_out = 0, sound_packets = 0, messages_refused = 0,
                             packets_dropped = 0;
};

class Broadcast {
 public:
  // All of it outlives the broadcast.
  struct Parts {
    stage::Conversation& conversation;
    stage::Camera& camera;
    stage::SoundEncoder& sound_encoder;
    media::Peer& peer;
    PictureQueue& pictures;
    FaceCounts& counts;
  };
  Broadcast(const Parts& parts, int kilobits_per_second);

  void on_beat(const media::Beat& beat);
  void want_key_frame() { key_frame_ = stage::KeyFrame::now; }

 private:
  // A face with its place in time, counted in pictures.
  struct Picture {
    stage::Face face;
    std::int64_t number;
  };
  void send_sound();
  void take_picture();
  void send_picture();
  void follow_loss();

  Parts parts_;
  const double kilobits_max_;
  double kilobits_;
  std::uint64_t ticks_ = 0;  // of 20 ms, since media flow
  std::uint64_t reports_seen_ = 0;
  stage::KeyFrame key_frame_ = stage::KeyFrame::now;
  std::optional<Picture> waiting_;
  PictureQueue::Place place_;
};

}  // namespace stagedoor::live
