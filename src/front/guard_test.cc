#include "front/guard.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <latch>
#include <thread>

#include "actions/admit_world_for_test.h"
#include "front/credential.h"
#include "http/loopback_for_test.h"

namespace stagedoor::front {
namespace {

using namespace std::chrono_literals;
using actions::for_test::terms_of;
using http::Request;
using http::Response;
using rules::Permission;

// A door with one path for each way to be guarded, served on loopback.
struct Door {
  explicit Door(http::Workers::Options how = {.threads = 2, .waiting_max = 8}) : workers(how) {
    const Guard::Work name = [this](const rules::Caller& caller, const Request&, Response& out) {
      worker = std::this_thread::get_id();
      out.start(200, "text/plain") = caller.actor();
    };
    const http::BlockingHandler open = [this](const Request&, Response& out) {
      worker = std::this_thread::get_id();
      out.start(200, "text/plain") = "open";
    };
    router.errors("/", [](Response& out, int status, std::string_view what) {
      out.start(status, "text/plain") = what;
    });
    router.add({"GET", "/quick", guard.quick(Permission::keys_read, name)});
    router.add({"GET", "/keys", guard.quick_for_keys(Permission::keys_read, name)});
    router.add({"GET", "/keys-slow", guard.slow_for_keys(Permission::keys_read, name)});
    router.add({"GET", "/slow", guard.slow(Permission::keys_read, name)});
    router.add({"GET", "/either",
                guard.quick_or_slow(
                    Permission::keys_read,
                    [name](const rules::Caller& caller, const Request& in, Response& out) {
                      if (in.query("slow")) return Guard::Attempt::needs_time;
                      name(caller, in, out);
                      return Guard::Attempt::answered;
                    },
                    name)});
    router.add({"GET", "/write", guard.quick(Permission::keys_write, name)});
    router.add({"GET", "/people", guard.slow_for_people(name)});
    router.add({"GET", "/slow-keys", guard.slow_for_keys(Permission::keys_read, name)});
    router.add({"GET", "/holders", guard.slow_for_holders(name)});
    router.add({"GET", "/revoke", guard.slow_to_revoke(Permission::keys_read, name)});
    router.add({"GET", "/refuses",
                guard.quick(Permission::keys_read,
                            [](const rules::Caller&, const Request&, Response& out) {
                              out.start(403, "text/plain") = "stronger than you";
                              out.remark("a key as strong as none");
                            })});
    for (const int status : {400, 401, 402, 404, 409, 429})
      router.add({"GET", "/refuses/" + std::to_string(status),
                  guard.slow(Permission::keys_read,
                             [status](const rules::Caller&, const Request&, Response& out) {
                               out.start(status, "text/plain");
                             })});
    router.add({"GET", "/open", guard.open_quick(rules::RateKind::login, open)});
    router.add({"GET", "/open-slow", guard.open_slow(rules::RateKind::password, open)});
    router.add({"GET", "/stuck",
                guard.slow(Permission::keys_read,
                           [this](const rules::Caller&, const Request&, Response& out) {
                             began.count_down();
                             may_end.wait();
                             out.start(200, "text/plain") = "ended";
                           })});
    router.add({"GET", "/throws",
                guard.slow(Permission::keys_read,
                           [](const rules::Caller&, const Request&, Response&) { throw 1; })});
  }
  http::Answer ask(std::string_view path, std::string_view credential) {
    http::RawClient client(*server);
    const auto field = credential.empty()
                           ? std::string()
                           : "Authorization: Bearer " + std::string(credential) + "\r\n";
    return client.ask(http::get(path, field)).value_or(http::Answer{});
  }

  actions::for_test::World world;
  http::Workers workers;
  Guard guard{{.admit = world.admit, .workers = workers},
              [](Response& out, const base::Error& error) {
                out.start(error.code == base::ErrorCode::rate_limited  ? 429
                          : error.code == base::ErrorCode::forbidden   ? 403
                          : error.code == base::ErrorCode::unavailable ? 503
                                                                       : 401,
                          "text/plain") = error.hint;
              },
              &bearer_of};
  std::atomic<std::thread::id> worker;
  std::latch began{1}, may_end{1};
  http::Router router;
  std::optional<http::Loopback> server{std::in_place, router};
};

constexpr auto all_ways = {"/quick", "/keys", "/keys-slow", "/slow"};

// Rule rate-limit-told.
TEST(Guard, AnAdmittedKeyReachesTheWorkAndIsToldItsLimitInEachWay) {
  Door door;
  const auto key = door.world.make_key();
  int remaining = 20;
  for (const auto* path : all_ways) {
    const auto answer = door.ask(path, key);
    EXPECT_EQ(answer.status, 200) << path;
    EXPECT_EQ(answer.body, "key_0000000000000001");
    EXPECT_TRUE(answer.has("X-RateLimit-Remaining: " + std::to_string(--remaining) + "\r\n"));
    EXPECT_TRUE(answer.has("RateLimit-Policy: \"api-key\";q=20;w=120\r\n"));
  }
}

// Rule rate-limit-told.
TEST(Guard, EachRefusalIsToldItsLimitInEachWay) {
  Door door;
  int remaining = 10;
  for (const auto* path : all_ways) {
    const auto answer = door.ask(path, door.world.guess());
    EXPECT_EQ(answer.status, 401) << path;
    EXPECT_TRUE(answer.has("X-RateLimit-Remaining: " + std::to_string(--remaining) + "\r\n"));
    EXPECT_TRUE(answer.has("RateLimit-Policy: \"stranger\";q=10;w=120\r\n"));
  }
  while (remaining-- > 0) door.ask("/quick", "");
  const auto refused = door.ask("/slow", "");
  EXPECT_EQ(refused.status, 429);
  EXPECT_TRUE(refused.has("Retry-After: 12\r\n"));
}

TEST(Guard, AKeyWithoutThePermissionIsForbiddenAndCounted) {
  Door door;
  const auto answer = door.ask("/write", door.world.make_key(terms_of({Permission::keys_read})));
  EXPECT_EQ(answer.status, 403);
  EXPECT_TRUE(answer.has("X-RateLimit-Remaining: 19\r\n"));
}

TEST(Guard, APersonIsAdmittedAndOnePassedThroughAWorkerWhoseTokenIsNew) {
  Door door;
  EXPECT_EQ(door.ask("/quick", "a.b.ada").body, "acc_ada");
  EXPECT_EQ(door.world.people.verified, 0);
  EXPECT_EQ(door.ask("/quick", "a.b.new").body, "acc_new");
  EXPECT_EQ(door.ask("/slow", "a.b.new").body, "acc_new");
  EXPECT_EQ(door.world.people.verified, 2);
}

TEST(Guard, WorkThatNeedsTimeGoesOnOnAWorkerForKeysAndPeopleAndIsCountedOnce) {
  Door door;
  const auto key = door.world.make_key();
  EXPECT_TRUE(door.ask("/either", key).has("X-RateLimit-Remaining: 19\r\n"));
  const auto on_loop = door.worker.load();
  const auto slow = door.ask("/either?slow=1", key);
  EXPECT_EQ(slow.body, "key_0000000000000001");
  EXPECT_TRUE(slow.has("X-RateLimit-Remaining: 18\r\n"));
  EXPECT_NE(door.worker.load(), on_loop);
  EXPECT_EQ(door.ask("/either", "a.b.ada").body, "acc_ada");
  EXPECT_EQ(door.ask("/either?slow=1", "a.b.ada").body, "acc_ada");
  EXPECT_EQ(door.ask("/either", "a.b.new").body, "acc_new");
  EXPECT_EQ(door.ask("/either", "").status, 401);
}

TEST(Guard, WhereOnlyKeysAreTakenAPersonsTokenIsRefusedAndToldSo) {
  Door door;
  for (const auto* token : {"a.b.ada", "a.b.new"}) {
    const auto answer = door.ask("/keys", token);
    EXPECT_EQ(answer.status, 401);
    EXPECT_EQ(answer.body, "This call takes an API key; a token can't make it.");
  }
  EXPECT_EQ(door.world.people.verified, 0);
}

TEST(Guard, AKeyIsNoPersonWhateverItsTextLooksLike) {
  Door door;
  const std::string imported = "acme.secret";
  rules::ApiKey key;
  key.id = 7;
  key.app_id = "app_1";
  door.world.keys.by_hash[door.world.hasher.current(*rules::foreign_hash_of(imported))] = key;
  EXPECT_EQ(door.ask("/slow", imported).body, "key_0000000000000007");
  const auto answer = door.ask("/people", imported);
  EXPECT_EQ(answer.status, 401);
  EXPECT_EQ(answer.body, "This call takes a person's token; an API key can't make it.");
  EXPECT_EQ(door.ask("/people", "a.b.ada").body, "acc_ada");
  EXPECT_EQ(door.ask("/slow-keys", "a.b.ada").status, 401);
  EXPECT_EQ(door.ask("/slow-keys", imported).status, 200);
}

// Rule audit-of-refusals.
TEST(Guard, WhatTheWorkRefusesIsNotedWithTheCallerAndTheirWorkspace) {
  Door door;
  EXPECT_EQ(door.ask("/refuses", door.world.make_key()).status, 403);
  EXPECT_EQ(door.ask("/refuses", "a.b.ada").status, 403);
  ASSERT_EQ(door.world.audit.entries.size(), 2u);
  EXPECT_EQ(door.world.audit.entries[0].actor, "key_0000000000000001");
  EXPECT_EQ(door.world.audit.entries[1].actor, "acc_ada");
  for (const auto& entry : door.world.audit.entries) {
    EXPECT_EQ(entry.workspace_id, "ws_1");
    EXPECT_EQ(entry.action, "GET /refuses");
    EXPECT_EQ(entry.outcome, rules::AuditOutcome::refused);
    EXPECT_EQ(entry.detail, "403: a key as strong as none");
    EXPECT_FALSE(entry.peer.empty());
    EXPECT_FALSE(entry.request_id.empty());
  }
}

// Rule audit-of-refusals.
TEST(Guard, OfWhatTheWorkRefusesCredentialsLimitsAndPermissionsAreNotedOnceEachAndNothingElse) {
  Door door;
  const auto key = door.world.make_key(terms_of(actions::for_test::all_scopes, "pro"));
  for (const int status : {400, 401, 402, 403, 404, 409, 429})
    EXPECT_EQ(
        door.ask(status == 403 ? "/refuses" : "/refuses/" + std::to_string(status), key).status,
        status);
  std::vector<std::string> noted;
  for (const auto& entry : door.world.audit.entries) noted.push_back(entry.action);
  EXPECT_EQ(noted, (std::vector<std::string>{"GET /refuses/401", "GET /refuses/402", "GET /refuses",
                                             "GET /refuses/429"}));
}

// Rule audit-of-refusals.
TEST(Guard, ACallerOfTheOtherKindIsNotedOnce) {
  Door door;
  EXPECT_EQ(door.ask("/people", door.world.make_key()).status, 401);
  EXPECT_EQ(door.ask("/slow-keys", "a.b.ada").status, 401);
  ASSERT_EQ(door.world.audit.entries.size(), 2u);
  EXPECT_EQ(door.world.audit.entries[0].actor, "key_0000000000000001");
  EXPECT_EQ(door.world.audit.entries[1].actor, "acc_ada");
}

// Rule api-key-self-revoke.
TEST(Guard, WhoeverHoldsAKeyIsKnownFromWhereverAndWhateverItsScopes) {
  Door door;
  auto terms = terms_of({});
  terms.networks = {*base::parse_network("192.0.2.0/24")};
  const auto key = door.world.make_key(terms);
  EXPECT_EQ(door.ask("/slow", key).status, 403);
  EXPECT_EQ(door.ask("/holders", key).body, "key_0000000000000001");
  const auto now = door.world.clock.now();
  for (const auto& ended :
       {door.world.make_key_and([&](rules::ApiKey& one) { one.revoked_at = now; }),
        door.world.make_key_and([&](rules::ApiKey& one) { one.frozen_at = now; }),
        door.world.make_key_and([&](rules::ApiKey& one) { one.expires_at = now; })}) {
    EXPECT_EQ(door.ask("/slow", ended).status, 401);
    EXPECT_EQ(door.ask("/revoke", ended).status, 401);
    EXPECT_EQ(door.ask("/holders", ended).status, 200);
  }
  EXPECT_EQ(door.ask("/holders", door.world.guess()).status, 401);
}

// Rule rate-limit-of-app.
TEST(Guard, WhatRevokesIsNotCountedForTheApp) {
  Door door;
  door.world.keys.app.limits.rate_limit = rules::RateLimit{1, 1min, 1};
  const auto key = door.world.make_key();
  EXPECT_EQ(door.ask("/slow", key).status, 200);
  EXPECT_EQ(door.ask("/slow", key).status, 429);
  EXPECT_EQ(door.ask("/revoke", key).status, 200);
  EXPECT_EQ(door.ask("/holders", key).status, 200);
}

TEST(Guard, AnIssuerThatDoesNotAnswerIs503WithoutALimit) {
  Door door;
  const auto answer = door.ask("/quick", "a.b.down");
  EXPECT_EQ(answer.status, 503);
  EXPECT_FALSE(answer.has("RateLimit"));
}

TEST(Guard, WhatNeedsNoCredentialHasTheLimitOfItsKind) {
  Door door;
  EXPECT_TRUE(door.ask("/open", "").has("RateLimit: \"login\";r=9;t=6\r\n"));
  EXPECT_TRUE(door.ask("/open-slow", "").has("RateLimit: \"password\";r=4;t=12\r\n"));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(door.ask("/open-slow", "").status, 200);
  const auto refused = door.ask("/open-slow", "");
  EXPECT_EQ(refused.status, 429);
  EXPECT_TRUE(refused.has("Retry-After: 12\r\n"));
}

TEST(Guard, WorkThatWaitsDoesNotHoldUpTheLoop) {
  Door door;
  const auto key = door.world.make_key();
  auto stuck = std::async(std::launch::async, [&] { return door.ask("/stuck", key); });
  door.began.wait();
  EXPECT_EQ(door.ask("/quick", key).status, 200);
  EXPECT_EQ(door.ask("/slow", key).status, 200);
  EXPECT_EQ(door.ask("/open", "").status, 200);
  door.may_end.count_down();
  EXPECT_EQ(stuck.get().body, "ended");
}

TEST(Guard, WhenTooManyWaitForAWorkerFurtherCallsAre503) {
  Door door({.threads = 1, .waiting_max = 0});
  const auto answer = door.ask("/slow", door.world.make_key());
  EXPECT_EQ(answer.status, 503);
}

TEST(Guard, WorkThatThrowsIsABare500AndTheWorkerGoesOn) {
  Door door({.threads = 1, .waiting_max = 8});
  const auto key = door.world.make_key();
  EXPECT_EQ(door.ask("/throws", key).status, 500);
  EXPECT_EQ(door.ask("/slow", key).status, 200);
}

TEST(Guard, TheAuditLogNamesTheCallByMethodAndPathAndNeverByItsQuery) {
  Door door;
  door.ask("/quick?token=hunter2", door.world.guess());
  ASSERT_EQ(door.world.audit.entries.size(), 1u);
  EXPECT_EQ(door.world.audit.entries[0].action, "GET /quick");
  EXPECT_EQ(door.world.audit.entries[0].peer, "127.0.0.1");
}

}  // namespace
}  // namespace stagedoor::front
