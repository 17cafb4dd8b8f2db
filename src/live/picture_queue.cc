#include "live/picture_queue.h"

#include <algorithm>
#include <utility>

namespace stagedoor::live {

PictureQueue::Place::~Place() {
  if (is_waiting_) std::erase(queue_.waiting_, this);
}

void PictureQueue::Place::wait() {
  if (std::exchange(is_waiting_, true)) return;
  queue_.waiting_.push_back(this);
  queue_.post_step();
}

void PictureQueue::post_step() {
  if (waiting_.empty() || std::exchange(is_step_posted_, true)) return;
  post_([this, alive = std::weak_ptr(alive_)] {
    if (!alive.expired()) draw_one();
  });
}

void PictureQueue::draw_one() {
  is_step_posted_ = false;
  if (waiting_.empty()) return;
  const auto first =
      std::ranges::min_element(waiting_, {}, [](const Place* waiting) { return waiting->drawn_; });
  auto& place = **first;
  waiting_.erase(first);
  place.is_waiting_ = false;
  place.drawn_ = ++drawn_;
  place.draw_();
  post_step();
}

}  // namespace stagedoor::live
