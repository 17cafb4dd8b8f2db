// The threads that live faces are performed on: each an event loop with its own UDP port and its
// own beat, apart from the loops that serve HTTP, so that drawing holds up no request and no
// request holds up a beat.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "http/loop.h"
#include "live/picture_queue.h"
#include "media/dtls.h"
#include "media/media_clock.h"
#include "media/port.h"
#include "media/sctp.h"

namespace stagedoor::live {

// Used from its own thread, but for what says otherwise.
class FaceLoop {
 public:
  // All of it outlives the loop.
  struct Parts {
    media::Stack& stack;
    const media::DtlsIdentity& identity;
    base::Random& random;
    const base::Clock& wall_clock;
  };
  // Not running yet. `unavailable`: no UDP port can be had.
  static base::Result<std::unique_ptr<FaceLoop>> open(const Parts& parts,
                                                      const media::PortOptions& options);
  FaceLoop(const FaceLoop&) = delete;
  FaceLoop& operator=(const FaceLoop&) = delete;

  http::Loop& loop() { return loop_; }
  media::MediaClock& clock() { return clock_; }
  media::Port& port() { return *port_; }
  PictureQueue& pictures() { return pictures_; }
  // Safe from any thread.
  const std::shared_ptr<http::Mailbox>& mailbox() const { return loop_.mailbox(); }
  // Safe from any thread: the faces that have a place here.
  std::size_t faces() const { return faces_.load(std::memory_order_relaxed); }

 private:
  friend class FaceLoops;
  friend class FacePlace;
  FaceLoop();

  std::atomic<std::size_t> faces_ = 0;  // first: what waits on the loop may hold places
  http::Loop loop_;
  media::MediaClock clock_{loop_};
  PictureQueue pictures_;
  std::unique_ptr<media::Port> port_;
  std::thread thread_;
};

// A place on a loop, given back by its destructor. Moved and given back on any thread.
class FacePlace {
 public:
  FacePlace(FacePlace&& other) noexcept : loop_(std::exchange(other.loop_, nullptr)) {}
  FacePlace& operator=(FacePlace&& other) noexcept {
    std::swap(loop_, other.loop_);
    return *this;
  }
  ~FacePlace() {
    if (loop_ != nullptr) loop_->faces_.fetch_sub(1, std::memory_order_relaxed);
  }
  FaceLoop& loop() const { return *loop_; }

 private:
  friend class FaceLoops;
  explicit FacePlace(FaceLoop& loop) : loop_(&loop) {}
  FaceLoop* loop_;
};

// Safe for concurrent use after `open`.
class FaceLoops {
 public:
  struct Options {
    int threads = 0;  // 0: one per core
    // Over all threads; a core draws about eight faces of 720x480.
    std::size_t faces_max = 64;
    media::PortOptions port;
  };

  // How many loops so many threads of the options are; each takes a port.
  static int loops_of(int threads);
  static base::Result<std::unique_ptr<FaceLoops>> open(const Options& options, base::Random& random,
                                                       const base::Clock& wall_clock);
  ~FaceLoops();
  FaceLoops(const FaceLoops&) = delete;
  FaceLoops& operator=(const FaceLoops&) = delete;

  // A place on the loop that has the fewest faces. `unavailable`: all places are taken.
  base::Result<FacePlace> enter();
  // A place though all may be taken: for a client that comes back to a face that has one, and gives
  // one of the two up at once.
  FacePlace enter_again();

  // What has come to the ports of all loops that was nobody's.
  struct Strays {
    std::uint64_t of_nobody = 0;   // for a user or from an address that there is not
    std::uint64_t unreadable = 0;  // nothing that we speak
  };
  Strays strays() const;

  // Ends the threads; what still lives on them is abandoned. Repeated calls do nothing.
  void stop();

 private:
  explicit FaceLoops(const Options& options) : options_(options) {}
  FaceLoop& emptiest() const;

  Options options_;
  std::unique_ptr<media::DtlsIdentity> identity_;
  std::unique_ptr<media::Stack> stack_;
  std::vector<std::unique_ptr<FaceLoop>> loops_;
};

}  // namespace stagedoor::live
