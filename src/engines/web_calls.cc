// SPDX-License-Identifier: Apache-2.0

#include "engines/web_calls.h"

#include <curl/curl.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "base/network.h"

namespace stagedoor::engines {
namespace {

using base::ErrorCode;
using Clock = std::chrono::steady_clock;

struct FreeHandle {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

// A header line with a line break in it would be two.
bool is_header_text(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

// One call under way. Only the thread of the calls touches it, but for `is_cancelled`.
struct Transfer {
  WebCall call;
  std::unique_ptr<WebAnswer> answer;
  std::atomic<bool> is_cancelled = false;
  std::unique_ptr<CURL, FreeHandle> handle;
  std::unique_ptr<curl_slist, FreeList> headers;
  Clock::time_point last_sign = Clock::now();
  std::size_t answer_bytes = 0;
  bool has_status = false, was_private = false, was_plain = false, is_too_long = false,
       is_unwanted = false;

  base::Result<base::Done> prepare(std::string_view bearer);
  bool add_header(const std::string& line);
  void apply_limits();
  bool may_reach(const base::Address& address);
  void tell_status();
  void finish(CURLcode outcome);

  static std::size_t on_body(char* bytes, std::size_t, std::size_t count, void* self);
  static std::size_t on_header(char* bytes, std::size_t, std::size_t count, void* self);
  static curl_socket_t on_socket(void* self, curlsocktype, curl_sockaddr* to);
};

bool Transfer::add_header(const std::string& line) {
  if (!is_header_text(line)) return false;
  auto* longer = curl_slist_append(headers.get(), line.c_str());
  if (!longer) return false;
  (void)headers.release();
  headers.reset(longer);
  return true;
}

base::Result<base::Done> Transfer::prepare(std::string_view bearer) {
  const auto malformed = [](std::string detail) {
    return base::fail(ErrorCode::malformed, "web call: " + std::move(detail));
  };
  handle.reset(curl_easy_init());
  if (!handle) return base::fail(ErrorCode::unavailable, "web call: no memory");
  if (!call.url.starts_with("https://") && !call.url.starts_with("http://"))
    return malformed("address");
  for (const auto& [name, value] : call.headers)
    if (name.empty() || name.contains(':') || !add_header(name + ": " + value))
      return malformed("header");
  if (!bearer.empty() && !add_header("Authorization: Bearer " + std::string(bearer)))
    return malformed("key");
  if (!add_header("Expect:")) return malformed("header");
  apply_limits();
  auto* curl = handle.get();
  curl_easy_setopt(curl, CURLOPT_URL, call.url.c_str());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "stagedoor/" STAGEDOOR_VERSION);
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call.method.c_str());
  if (call.method != "GET" || !call.body.empty()) {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call.body.data());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
  }
  return base::Done{};
}

void Transfer::apply_limits() {
  auto* curl = handle.get();
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https,http");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(call.connect_timeout.count()));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(call.total_timeout.count()));
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
  curl_easy_setopt(curl, CURLOPT_TCP_NODELAY, 1L);
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, &Transfer::on_socket);
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, this);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(curl, CURLOPT_PRIVATE, this);
}

bool Transfer::may_reach(const base::Address& address) {
  const bool is_private = base::is_private(address);
  was_private = is_private && call.private_addresses == PrivateAddresses::refused;
  was_plain = !is_private && call.plain_http == PlainHttp::private_only &&
              !call.url.starts_with("https://");
  return !was_private && !was_plain;
}

void Transfer::tell_status() {
  if (std::exchange(has_status, true)) return;
  long status = 0;
  const char* type = nullptr;
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(handle.get(), CURLINFO_CONTENT_TYPE, &type);
  answer->on_status(static_cast<int>(status), type ? type : "");
}

std::size_t Transfer::on_body(char* bytes, std::size_t, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  transfer.last_sign = Clock::now();
  if (transfer.is_cancelled) return 0;
  transfer.answer_bytes += count;
  transfer.is_too_long = transfer.answer_bytes > transfer.call.answer_bytes_max;
  if (transfer.is_too_long) return 0;
  transfer.tell_status();
  transfer.is_unwanted = !transfer.answer->on_bytes({bytes, count});
  return transfer.is_unwanted ? 0 : count;
}

std::size_t Transfer::on_header(char*, std::size_t, std::size_t count, void* self) {
  static_cast<Transfer*>(self)->last_sign = Clock::now();
  return count;
}

curl_socket_t Transfer::on_socket(void* self, curlsocktype, curl_sockaddr* to) {
  // curl_sockaddr ends in a plain sockaddr, behind which libcurl holds the rest.
  const auto address = base::address_of_socket(&to->addr, to->addrlen);
  if (!address || !static_cast<Transfer*>(self)->may_reach(*address)) return CURL_SOCKET_BAD;
  return ::socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

void Transfer::finish(CURLcode outcome) {
  if (is_cancelled || is_unwanted) return;
  if (outcome == CURLE_OK) {
    tell_status();
    return answer->on_end();
  }
  std::string why = curl_easy_strerror(outcome);
  if (was_private) why = "an address that may not be asked";
  if (was_plain) why = "an address that may not be asked without TLS";
  if (is_too_long) why = "more bytes than may be";
  answer->on_failure({ErrorCode::unavailable, "web call: " + why, {}});
}

}  // namespace

class WebCalls::Thread : public std::enable_shared_from_this<Thread> {
 public:
  explicit Thread(Options options) : options_(options) {
    // Once a process, before any handle; C++ makes it so.
    [[maybe_unused]] static const auto ready = curl_global_init(CURL_GLOBAL_DEFAULT);
    multi_ = curl_multi_init();
  }
  ~Thread() { curl_multi_cleanup(multi_); }

  void run() {
    thread_ = std::thread([this] { loop(); });
  }
  void stop() {
    is_stopping_ = true;
    wake();
    thread_.join();
  }
  void wake() { curl_multi_wakeup(multi_); }

  void add(std::shared_ptr<Transfer> transfer) {
    bool is_full = false;
    {
      const std::lock_guard lock(mutex_);
      is_full = count_ >= options_.at_once_max;
      if (!is_full) {
        ++count_;
        incoming_.push_back(transfer);
      }
    }
    if (is_full)
      return transfer->answer->on_failure({ErrorCode::rate_limited, "web call: too many run", {}});
    wake();
  }

 private:
  void loop();
  void take_incoming();
  void take_finished();
  void drop_stale();
  int wait_millis() const;
  void remove(std::size_t index);

  const Options options_;
  CURLM* multi_;
  std::atomic<bool> is_stopping_ = false;
  std::mutex mutex_;
  std::vector<std::shared_ptr<Transfer>> incoming_;
  std::size_t count_ = 0;  // incoming and running
  std::vector<std::shared_ptr<Transfer>> running_;
  std::thread thread_;
};

void WebCalls::Thread::loop() {
  while (!is_stopping_) {
    take_incoming();
    int running = 0;
    curl_multi_perform(multi_, &running);
    take_finished();
    drop_stale();
    curl_multi_poll(multi_, nullptr, 0, wait_millis(), nullptr);
  }
  while (!running_.empty()) remove(running_.size() - 1);
}

void WebCalls::Thread::take_incoming() {
  std::vector<std::shared_ptr<Transfer>> incoming;
  {
    const std::lock_guard lock(mutex_);
    incoming.swap(incoming_);
  }
  for (auto& transfer : incoming) {
    transfer->last_sign = Clock::now();
    curl_multi_add_handle(multi_, transfer->handle.get());
    running_.push_back(std::move(transfer));
  }
}

void WebCalls::Thread::take_finished() {
  int left = 0;
  while (const auto* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const auto outcome = message->data.result;
    const auto found = std::ranges::find_if(running_, [&](const auto& transfer) {
      return transfer->handle.get() == message->easy_handle;
    });
    if (found == running_.end()) continue;
    const auto transfer = *found;
    remove(static_cast<std::size_t>(found - running_.begin()));
    transfer->finish(outcome);
  }
}

// Cancelled calls, and those from which nothing has come for too long.
void WebCalls::Thread::drop_stale() {
  const auto now = Clock::now();
  for (auto i = running_.size(); i-- > 0;) {
    const auto transfer = running_[i];
    const bool is_silent = now - transfer->last_sign > transfer->call.silence_timeout;
    if (!transfer->is_cancelled && !is_silent) continue;
    remove(i);
    if (!transfer->is_cancelled) transfer->finish(CURLE_OPERATION_TIMEDOUT);
  }
}

int WebCalls::Thread::wait_millis() const {
  auto wait = std::chrono::milliseconds(1000);
  const auto now = Clock::now();
  for (const auto& transfer : running_) {
    const auto silence = std::chrono::duration_cast<std::chrono::milliseconds>(
        transfer->last_sign + transfer->call.silence_timeout - now);
    wait = std::clamp(silence + std::chrono::milliseconds(1), std::chrono::milliseconds(0), wait);
  }
  return static_cast<int>(wait.count());
}

void WebCalls::Thread::remove(std::size_t index) {
  curl_multi_remove_handle(multi_, running_[index]->handle.get());
  running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(index));
  const std::lock_guard lock(mutex_);
  --count_;
}

namespace {

// Hands an answer on, and judges the endpoint by it, before that.
class JudgedAnswer : public WebAnswer {
 public:
  JudgedAnswer(std::unique_ptr<WebAnswer> answer, CircuitBreakers::Pass pass)
      : answer_(std::move(answer)), pass_(std::move(pass)) {}
  // It was cancelled, or no more was wanted of it.
  ~JudgedAnswer() override {
    if (has_bytes_) judge();
  }

  void on_status(int status, std::string_view content_type) override {
    status_ = status;
    answer_->on_status(status, content_type);
  }
  bool on_bytes(std::string_view bytes) override {
    has_bytes_ = true;
    return answer_->on_bytes(bytes);
  }
  void on_end() override {
    judge();
    answer_->on_end();
  }
  // Too many calls and a malformed one are not the endpoint's fault.
  void on_failure(base::Error error) override {
    if (error.code == ErrorCode::unavailable) pass_.failed();
    answer_->on_failure(std::move(error));
  }

 private:
  void judge() {
    constexpr int trouble_status = 500;
    if (status_ < trouble_status) return pass_.succeeded();
    pass_.failed();
  }

  std::unique_ptr<WebAnswer> answer_;
  CircuitBreakers::Pass pass_;
  int status_ = 0;
  bool has_bytes_ = false;
};

class CallJob : public stage::Job {
 public:
  CallJob(std::shared_ptr<Transfer> transfer, std::function<void()> wake)
      : transfer_(std::move(transfer)), wake_(std::move(wake)) {}
  ~CallJob() override {
    if (!transfer_) return;
    transfer_->is_cancelled = true;
    wake_();
  }

 private:
  std::shared_ptr<Transfer> transfer_;
  std::function<void()> wake_;
};

}  // namespace

WebCalls::WebCalls(Options options)
    : breakers_(options.breakers), thread_(std::make_shared<Thread>(options)) {
  thread_->run();
}
WebCalls::~WebCalls() {
  thread_->stop();
}

std::unique_ptr<stage::Job> WebCalls::start(WebCall call, std::unique_ptr<WebAnswer> answer) {
  if (breakers_ != nullptr && call.may_be_passed_over) {
    auto pass = breakers_->enter(call.url, call.bearer);
    if (!pass) {
      answer->on_failure({ErrorCode::unavailable, "web call: passed over after failures", {}});
      return std::make_unique<stage::Job>();
    }
    answer = std::make_unique<JudgedAnswer>(std::move(answer), *std::move(pass));
  }
  auto transfer = std::make_shared<Transfer>();
  transfer->call = std::move(call);
  transfer->answer = std::move(answer);
  const auto bearer = std::exchange(transfer->call.bearer, {});
  if (const auto prepared = transfer->prepare(bearer); !prepared) {
    transfer->answer->on_failure(prepared.error());
    return std::make_unique<stage::Job>();
  }
  thread_->add(transfer);
  if (transfer->call.is_finished_if_abandoned) return std::make_unique<stage::Job>();
  return std::make_unique<CallJob>(transfer, [weak = std::weak_ptr(thread_)] {
    if (const auto thread = weak.lock()) thread->wake();
  });
}

}  // namespace stagedoor::engines
