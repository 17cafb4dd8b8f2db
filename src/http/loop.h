// One event loop on one thread, with a coarse timer wheel: no timer of the system per operation.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "http/task.h"

namespace stagedoor::http {

// A wheel of deadlines that turns every 50 ms. Used from its own loop only. A deadline fires no
// earlier than asked and at most 100 ms later. Setting, moving and clearing one is O(1).
class TimerWheel {
  // A place in a ring of deadlines; a slot of the wheel is a ring's fixed point.
  struct Link {
    Link* previous = this;
    Link* next = this;
    bool alone() const { return next == this; }
    void leave();
    void join(Link& ring);
  };

 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds turn{50};

  // `now` is the time; `wake` is called when the first deadline is set after there was none, and
  // asks for `advance` to be called every turn until it returns false.
  TimerWheel(std::function<Clock::time_point()> now, std::function<void()> wake);
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // A deadline: set it, move it, clear it; its destructor clears it. Neither copies nor moves.
  // `on_expiry` may set, clear or destroy any deadline, also its own.
  class Deadline : private Link {
   public:
    explicit Deadline(TimerWheel& wheel, std::function<void()> on_expiry);
    ~Deadline();
    Deadline(const Deadline&) = delete;
    Deadline& operator=(const Deadline&) = delete;
    void expire_after(std::chrono::milliseconds delay);
    void clear();

   private:
    friend class TimerWheel;
    TimerWheel& wheel_;
    std::function<void()> on_expiry_;
    std::uint64_t at_tick_ = 0;    // when it fires
    std::uint64_t looked_at_ = 0;  // when the wheel next looks at it: never after at_tick_
  };

  // Fires what is due. False: no deadline is left, and `wake` will be called for the next.
  bool advance();

  std::size_t size() const { return size_; }

 private:
  static constexpr std::size_t slot_count = 1024;

  std::uint64_t tick_now() const;
  void insert(Deadline& deadline);
  void remove(Deadline& deadline);
  void visit(Link& slot, std::uint64_t tick);
  void fire(Deadline& deadline);

  std::function<Clock::time_point()> now_;
  std::function<void()> wake_;
  Clock::time_point origin_;
  std::array<Link, slot_count> slots_;
  std::uint64_t visited_ = 0;  // the last tick whose slot was visited
  std::size_t size_ = 0;
  bool awake_ = false;
  Deadline* firing_ = nullptr;
};

// The way to a loop from other threads; outlives the loop.
class Mailbox {
 public:
  // Has `job` run on the loop, in the order of the calls. False: the loop has ended, and the job is
  // gone. What thousands of calls have left is run by the thousand, so that a crowd of jobs costs
  // the loop one turn and not a turn each, and its sockets still get theirs in between.
  bool post(std::move_only_function<void()> job);
  static constexpr std::size_t jobs_in_turn_max = 1024;

 private:
  friend class Loop;
  void run_some();
  void run_later_under_lock();

  std::mutex mutex_;                       // for all below
  boost::asio::io_context* io_ = nullptr;  // null when the loop has ended
  std::vector<std::move_only_function<void()>> waiting_;
  bool will_run_ = false;
};

// What waits on a loop for something outside of it. The loop abandons those that are left when it
// ends, so that what they hold is freed before the loop is.
class Unfinished {
 public:
  Unfinished() = default;
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;
  virtual ~Unfinished() = default;
  virtual void abandon() = 0;

 protected:
  void enlist(class Loop& loop);
  void leave();

 private:
  friend class Loop;
  Unfinished** head_ = nullptr;
  Unfinished* previous_ = nullptr;
  Unfinished* next_ = nullptr;
};

// Not thread-safe but for `mailbox` and `stop`.
class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Serves until `stop`; makes this the loop of the calling thread.
  void run();
  void stop() { io_.stop(); }

  boost::asio::io_context& io() { return io_; }
  Executor executor() { return io_.get_executor(); }
  TimerWheel& wheel() { return wheel_; }
  const std::shared_ptr<Mailbox>& mailbox() const { return mailbox_; }

 private:
  friend class Unfinished;
  void turn_later();

  // In this order: what is on the io_context may hold deadlines and unfinished things.
  TimerWheel wheel_;
  Unfinished* unfinished_ = nullptr;
  std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();
  boost::asio::io_context io_{1};
  boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                    boost::asio::wait_traits<std::chrono::steady_clock>, Executor>
      timer_{io_};
};

// The loop that the calling coroutine or handler runs on.
Loop& this_loop();

}  // namespace stagedoor::http
