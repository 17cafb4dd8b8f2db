// Pictures that wait to be drawn on a loop: each is drawn in a step of its own, so that whatever
// has become due meanwhile, sound above all, is served between two pictures.
//
// Rule overload-costs-pictures: a loop that has too much to do leaves out pictures and no sound.
// Sound is made and sent at its beat; of the pictures that wait, that of the session comes first
// whose last one is longest ago, and one that still waits when the next of its session is due is
// left out and counted. So all sessions of the loop lose pictures alike, and sound is held up by
// one picture at most.
//
// Memory: one place for each session. Used from its own loop only.
//
// Used by: live/broadcast.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace stagedoor::live {

class PictureQueue {
 public:
  // `post` has a step run on the loop, behind what is due by then.
  using Post = std::function<void(std::move_only_function<void()>)>;
  explicit PictureQueue(Post post) : post_(std::move(post)) {}
  PictureQueue(const PictureQueue&) = delete;
  PictureQueue& operator=(const PictureQueue&) = delete;

  // A session's place; its destructor leaves the queue. `draw` may do anything but destroy it.
  class Place {
   public:
    Place(PictureQueue& queue, std::function<void()> draw)
        : queue_(queue), draw_(std::move(draw)) {}
    ~Place();
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    // Has the place's picture drawn in a later step.
    void wait();
    bool is_waiting() const { return is_waiting_; }

   private:
    friend class PictureQueue;
    PictureQueue& queue_;
    std::function<void()> draw_;
    bool is_waiting_ = false;
    std::uint64_t drawn_ = 0;  // which picture of the queue was its last
  };

 private:
  void post_step();
  void draw_one();

  Post post_;
  std::vector<Place*> waiting_;
  std::uint64_t drawn_ = 0;  // pictures so far
  bool is_step_posted_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace stagedoor::live
