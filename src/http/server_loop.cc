// SPDX-License-Identifier: Apache-2.0

#include "http/server_loop.h"

#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <random>

namespace stagedoor::http {

namespace {

constexpr std::size_t exchanges_kept_max = 64;
// A larger block was for a large body, and is given back.
constexpr std::size_t bytes_kept_max = 64u << 10;
// How long those that were dropped may take to notice.
constexpr std::chrono::milliseconds drop_time{500};

template <std::size_t size>
void write_hex(std::array<char, size>& text, std::size_t begin, std::size_t end,
               std::uint64_t number) {
  for (auto at = end; at > begin; number >>= 4) text[--at] = "0123456789abcdef"[number & 15];
}

}  // namespace

ServerLoop::ServerLoop(Server& server) : server_(server) {
  std::random_device device;
  const auto random = std::uint64_t{device()} << 32 | device();
  write_hex(id_prefix_, 0, id_prefix_.size(), random);
}

ServerLoop::~ServerLoop() {
  drop_all();
  // Those who leave while the loop is destroyed have nothing to end.
  stopping_ = false;
}

std::unique_ptr<Exchange> ServerLoop::take_exchange() {
  if (exchanges_.empty()) return std::make_unique<Exchange>(server_.options);
  auto exchange = std::move(exchanges_.back());
  exchanges_.pop_back();
  return exchange;
}

void ServerLoop::give_back(std::unique_ptr<Exchange> exchange) {
  if (!exchange || exchanges_.size() >= exchanges_kept_max) return;
  if (exchange->input.capacity() > bytes_kept_max ||
      exchange->response.body().capacity() > bytes_kept_max) {
    return;
  }
  exchange->input.consume(exchange->input.size());
  exchange->reader.reset();
  exchange->response.clear();
  exchanges_.push_back(std::move(exchange));
}

std::string_view ServerLoop::date() {
  timespec now;
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  if (now.tv_sec != date_second_) {
    date_second_ = now.tv_sec;
    tm parts;
    gmtime_r(&now.tv_sec, &parts);
    static constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    fmt::format_to_n(date_.data(), date_.size(), "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
                     days[parts.tm_wday], parts.tm_mday, months[parts.tm_mon], parts.tm_year + 1900,
                     parts.tm_hour, parts.tm_min, parts.tm_sec);
  }
  return {date_.data(), date_.size()};
}

void ServerLoop::write_id(std::array<char, 24>& id) {
  std::copy(id_prefix_.begin(), id_prefix_.end(), id.begin());
  write_hex(id, id_prefix_.size(), id.size(), ++id_count_);
}

void ServerLoop::enter(Guest& guest, Kind kind) {
  guests_.push_back(guest);
  (kind == Kind::connection ? connections_ : websockets_).fetch_add(1, std::memory_order_relaxed);
}

void ServerLoop::left(Kind kind) {
  (kind == Kind::connection ? connections_ : websockets_).fetch_sub(1, std::memory_order_relaxed);
  end_if_empty();
}

void ServerLoop::begin_stop(std::chrono::milliseconds grace) {
  if (!stopping_) {
    stopping_ = true;
    for (auto at = guests_.begin(); at != guests_.end();) (at++)->leave_if_idle();
  }
  if (!dropped_) grace_.expire_after(grace);
  end_if_empty();
}

void ServerLoop::end_if_empty() {
  if (!stopping_ || connections() + websockets() > 0) return;
  // After what is ready: a connection that was just accepted is closed by its handler.
  boost::asio::post(loop_.executor(), [this] { loop_.stop(); });
}

void ServerLoop::drop_all() {
  for (auto at = guests_.begin(); at != guests_.end();) (at++)->drop();
}

void ServerLoop::on_grace_over() {
  if (dropped_) return loop_.stop();
  dropped_ = true;
  drop_all();
  grace_.expire_after(drop_time);
}

}  // namespace stagedoor::http
