// SPDX-License-Identifier: Apache-2.0

#include "http/readiness.h"

#include <cerrno>
#include <system_error>
#include <utility>

namespace stagedoor::http {

namespace {

constexpr std::uint32_t readable = EPOLLIN | EPOLLRDHUP | EPOLLET;
// So many turns before whatever else waits on the loop has its own; a turn of a few is the last,
// because after it there is most likely nobody.
constexpr int turns_at_once_max = 4;
constexpr std::size_t few = 4;
// What is held of a turn is sent before its end when it has become so much.
constexpr std::size_t held_bytes_max = 64u << 10;
// A larger block was for large answers, and is given back.
constexpr std::size_t kept_bytes_max = 256u << 10;

int open_poll() {
  const int number = ::epoll_create1(EPOLL_CLOEXEC);
  if (number < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  return number;
}

}  // namespace

std::string Outbox::take_own() {
  if (own_begin_ == 0) return std::exchange(text_, {});
  std::string taken(own());
  drop_own();
  return taken;
}

void Outbox::hold_own(ReadySocket& socket) {
  held_.push_back({&socket, text_.size()});
  own_begin_ = text_.size();
}

void Outbox::send_all() {
  std::size_t begin = 0;
  for (const auto& [socket, end] : held_) {
    socket->send_held(std::string_view(text_).substr(begin, end - begin));
    begin = end;
  }
  held_.clear();
  text_.clear();
  own_begin_ = 0;
  if (text_.capacity() > kept_bytes_max) text_ = std::string();
}

Readiness::Readiness(Loop& loop) : poll_(loop.io(), open_poll()) {
  outbox_.held_.reserve(events_.size());
  wait();
}

Readiness::~Readiness() = default;

bool Readiness::add(int number, ReadySocket& socket) {
  epoll_event event{.events = readable, .data = {.ptr = &socket}};
  if (::epoll_ctl(poll_.native_handle(), EPOLL_CTL_ADD, number, &event) != 0) return false;
  intrusive_ptr_add_ref(&socket);
  return true;
}

void Readiness::remove(int number, ReadySocket& socket) {
  epoll_event ignored{};
  ::epoll_ctl(poll_.native_handle(), EPOLL_CTL_DEL, number, &ignored);
  for (std::size_t i = 0; i < event_count_; ++i) {
    if (events_[i].data.ptr == &socket) events_[i].data.ptr = nullptr;
  }
  intrusive_ptr_release(&socket);
}

// Changing what is waited for has the kernel look at the socket anew.
void Readiness::again(int number, ReadySocket& socket) {
  epoll_event event{.events = readable, .data = {.ptr = &socket}};
  ::epoll_ctl(poll_.native_handle(), EPOLL_CTL_MOD, number, &event);
}

void Readiness::also_writable(int number, ReadySocket& socket) {
  epoll_event event{.events = readable | EPOLLOUT, .data = {.ptr = &socket}};
  ::epoll_ctl(poll_.native_handle(), EPOLL_CTL_MOD, number, &event);
}

void Readiness::wait() {
  poll_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                   [this](const boost::system::error_code& error) {
                     if (error) return;
                     have_turns();
                     wait();
                   });
}

void Readiness::have_turns() {
  for (int i = 0; i < turns_at_once_max; ++i) {
    const int count =
        ::epoll_wait(poll_.native_handle(), events_.data(), static_cast<int>(events_.size()), 0);
    event_count_ = count < 0 ? 0 : static_cast<std::size_t>(count);
    have_turn();
    if (event_count_ <= few) break;
  }
  event_count_ = 0;
}

void Readiness::have_turn() {
  outbox_.holds_ = true;
  for (std::size_t i = 0; i < event_count_; ++i) {
    const boost::intrusive_ptr<ReadySocket> socket(static_cast<ReadySocket*>(events_[i].data.ptr));
    if (!socket) continue;
    socket->on_ready(events_[i].events);
    if (outbox_.text_.size() > held_bytes_max) outbox_.send_all();
  }
  outbox_.holds_ = false;
  outbox_.send_all();
}

}  // namespace stagedoor::http
