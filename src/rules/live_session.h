// A live session: what one admitted connection holds, from 101 to its end.
//
// Its place among its app's sessions is taken before the token is spent and given back when the
// Place ends, however that comes about (rule leash-concurrency in rules/leash.h).
//
// Rule live-session-of-its-app: an API key sees and ends the sessions of its own app and
// environment, a person those of their workspace; any other is the same `not_found` as none at all.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "rules/app.h"
#include "rules/caller.h"
#include "rules/token_revocation.h"

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
enum class SessionEnd {
  length_reached,
  idle,
  revoked,
  shutting_down,
  ended,
  replaced,
  minutes_used_up
};
// "length_reached", "idle", ...: the end reason in lists, ledger and logs.
std::string_view name_of(SessionEnd why);

// YYYYMMDDHHMMSS_ and 12 random characters, as the first dialect's ids look: sorted by time, and
// unguessable.
std::string new_session_id(base::Random& random, base::Instant now);
// For a live face, whose signalling socket shows its id and nothing else: a UUID of version 7 (RFC
// 9562 5.7), sorted by time as well, with 74 random bits.
std::string new_face_session_id(base::Random& random, base::Instant now);

// What is known of a live session from outside.
struct LiveSession {
  std::string id;
  std::string workspace_id;
  std::string app_id;
  Environment environment = Environment::test;
  std::string api_key_id;  // who minted its token: "key_..." or "acc_..."
  std::string token_id;
  base::Instant minted_at;  // its token
  std::string end_user_id;  // empty: none was named
  std::string avatar_id;
  std::string dialect;
  std::string peer;
  std::string metadata;  // a JSON object, or empty
  base::Instant began_at;
  base::Instant ends_at;  // where its length is reached
  std::chrono::seconds idle_max{0};

  RevocableToken revocable() const;
  bool is_visible_to(const Caller& caller) const;
};

// Whose places are counted together: live and test never are, so that what a test key opens keeps
// no live user out.
struct PlacesOf {
  std::string_view app_id;
  Environment environment;
};

// Counts and knows the live sessions of each app. Safe for concurrent use.
class LiveSessions {
 public:
  virtual ~LiveSessions() = default;
  // A place for what this token opens. `concurrency_limited` while the app has `sessions_max` of
  // them in that environment.
  virtual base::Result<Place> enter(const PlacesOf& whose, int sessions_max,
                                    std::string_view token_id) = 0;
  // One of those who share the place of what this token has opened, or is opening: of a client that
  // comes back. nullopt: the token has none. It is given back by the last of them.
  virtual std::optional<Place> enter_again(const PlacesOf& whose, std::string_view token_id) = 0;
  virtual std::size_t count() const = 0;
  // The places that are taken.
  virtual std::size_t count_of(const PlacesOf& whose) const = 0;

  // Makes a session known until the returned Place ends. `end` is called at most once for each
  // `end_where` that meets it, on any thread, and only asks: it returns at once. A session known
  // under the same id is asked to end as `replaced`.
  using End = std::function<void(SessionEnd)>;
  virtual Place announce(LiveSession session, End end) = 0;

  using IsMeant = std::function<bool(const LiveSession&)>;
  // Asks all sessions to end of which `is_meant` says so, and tells how many.
  virtual std::size_t end_where(const IsMeant& is_meant, SessionEnd why) = 0;
  // Asks one session to end, for good: also a connection of it that is announced only after this is
  // asked to leave at once. False: it is not live.
  virtual bool end(std::string_view id, SessionEnd why) = 0;

  virtual std::optional<LiveSession> find(std::string_view id) const = 0;
  // By id, which is by time: at most `count_max` of those after the id `after`.
  virtual std::vector<LiveSession> list(const IsMeant& is_meant, std::string_view after,
                                        std::size_t count_max) const = 0;
};

}  // namespace stagedoor::rules
