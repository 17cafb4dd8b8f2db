// A live session: what one admitted connection holds, from 101 to its end.
//
// Its place among its app's sessions is taken before the token is spent and given back when the
// Place ends, however that comes about (rule leash-concurrency in rules/leash.h).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "rules/app.h"

namespace stagedoor::rules {

// A place among the live sessions of an app; given back by its destructor.
class Place {
 public:
  Place() = default;
  explicit Place(std::move_only_function<void()> give_back) : give_back_(std::move(give_back)) {}
  Place(Place&& other) noexcept : give_back_(std::exchange(other.give_back_, nullptr)) {}
  Place& operator=(Place&& other) noexcept {
    leave();
    give_back_ = std::exchange(other.give_back_, nullptr);
    return *this;
  }
  ~Place() { leave(); }

 private:
  void leave() {
    if (auto give_back = std::exchange(give_back_, nullptr)) give_back();
  }
  std::move_only_function<void()> give_back_;
};

// Why a session is ended from our side. What the client is told is its door's business.
enum class SessionEnd { length_reached, idle, revoked, shutting_down };

// What is known of a live session from outside.
struct LiveSession {
  std::string id;  // unguessable
  std::string app_id;
  std::string api_key_id;
  std::string token_id;
  std::string subject;
  std::string avatar_id;
  Environment environment;
  base::Instant began_at;
};

// Counts and knows the live sessions of each app. Safe for concurrent use.
class LiveSessions {
 public:
  virtual ~LiveSessions() = default;
  // `concurrency_limited` while the app has `sessions_max` of them.
  virtual base::Result<Place> enter(std::string_view app_id, int sessions_max) = 0;
  virtual std::size_t count() const = 0;

  // Makes a session known until the returned Place ends. `end` is called at most once for each
  // `end_where` that meets it, on any thread, and only asks: it returns at once.
  using End = std::function<void(SessionEnd)>;
  virtual Place announce(LiveSession session, End end) = 0;

  // Asks all sessions to end of which `is_meant` says so, and tells how many.
  virtual std::size_t end_where(const std::function<bool(const LiveSession&)>& is_meant,
                                SessionEnd why) = 0;
};

}  // namespace stagedoor::rules
