// SPDX-License-Identifier: Apache-2.0

#include "media/media_clock.h"

#include <algorithm>
#include <utility>

namespace stagedoor::media {

namespace {
constexpr auto slot_length = std::chrono::milliseconds(2);
static_assert(slot_length * MediaClock::phases == MediaClock::period);
}  // namespace

struct MediaClock::Subscription::Entry {
  std::function<void(const Beat&)> on_beat;
  std::uint64_t last_slot = 0;
  // Its call is kept until the clock passes by: it may be running.
  bool is_ended = false;
};

MediaClock::Subscription::Subscription(std::shared_ptr<Entry> entry) : entry_(std::move(entry)) {}
MediaClock::Subscription::Subscription(Subscription&& other) noexcept = default;

MediaClock::Subscription& MediaClock::Subscription::operator=(Subscription&& other) noexcept {
  if (this != &other) {
    end();
    entry_ = std::move(other.entry_);
  }
  return *this;
}

MediaClock::Subscription::~Subscription() {
  end();
}

void MediaClock::Subscription::end() {
  if (const auto entry = std::exchange(entry_, nullptr)) entry->is_ended = true;
}

MediaClock::MediaClock(http::Loop& loop)
    : timer_(loop.executor()), origin_(std::chrono::steady_clock::now()) {}

MediaClock::~MediaClock() = default;

std::uint64_t MediaClock::slot_at(Moment moment) const {
  return moment < origin_ ? 0 : static_cast<std::uint64_t>((moment - origin_) / slot_length);
}

Moment MediaClock::due_at(std::uint64_t slot) const {
  return origin_ + slot_length * static_cast<std::int64_t>(slot);
}

MediaClock::Subscription MediaClock::subscribe(std::function<void(const Beat&)> on_beat) {
  const auto emptiest = std::ranges::min_element(
      subscribers_, {}, [](const auto& of_phase) { return of_phase.size(); });
  const auto phase = static_cast<std::uint64_t>(emptiest - subscribers_.begin());
  auto entry = std::make_shared<Subscription::Entry>();
  entry->on_beat = std::move(on_beat);
  // The first slot of its phase after this moment is its first beat.
  const auto current = slot_at(std::chrono::steady_clock::now());
  entry->last_slot = current + phases - (current + phases - phase) % phases - phases;
  emptiest->push_back(entry);
  if (!is_beating_) set_timer(current + 1);
  return Subscription(std::move(entry));
}

std::size_t MediaClock::subscribers() const {
  std::size_t count = 0;
  for (const auto& of_phase : subscribers_)
    count += static_cast<std::size_t>(
        std::ranges::count_if(of_phase, [](const auto& entry) { return !entry->is_ended; }));
  return count;
}

// Waits for the first slot from `slot` on that somebody is in.
void MediaClock::set_timer(std::uint64_t slot) {
  for (std::size_t ahead = 0; ahead < phases; ++ahead, ++slot) {
    if (subscribers_[slot % phases].empty()) continue;
    timer_.expires_at(due_at(slot));
    timer_.async_wait(
        [this, alive = std::weak_ptr(alive_)](const boost::system::error_code& error) {
          if (!error && !alive.expired()) on_timer();
        });
    return;
  }
}

void MediaClock::on_timer() {
  const auto now = std::chrono::steady_clock::now();
  const auto current = slot_at(now);
  const std::weak_ptr alive = alive_;
  is_beating_ = true;
  // The slots of one period end with the current one: those before it only if we are late.
  for (std::size_t back = phases; back-- > 0;) {
    if (current < back) continue;
    beat(current - back, now);
    if (alive.expired()) return;
  }
  is_beating_ = false;
  set_timer(current + 1);
}

void MediaClock::beat(std::uint64_t slot, Moment now) {
  auto& of_phase = subscribers_[slot % phases];
  const std::weak_ptr alive = alive_;
  // By index: a beat may add subscribers.
  for (std::size_t i = 0; i < of_phase.size(); ++i) {
    const auto entry = of_phase[i];
    if (entry->is_ended || entry->last_slot + phases > slot) continue;
    const auto periods = (slot - entry->last_slot) / phases;
    entry->last_slot = slot;
    entry->on_beat({.due = due_at(slot), .now = now, .periods = periods});
    if (alive.expired()) return;
  }
  std::erase_if(of_phase, [](const auto& entry) { return entry->is_ended; });
}

}  // namespace stagedoor::media
