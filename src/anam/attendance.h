// Whether anybody is at a live face.
//
//   expected ──attached──▶ attended ◀──▶ unattended ──▶ abandoned
//       └────────────── nobody comes ──────────────────▶ abandoned
//
// Rule face-session-abandoned: a session to which nobody has come for 30 s is over and gives its
// place back; so is one whose media and signalling have both been silent for 6 s, when that has
// lasted 3 s more: a closed tab, or one whose network is gone, is noticed within 10 s, and a page
// that reconnects is not. Clients send a heartbeat every 5 s. One that has offered and whose media
// have not come within 15 s is over too, however often it offers again.
//
// Used by: anam/live_face.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>

namespace stagedoor::anam {

// On the face's loop.
class Attendance {
 public:
  // A socket has come, the first or a newer one.
  void attached();
  // The same client has come again with its token, and its socket is still to come.
  void expect();
  // A word on the signalling socket.
  void heard() { silent_seconds_ = 0; }
  // An offer was answered.
  void offered() { has_offered_ = true; }
  // Media have flowed.
  void connected() { has_connected_ = true; }

  // What is there now.
  struct Signs {
    bool has_socket = false;
    bool is_connected = false;                   // media
    std::chrono::milliseconds media_silence{0};  // where they are
  };
  enum class Verdict : unsigned char { stays, abandoned, never_connected };
  // To be asked each second.
  Verdict after_a_second(const Signs& signs);

 private:
  bool is_attended(const Signs& signs) const;

  int unattended_seconds_ = 0;
  int silent_seconds_ = 0;      // since the last word on the signalling socket
  int connecting_seconds_ = 0;  // since the first offer
  bool has_offered_ = false, has_connected_ = false, was_attended_ = false;
};

}  // namespace stagedoor::anam
