// The beat of a loop: every 20 ms, by absolute deadlines, for whoever subscribes.
//
// A timer that is set again after each beat drifts; here the n-th beat is due at a fixed time, so
// that sound keeps its rate whatever a beat's work costs. Subscribers are spread over ten phases of
// 2 ms, the emptiest first, so that sessions do not draw together.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "http/loop.h"
#include "media/endpoint.h"

namespace stagedoor::media {

struct Beat {
  Moment due;             // when the latest of `periods` was due
  Moment now;             // when it came
  std::uint64_t periods;  // how many periods of 20 ms have ended since the last call: 1, or more
                          // after the loop was late
};

// Used from its own loop only, which must outlive it.
class MediaClock {
 public:
  static constexpr std::chrono::milliseconds period{20};
  static constexpr std::size_t phases = 10;

  explicit MediaClock(http::Loop& loop);
  ~MediaClock();
  MediaClock(const MediaClock&) = delete;
  MediaClock& operator=(const MediaClock&) = delete;

  // Ends when it is destroyed, which it may be from within any beat, also its own.
  class Subscription {
   public:
    Subscription() = default;
    Subscription(Subscription&& other) noexcept;
    Subscription& operator=(Subscription&& other) noexcept;
    ~Subscription();
    void end();

   private:
    friend class MediaClock;
    struct Entry;
    explicit Subscription(std::shared_ptr<Entry> entry);
    std::shared_ptr<Entry> entry_;
  };

  // `on_beat` is first called within 20 ms. No allocation per beat.
  [[nodiscard]] Subscription subscribe(std::function<void(const Beat&)> on_beat);

  std::size_t subscribers() const;

 private:
  using Timer =
      boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                        boost::asio::wait_traits<std::chrono::steady_clock>,
                                        http::Executor>;
  void set_timer(std::uint64_t slot);
  void on_timer();
  void beat(std::uint64_t slot, Moment now);
  std::uint64_t slot_at(Moment moment) const;
  Moment due_at(std::uint64_t slot) const;

  Timer timer_;
  Moment origin_;
  bool is_beating_ = false;
  // By phase: slot n (of 2 ms) belongs to phase n % 10.
  std::array<std::vector<std::shared_ptr<Subscription::Entry>>, phases> subscribers_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace stagedoor::media
