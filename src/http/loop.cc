// SPDX-License-Identifier: Apache-2.0

#include "http/loop.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cassert>
#include <iterator>
#include <utility>

namespace stagedoor::http {

namespace {
thread_local Loop* loop_of_this_thread = nullptr;
}

void TimerWheel::Link::leave() {
  previous->next = next;
  next->previous = previous;
  previous = next = this;
}

void TimerWheel::Link::join(Link& ring) {
  previous = ring.previous;
  next = &ring;
  previous->next = this;
  ring.previous = this;
}

TimerWheel::TimerWheel(std::function<Clock::time_point()> now, std::function<void()> wake)
    : now_(std::move(now)), wake_(std::move(wake)), origin_(now_()) {}

std::uint64_t TimerWheel::tick_now() const {
  return static_cast<std::uint64_t>((now_() - origin_) / turn);
}

TimerWheel::Deadline::Deadline(TimerWheel& wheel, std::function<void()> on_expiry)
    : wheel_(wheel), on_expiry_(std::move(on_expiry)) {}

TimerWheel::Deadline::~Deadline() {
  clear();
  if (wheel_.firing_ == this) wheel_.firing_ = nullptr;
}

void TimerWheel::Deadline::expire_after(std::chrono::milliseconds delay) {
  const auto since_origin = wheel_.now_() - wheel_.origin_ + delay;
  at_tick_ = static_cast<std::uint64_t>((since_origin + turn - Clock::duration{1}) / turn);
  // Moving a deadline to a later time is the common case and costs nothing: the wheel finds out
  // when it looks at it.
  if (!alone() && looked_at_ <= at_tick_) return;
  if (!alone()) wheel_.remove(*this);
  wheel_.insert(*this);
}

void TimerWheel::Deadline::clear() {
  if (!alone()) wheel_.remove(*this);
}

void TimerWheel::insert(Deadline& deadline) {
  if (!awake_) visited_ = tick_now();
  if (deadline.at_tick_ <= visited_) deadline.at_tick_ = visited_ + 1;
  deadline.looked_at_ = deadline.at_tick_;
  deadline.join(slots_[deadline.at_tick_ % slot_count]);
  ++size_;
  if (!std::exchange(awake_, true)) wake_();
}

void TimerWheel::remove(Deadline& deadline) {
  deadline.leave();
  --size_;
}

bool TimerWheel::advance() {
  const auto now = tick_now();
  // After a long stall one round sees every slot.
  if (now - visited_ > slot_count) visited_ = now - slot_count;
  while (visited_ < now) {
    ++visited_;
    visit(slots_[visited_ % slot_count], now);
  }
  awake_ = size_ > 0;
  return awake_;
}

void TimerWheel::visit(Link& slot, std::uint64_t tick) {
  // Taken out as a ring of its own, because what fires may set deadlines in this very slot.
  Link ring;
  if (slot.alone()) return;
  ring.join(slot);
  slot.leave();
  while (!ring.alone()) {
    auto& deadline = static_cast<Deadline&>(*ring.next);
    remove(deadline);
    if (deadline.at_tick_ <= tick) {
      fire(deadline);
    } else {
      deadline.looked_at_ = deadline.at_tick_;
      deadline.join(slots_[deadline.at_tick_ % slot_count]);
      ++size_;
    }
  }
}

void TimerWheel::fire(Deadline& deadline) {
  firing_ = &deadline;
  auto on_expiry = std::move(deadline.on_expiry_);
  on_expiry();
  // Gone where the deadline destroyed itself.
  if (firing_ == &deadline) deadline.on_expiry_ = std::move(on_expiry);
  firing_ = nullptr;
}

bool Mailbox::post(std::move_only_function<void()> job) {
  const std::lock_guard lock(mutex_);
  if (!io_) return false;
  waiting_.push_back(std::move(job));
  if (!std::exchange(will_run_, true)) run_later_under_lock();
  return true;
}

// The loop outlives what it runs, and it holds this mailbox.
void Mailbox::run_later_under_lock() {
  boost::asio::post(*io_, [this] { run_some(); });
}

void Mailbox::run_some() {
  std::vector<std::move_only_function<void()>> jobs;
  {
    const std::lock_guard lock(mutex_);
    const auto count = std::min(waiting_.size(), jobs_in_turn_max);
    const auto last = waiting_.begin() + static_cast<std::ptrdiff_t>(count);
    jobs.assign(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(last));
    waiting_.erase(waiting_.begin(), last);
    will_run_ = !waiting_.empty();
    if (will_run_) run_later_under_lock();
  }
  for (auto& job : jobs) std::exchange(job, nullptr)();
}

void Unfinished::enlist(Loop& loop) {
  head_ = &loop.unfinished_;
  next_ = *head_;
  if (next_) next_->previous_ = this;
  *head_ = this;
}

void Unfinished::leave() {
  if (!head_) return;
  (previous_ ? previous_->next_ : *head_) = next_;
  if (next_) next_->previous_ = previous_;
  head_ = nullptr;
  previous_ = next_ = nullptr;
}

Loop::Loop() : wheel_([] { return TimerWheel::Clock::now(); }, [this] { turn_later(); }) {
  mailbox_->io_ = &io_;
}

Loop::~Loop() {
  decltype(mailbox_->waiting_) never_run;
  {
    const std::lock_guard lock(mailbox_->mutex_);
    mailbox_->io_ = nullptr;
    never_run.swap(mailbox_->waiting_);
  }
  while (unfinished_) {
    auto& left = *unfinished_;
    left.leave();
    left.abandon();
  }
}

void Loop::turn_later() {
  timer_.expires_after(TimerWheel::turn);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error && wheel_.advance()) turn_later();
  });
}

void Loop::run() {
  auto* const before = std::exchange(loop_of_this_thread, this);
  const auto work = boost::asio::make_work_guard(io_);
  io_.run();
  loop_of_this_thread = before;
}

Loop& this_loop() {
  assert(loop_of_this_thread && "called outside of a loop");
  return *loop_of_this_thread;
}

}  // namespace stagedoor::http
