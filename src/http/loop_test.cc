// SPDX-License-Identifier: Apache-2.0

#include "http/loop.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <latch>
#include <optional>
#include <thread>
#include <vector>

#include "http/await.h"

namespace stagedoor::http {
namespace {

using std::chrono::milliseconds;

// A wheel whose time the test moves.
struct World {
  TimerWheel::Clock::time_point now{milliseconds(12345)};
  int wakes = 0;
  TimerWheel wheel{[this] { return now; }, [this] { ++wakes; }};

  void pass(milliseconds time) {
    for (auto left = time; left > milliseconds(0); left -= TimerWheel::turn) {
      now += std::min(left, TimerWheel::turn);
      wheel.advance();
    }
  }
};

TEST(TimerWheel, ADeadlineFiresOnceNotBeforeItsTimeAndSoonAfter) {
  for (const int delay : {0, 1, 49, 50, 51, 999, 75000, 300000}) {
    World world;
    world.now += milliseconds(17);
    int fired = 0;
    TimerWheel::Deadline deadline(world.wheel, [&] { ++fired; });
    deadline.expire_after(milliseconds(delay));
    if (delay > 0) world.pass(milliseconds(delay - 1));
    EXPECT_EQ(fired, 0) << delay;
    world.pass(milliseconds(101));
    EXPECT_EQ(fired, 1) << delay;
    world.pass(milliseconds(100000));
    EXPECT_EQ(fired, 1) << delay;
  }
}

TEST(TimerWheel, AMovedDeadlineFiresAtItsLastTimeOnly) {
  World world;
  int fired = 0;
  TimerWheel::Deadline deadline(world.wheel, [&] { ++fired; });
  deadline.expire_after(milliseconds(1000));
  deadline.expire_after(milliseconds(5000));
  world.pass(milliseconds(4900));
  EXPECT_EQ(fired, 0);
  deadline.expire_after(milliseconds(60));
  world.pass(milliseconds(160));
  EXPECT_EQ(fired, 1);
  EXPECT_EQ(world.wheel.size(), 0u);
}

TEST(TimerWheel, AClearedOrDestroyedDeadlineDoesNotFire) {
  World world;
  int fired = 0;
  TimerWheel::Deadline cleared(world.wheel, [&] { ++fired; });
  std::optional<TimerWheel::Deadline> gone;
  gone.emplace(world.wheel, [&] { ++fired; });
  cleared.expire_after(milliseconds(10));
  gone->expire_after(milliseconds(10));
  cleared.clear();
  gone.reset();
  world.pass(milliseconds(1000));
  EXPECT_EQ(fired, 0);
}

TEST(TimerWheel, WhatFiresMaySetClearAndDestroyDeadlinesAlsoItself) {
  World world;
  int again = 0, victim_fired = 0, own_fired = 0;
  std::optional<TimerWheel::Deadline> own, victim, repeating;
  repeating.emplace(world.wheel, [&] {
    if (++again < 3) repeating->expire_after(milliseconds(0));
  });
  own.emplace(world.wheel, [&] {
    ++own_fired;
    victim.reset();
    own.reset();
  });
  victim.emplace(world.wheel, [&] { ++victim_fired; });
  repeating->expire_after(milliseconds(60));
  own->expire_after(milliseconds(60));
  victim->expire_after(milliseconds(60));
  world.pass(milliseconds(1000));
  EXPECT_EQ(again, 3);
  EXPECT_EQ(own_fired, 1);
  EXPECT_EQ(victim_fired, 0);
}

TEST(TimerWheel, ItIsWokenForTheFirstDeadlineAndRestsAfterTheLast) {
  World world;
  TimerWheel::Deadline deadline(world.wheel, [] {});
  deadline.expire_after(milliseconds(10));
  deadline.expire_after(milliseconds(20));
  EXPECT_EQ(world.wakes, 1);
  world.now += milliseconds(200);
  EXPECT_FALSE(world.wheel.advance());
  // While it rests no turn is missed.
  world.now += std::chrono::hours(5);
  deadline.expire_after(milliseconds(10));
  EXPECT_EQ(world.wakes, 2);
  EXPECT_TRUE(world.wheel.advance());
  world.now += milliseconds(100);
  EXPECT_FALSE(world.wheel.advance());
}

TEST(TimerWheel, AfterALongStallAllThatIsDueFires) {
  World world;
  int fired = 0;
  std::vector<std::unique_ptr<TimerWheel::Deadline>> deadlines;
  for (int i = 0; i < 3000; ++i) {
    deadlines.push_back(std::make_unique<TimerWheel::Deadline>(world.wheel, [&] { ++fired; }));
    deadlines.back()->expire_after(milliseconds(i * 40));
  }
  world.now += std::chrono::hours(1);
  world.wheel.advance();
  EXPECT_EQ(fired, 3000);
}

// Runs the task on a loop of its own until it has ended.
template <class Task>
void run(Loop& loop, Task task) {
  boost::asio::co_spawn(loop.executor(), std::move(task), [&](const std::exception_ptr& failure) {
    EXPECT_FALSE(failure);
    loop.stop();
  });
  loop.run();
}

TEST(AnswerOf, AnAnswerFromAnotherThreadResumesOnTheLoopOfTheQuestion) {
  Loop loop;
  std::jthread other;
  std::thread::id resumed_on;
  std::string answer;
  run(loop, [](auto& thread, auto& on, auto& to) -> Task<> {
    to = co_await answer_of<std::string>([&thread](auto callback) {
      thread = std::jthread([callback = std::move(callback)]() mutable { callback("42"); });
    });
    on = std::this_thread::get_id();
  }(other, resumed_on, answer));
  EXPECT_EQ(answer, "42");
  EXPECT_EQ(resumed_on, std::this_thread::get_id());
}

TEST(Mailbox, ACrowdOfJobsRunsInItsOrderAndLeavesOthersTheirTurns) {
  Loop loop;
  std::vector<int> ran;
  int turns = 0;
  std::function<void()> take_turns = [&] {
    ++turns;
    if (ran.size() < 10'000) boost::asio::post(loop.io(), take_turns);
  };
  for (int at = 0; at < 10'000; ++at) {
    ASSERT_TRUE(loop.mailbox()->post([&, at] {
      ran.push_back(at);
      if (at == 9'999) loop.stop();
    }));
  }
  boost::asio::post(loop.io(), take_turns);
  loop.run();
  ASSERT_EQ(ran.size(), 10'000u);
  EXPECT_TRUE(std::ranges::is_sorted(ran));
  EXPECT_GE(turns, 9);
}

TEST(Mailbox, WhatIsPostedByAJobRunsAndWhatALoopNeverRanIsFreed) {
  const auto held = std::make_shared<int>();
  std::shared_ptr<Mailbox> mailbox;
  {
    Loop loop;
    mailbox = loop.mailbox();
    mailbox->post([&] { mailbox->post([&] { loop.stop(); }); });
    loop.run();
    mailbox->post([held] {});
    EXPECT_EQ(held.use_count(), 2);
  }
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_FALSE(mailbox->post([] {}));
}

TEST(AnswerOf, AnAnswerAtOnceIsAnAnswer) {
  Loop loop;
  int answer = 0;
  run(loop, [](int& to) -> Task<> {
    to = co_await answer_of<int>([](auto callback) { callback(7); });
  }(answer));
  EXPECT_EQ(answer, 7);
}

// Tells when a coroutine's frame is destroyed, and on which thread.
struct Tell {
  std::thread::id* where;
  ~Tell() { *where = std::this_thread::get_id(); }
};

TEST(AnswerOf, ADroppedCallbackFreesTheCoroutineOnItsLoop) {
  Loop loop;
  std::jthread other;
  std::thread::id freed_on;
  boost::asio::co_spawn(
      loop.executor(),
      [](Loop& on, std::jthread& thread, std::thread::id* where) -> Task<> {
        const Tell tell{where};
        co_await answer_of<int>([&](auto callback) {
          thread = std::jthread([&on, callback = std::move(callback)]() mutable {
            {
              auto dropped = std::move(callback);
            }
            // Behind the end of the coroutine, which Asio posts.
            on.mailbox()->post([&on] { boost::asio::post(on.executor(), [&on] { on.stop(); }); });
          });
        });
        ADD_FAILURE() << "there was no answer";
      }(loop, other, &freed_on),
      boost::asio::detached);
  loop.run();
  EXPECT_EQ(freed_on, std::this_thread::get_id());
}

TEST(AnswerOf, AnAnswerAfterTheLoopHasEndedIsLostWithoutHarm) {
  std::jthread other;
  std::latch ended(1);
  std::thread::id freed_on;
  {
    Loop loop;
    boost::asio::co_spawn(
        loop.executor(),
        [](Loop& on, std::jthread& thread, std::latch& end, std::thread::id* where) -> Task<> {
          const Tell tell{where};
          co_await answer_of<int>([&](auto callback) {
            thread = std::jthread([&end, callback = std::move(callback)]() mutable {
              end.wait();
              callback(1);
            });
            on.stop();
          });
          ADD_FAILURE() << "the loop has ended";
        }(loop, other, ended, &freed_on),
        boost::asio::detached);
    loop.run();
  }
  EXPECT_EQ(freed_on, std::this_thread::get_id());
  ended.count_down();
}

TEST(Signal, EveryWaiterIsWokenOnce) {
  Loop loop;
  Signal signal;
  int woken = 0;
  for (int i = 0; i < 3; ++i) {
    boost::asio::co_spawn(
        loop.executor(),
        [](Signal& on, int& count) -> Task<> {
          co_await on.wait();
          ++count;
        }(signal, woken),
        boost::asio::detached);
  }
  boost::asio::post(loop.executor(), [&] {
    signal.notify_all(loop.executor());
    signal.notify_all(loop.executor());
    boost::asio::post(loop.executor(), [&] { loop.stop(); });
  });
  loop.run();
  EXPECT_EQ(woken, 3);
}

}  // namespace
}  // namespace stagedoor::http
