#include "http/workers.h"

#include <memory>
#include <optional>

#include "http/await.h"

namespace stagedoor::http {

Workers::Workers(Options options) : options_(options) {
  for (std::size_t i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { work(); });
}

bool Workers::submit(std::move_only_function<void()> job) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || waiting_.size() >= options_.waiting_max) return false;
    waiting_.push(std::move(job));
  }
  wake_.notify_one();
  return true;
}

void Workers::stop() {
  std::queue<std::move_only_function<void()>> given_up;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    std::swap(given_up, waiting_);
  }
  wake_.notify_all();
  for (auto& thread : threads_)
    if (thread.joinable()) thread.join();
}

void Workers::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    auto job = std::move(waiting_.front());
    waiting_.pop();
    lock.unlock();
    job();
    job = {};
    lock.lock();
  }
}

Task<bool> on_worker(Workers& workers, const BlockingHandler& work, const Request& request,
                     Response& response) {
  // It lives longer than the workers: nothing to hold.
  return on_worker(workers, std::shared_ptr<const BlockingHandler>(std::shared_ptr<void>(), &work),
                   request, response);
}

Task<bool> on_worker(Workers& workers, std::shared_ptr<const BlockingHandler> work,
                     const Request& request, Response& response) {
  using Answer = std::optional<Response>;
  auto kept = std::make_unique<KeptRequest>(request);
  auto answer = co_await answer_of<Answer>([&](std::move_only_function<void(Answer)> tell) {
    auto shared_tell = std::make_shared<std::move_only_function<void(Answer)>>(std::move(tell));
    const bool taken = workers.submit([kept = std::move(kept), shared_tell, work] {
      Response made;
      try {
        (*work)(**kept, made);
      } catch (...) {
        made = Response();  // a bare 500, as for any mistake of a handler
      }
      (*shared_tell)(std::move(made));
    });
    if (!taken) (*shared_tell)(std::nullopt);
  });
  if (!answer) co_return false;
  response = *std::move(answer);
  co_return true;
}

}  // namespace stagedoor::http
