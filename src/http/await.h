// Waiting in a coroutine: for an answer that comes through a callback, maybe on another thread, and
// for a signal on the same loop.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "http/loop.h"
#include "http/task.h"

namespace stagedoor::http {

namespace waiting {

// Asio reads some types of a completion's first argument as an error; in this no type is one.
template <class T>
struct Answer {
  T value;
};

// One coroutine that waits. The handler is touched on the loop only; `value` is written by the
// caller of the callback before it posts.
template <class T, class CompletionHandler>
class Waiter final : public Unfinished {
 public:
  Waiter(CompletionHandler handler, Loop& loop) : handler_(std::move(handler)) { enlist(loop); }
  void value(T value) { value_.emplace(std::move(value)); }
  void finish() {
    leave();
    if (!handler_) return;
    auto handler = std::move(*handler_);
    handler_.reset();
    if (value_) handler(Answer<T>{std::move(*value_)});
  }
  void abandon() override { handler_.reset(); }

 private:
  std::optional<CompletionHandler> handler_;
  std::optional<T> value_;
};

// What is given to the outside. Dropping it uncalled frees the waiting coroutine, on its loop.
template <class T, class CompletionHandler>
class Callback {
 public:
  Callback(std::shared_ptr<Waiter<T, CompletionHandler>> waiter, std::shared_ptr<Mailbox> mailbox)
      : waiter_(std::move(waiter)), mailbox_(std::move(mailbox)) {}
  Callback(Callback&&) noexcept = default;
  Callback& operator=(Callback&&) = delete;
  Callback(const Callback&) = delete;
  Callback& operator=(const Callback&) = delete;
  ~Callback() {
    if (waiter_) post();
  }
  void operator()(T value) {
    if (!waiter_) return;
    waiter_->value(std::move(value));
    post();
  }

 private:
  void post() {
    auto mailbox = std::move(mailbox_);
    mailbox->post([waiter = std::move(waiter_)] { waiter->finish(); });
  }
  std::shared_ptr<Waiter<T, CompletionHandler>> waiter_;
  std::shared_ptr<Mailbox> mailbox_;
};

}  // namespace waiting

// Calls `start` with a callback that may be called once, from any thread; resumes on this loop with
// the value given to it. A callback that is dropped uncalled ends the waiting coroutine without an
// answer: its frames are destroyed, on this loop.
template <class T>
Task<T> answer_of(std::move_only_function<void(std::move_only_function<void(T)>)> start) {
  Loop& loop = this_loop();
  auto initiate = [&loop, &start]<class CompletionHandler>(CompletionHandler handler) {
    using Waiter = waiting::Waiter<T, CompletionHandler>;
    auto waiter = std::make_shared<Waiter>(std::move(handler), loop);
    start(waiting::Callback<T, CompletionHandler>(std::move(waiter), loop.mailbox()));
  };
  constexpr boost::asio::use_awaitable_t<Executor> token;
  auto answered =
      boost::asio::async_initiate<decltype(token), void(waiting::Answer<T>)>(initiate, token);
  waiting::Answer<T> answer = co_await std::move(answered);
  co_return std::move(answer.value);
}

// Wakes the coroutines of one loop that wait for something to change. Whoever is woken looks again.
class Signal {
 public:
  Task<> wait() {
    auto initiate = [this]<class CompletionHandler>(CompletionHandler handler) {
      waiters_.emplace_back([handler = std::move(handler)]() mutable { std::move(handler)(); });
    };
    constexpr boost::asio::use_awaitable_t<Executor> token;
    auto woken = boost::asio::async_initiate<decltype(token), void()>(initiate, token);
    co_await std::move(woken);
  }

  void notify_all(Executor executor) {
    auto woken = std::move(waiters_);
    waiters_.clear();
    for (auto& waiter : woken) boost::asio::post(executor, std::move(waiter));
  }

 private:
  std::vector<std::move_only_function<void()>> waiters_;
};

}  // namespace stagedoor::http
