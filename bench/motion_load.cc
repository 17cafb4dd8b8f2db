// Many clients of the Motion Server in one process, for measurements.
//
//   motion_load idle  PORT APP AVATAR TOKENS_FILE
//   motion_load sent-away PORT APP AVATAR TOKENS_FILE
//   motion_load speak PORT APP AVATAR TOKENS_FILE PCM_FILE RATE_HZ
//
// One session per line of TOKENS_FILE is opened and configured. Then `idle` prints a line and
// answers pings until its standard input ends. `sent-away` prints a line, and when the last socket
// is closed on both sides prints one JSON object: when sessions were told that they end, when their
// connection's end was read, and when they had answered and closed their own side, in nanoseconds
// of the machine's monotonic clock. The sessions of a crowd share one core here and none in the
// world, so they read before any of them answers: else one would wait for the answers of others.
// `speak` has every session send the sound (16-bit
// mono samples) by the clock, 20 ms at a time, each piece when its last sample would have been
// recorded; the sessions begin evenly spread over the first second. It prints one JSON object:
// how long after the sound that it needs each frame came.
//
// SPDX-License-Identifier: Apache-2.0

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "motion.pb.h"

namespace {

using Clock = std::chrono::steady_clock;

constexpr int piece_millis = 20;
constexpr int frame_millis = 40;
// Sound that a frame needs past its own moment (rule motion-look-ahead in src/stage/motion.h).
constexpr int look_ahead_millis = 200;
constexpr std::size_t opening_at_once = 128;
constexpr std::chrono::seconds patience{60};

struct Target {
  std::uint16_t port;
  std::string app, avatar;
  int rate_hz;  // of the sound that will be sent
};

enum class Opcode : std::uint8_t { text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

// A client's frame; its mask is zero, which costs the server as much as any other.
std::string client_frame(Opcode opcode, std::string_view payload) {
  std::string out(1, static_cast<char>(0x80 | static_cast<int>(opcode)));
  if (payload.size() < 126) {
    out += static_cast<char>(0x80 | payload.size());
  } else {
    out += static_cast<char>(0x80 | 126);
    out += static_cast<char>(payload.size() >> 8);
    out += static_cast<char>(payload.size() & 0xff);
  }
  out.append(4, '\0');
  out += payload;
  return out;
}

struct Frame {
  Opcode opcode;
  std::string_view payload;
  std::size_t size;  // with its head; 0: not whole yet
};

Frame first_frame(std::string_view bytes) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(bytes[at]); };
  if (bytes.size() < 2) return {};
  std::size_t head = 2, length = byte(1) & 0x7f;
  if (length >= 126) {
    const std::size_t width = length == 126 ? 2 : 8;
    head += width;
    if (bytes.size() < head) return {};
    length = 0;
    for (std::size_t i = 0; i < width; ++i) length = length << 8 | byte(2 + i);
  }
  if (bytes.size() < head + length) return {};
  return {static_cast<Opcode>(byte(0) & 0x0f), bytes.substr(head, length), head + length};
}

// One session, from the connection to its last frame.
class Session {
 public:
  enum class State { upgrading, configuring, ready, over, failed };

  bool open(const Target& target, std::string_view token, int poll);  // blocks on loopback only
  void on_readable(Clock::time_point now);
  void configure();
  // To the server's goodbye.
  void answer_goodbye();
  // Sends the pieces that are due; true when the last has gone.
  bool speak(const std::vector<std::string>& pieces, Clock::time_point now);

  State state = State::failed;
  std::string trouble;
  Clock::time_point begins{};
  std::vector<Clock::time_point> sent;     // by piece
  std::vector<Clock::time_point> arrived;  // by frame
  // That it ends; that nothing more comes; that our own side is closed too.
  std::optional<Clock::time_point> told, closed, answered;

 private:
  void take_answer();
  void on_end(Clock::time_point now);
  void take_message(std::string_view payload, Clock::time_point now);
  void write(std::string_view bytes);
  void fail(std::string why) {
    state = State::failed;
    trouble = std::move(why);
  }

  int socket_ = -1, poll_ = -1;
  int rate_hz_ = 0;
  std::string in_, goodbye_;
};

bool Session::open(const Target& target, std::string_view token, int poll) {
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(target.port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (socket_ < 0 ||
      ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    fail(std::strerror(errno));
    return false;
  }
  const int one = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  ::fcntl(socket_, F_SETFL, O_NONBLOCK);
  epoll_event event{.events = EPOLLIN, .data = {.ptr = this}};
  ::epoll_ctl(poll, EPOLL_CTL_ADD, socket_, &event);
  poll_ = poll;
  state = State::upgrading;
  rate_hz_ = target.rate_hz;
  write(
      fmt::format("GET /v2/driveningress/websocket?id={} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n"
                  "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                  "Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==\r\nX-App-ID: {}\r\n"
                  "X-Session-Key: {}\r\n\r\n",
                  target.avatar, target.port, target.app, token));
  return state != State::failed;
}

void Session::write(std::string_view bytes) {
  // What is sent at once is far less than a socket's buffer; a server that does not take it has
  // fallen behind by seconds, which is a failure to tell.
  if (::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(bytes.size()))
    fail("the server does not take what is sent");
}

void Session::configure() {
  message::Message hello;
  hello.set_type(message::MESSAGE_CLIENT_CONFIGURE_SESSION);
  hello.mutable_client_configure_session()->set_sample_rate(rate_hz_);
  state = State::configuring;
  write(client_frame(Opcode::binary, hello.SerializeAsString()));
}

void Session::take_answer() {
  const auto end = in_.find("\r\n\r\n");
  if (end == in_.npos) return;
  if (!in_.starts_with("HTTP/1.1 101 ")) return fail("not admitted: " + in_);
  in_.erase(0, end + 4);
}

void Session::on_readable(Clock::time_point now) {
  std::array<char, 65536> bytes;
  const auto received = ::recv(socket_, bytes.data(), bytes.size(), 0);
  if (received < 0 && errno == EAGAIN) return;
  if (received <= 0) return on_end(now);
  in_.append(bytes.data(), static_cast<std::size_t>(received));
  if (state == State::upgrading) {
    const auto before = in_.size();
    take_answer();
    if (in_.size() == before || state == State::failed) return;
    configure();
  }
  std::string_view rest = in_;
  for (auto frame = first_frame(rest); frame.size > 0; frame = first_frame(rest)) {
    if (frame.opcode == Opcode::ping) write(client_frame(Opcode::pong, frame.payload));
    if (frame.opcode == Opcode::close) {
      told = now;
      goodbye_ = frame.payload;
    }
    if (frame.opcode == Opcode::binary) take_message(frame.payload, now);
    rest.remove_prefix(frame.size);
  }
  in_.erase(0, in_.size() - rest.size());
  if (in_.empty()) in_.shrink_to_fit();
  // The end comes in the same packet.
  if (told && !closed) on_readable(now);
}

void Session::on_end(Clock::time_point now) {
  closed = now;
  if (told) {
    // Not told of again until it has answered.
    ::epoll_ctl(poll_, EPOLL_CTL_DEL, socket_, nullptr);
    return;
  }
  if (state != State::over) fail("the server closed the connection");
  ::close(socket_);
}

void Session::answer_goodbye() {
  write(client_frame(Opcode::close, goodbye_));
  ::close(socket_);
  answered = Clock::now();
}

void Session::take_message(std::string_view payload, Clock::time_point now) {
  message::Message message;
  if (!message.ParseFromArray(payload.data(), static_cast<int>(payload.size())))
    return fail("what came is no message");
  if (message.has_server_error()) return fail(message.server_error().message());
  if (message.has_server_confirm_session()) state = State::ready;
  if (!message.has_server_response_animation()) return;
  const auto& animation = message.server_response_animation();
  arrived.insert(arrived.end(), static_cast<std::size_t>(animation.animation().keyframes_size()),
                 now);
  if (animation.end()) state = State::over;
}

bool Session::speak(const std::vector<std::string>& pieces, Clock::time_point now) {
  while (sent.size() < pieces.size() && state == State::ready &&
         now >= begins + std::chrono::milliseconds(piece_millis) * (sent.size() + 1)) {
    write(pieces[sent.size()]);
    sent.push_back(Clock::now());
  }
  return sent.size() == pieces.size() || state != State::ready;
}

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

// The messages that carry a sound, ready to send.
std::vector<std::string> pieces_of(const std::string& path, int rate_hz) {
  std::ifstream file(path, std::ios::binary);
  const std::string sound{std::istreambuf_iterator<char>(file), {}};
  const auto piece_bytes = static_cast<std::size_t>(rate_hz * piece_millis / 1000) * 2;
  const auto count = sound.size() / piece_bytes;
  std::vector<std::string> pieces;
  for (std::size_t i = 0; i < count; ++i) {
    message::Message message;
    message.set_type(message::MESSAGE_CLIENT_AUDIO_INPUT);
    auto& input = *message.mutable_client_audio_input();
    input.set_req_id("utterance");
    input.set_audio(sound.substr(i * piece_bytes, piece_bytes));
    input.set_end(i + 1 == count);
    pieces.push_back(client_frame(Opcode::binary, message.SerializeAsString()));
  }
  return pieces;
}

class Crowd {
 public:
  Crowd(Target target, std::vector<std::string> tokens)
      : target_(std::move(target)), tokens_(std::move(tokens)), sessions_(tokens_.size()) {}

  // Opens all; false where one fails.
  bool open() {
    const auto until = Clock::now() + patience;
    std::size_t opened = 0, ready = 0;
    while (ready < sessions_.size() && Clock::now() < until) {
      for (; opened < sessions_.size() && opened < ready + opening_at_once; ++opened)
        if (!sessions_[opened].open(target_, tokens_[opened], poll_)) return complain();
      turn(100);
      ready = count(Session::State::ready);
      if (count(Session::State::failed) > sessions_.size() - opened) return complain();
    }
    return ready == sessions_.size() || complain();
  }

  void stay_until_input_ends() {
    epoll_event event{.events = EPOLLIN | EPOLLHUP, .data = {.ptr = nullptr}};
    ::epoll_ctl(poll_, EPOLL_CTL_ADD, STDIN_FILENO, &event);
    while (!input_ended_) turn(1000);
  }

  // False where some are open for too long.
  bool stay_until_sent_away() {
    const auto until = Clock::now() + patience;
    const auto is_open = [](const Session& session) { return !session.closed; };
    while (std::ranges::any_of(sessions_, is_open) && Clock::now() < until) {
      if (turn(answer_next(false) ? 0 : 100) == 0) answer_next(true);
    }
    while (answer_next(true)) {
    }
    return std::ranges::none_of(sessions_, is_open);
  }

  void speak(const std::vector<std::string>& pieces) {
    const auto began = Clock::now();
    for (std::size_t i = 0; i < sessions_.size(); ++i)
      sessions_[i].begins = began + std::chrono::microseconds(1'000'000 * i / sessions_.size());
    const auto until = began + std::chrono::milliseconds(piece_millis) * pieces.size() + patience;
    while (count(Session::State::ready) > 0 && Clock::now() < until) {
      for (auto& session : sessions_) session.speak(pieces, Clock::now());
      turn(1);
    }
  }

  std::vector<Session>& sessions() { return sessions_; }
  std::size_t count(Session::State state) const {
    return static_cast<std::size_t>(std::ranges::count(sessions_, state, &Session::state));
  }

 private:
  // Whether there is a session that has read its end and has not answered; it does if it `may`.
  bool answer_next(bool may) {
    while (next_answer_ < sessions_.size() && sessions_[next_answer_].answered) ++next_answer_;
    for (auto at = next_answer_; at < sessions_.size(); ++at) {
      auto& session = sessions_[at];
      if (!session.told || !session.closed || session.answered) continue;
      if (may) session.answer_goodbye();
      return true;
    }
    return false;
  }

  int turn(int wait_millis) {
    std::array<epoll_event, 256> events;
    const int got = ::epoll_wait(poll_, events.data(), events.size(), wait_millis);
    for (int i = 0; i < got; ++i) {
      auto* session = static_cast<Session*>(events[static_cast<std::size_t>(i)].data.ptr);
      if (session == nullptr) {
        std::array<char, 64> ignored;
        input_ended_ = ::read(STDIN_FILENO, ignored.data(), ignored.size()) <= 0;
      } else {
        session->on_readable(Clock::now());
      }
    }
    return got;
  }

  bool complain() const {
    for (const auto& session : sessions_) {
      if (session.trouble.empty()) continue;
      fmt::print(stderr, "motion_load: {}\n", session.trouble);
      break;
    }
    fmt::print(stderr, "motion_load: {} of {} sessions are open\n", count(Session::State::ready),
               sessions_.size());
    return false;
  }

  Target target_;
  std::vector<std::string> tokens_;
  std::vector<Session> sessions_;
  std::size_t next_answer_ = 0;
  int poll_ = ::epoll_create1(EPOLL_CLOEXEC);
  bool input_ended_ = false;
};

double millis(Clock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

double quantile(std::vector<double>& values, double which) {
  if (values.empty()) return -1;
  std::ranges::sort(values);
  return values[static_cast<std::size_t>(static_cast<double>(values.size() - 1) * which)];
}

// How late frames are: against the sending of the last piece of the sound that they need.
void tell(Crowd& crowd) {
  std::vector<double> first_ms, first_from_begin_ms, frame_ms, piece_late_ms;
  std::size_t frames = 0, late = 0, expected = 0;
  for (const auto& session : crowd.sessions()) {
    expected += session.sent.size() * piece_millis / frame_millis;
    frames += session.arrived.size();
    for (std::size_t i = 0; i < session.sent.size(); ++i)
      piece_late_ms.push_back(millis(session.sent[i] - session.begins) -
                              static_cast<double>((i + 1) * piece_millis));
    for (std::size_t k = 0; k < session.arrived.size() && !session.sent.empty(); ++k) {
      const auto needed = (k * frame_millis + look_ahead_millis) / piece_millis - 1;
      const auto piece = std::min(needed, session.sent.size() - 1);
      const auto lag = millis(session.arrived[k] - session.sent[piece]);
      frame_ms.push_back(lag);
      if (lag > frame_millis) ++late;
      if (k > 0) continue;
      first_ms.push_back(lag);
      first_from_begin_ms.push_back(millis(session.arrived[0] - session.begins));
    }
  }
  fmt::print(
      "{{\"utterances\":{},\"over\":{},\"frames\":{},\"frames_expected\":{},"
      "\"frames_late\":{},",
      crowd.sessions().size(), crowd.count(Session::State::over), frames, expected, late);
  const auto three = [](std::string_view name, std::vector<double>& values, std::string_view end) {
    fmt::print("\"{}\":{{\"p50\":{:.2f},\"p99\":{:.2f},\"max\":{:.2f}}}{}", name,
               quantile(values, 0.5), quantile(values, 0.99), quantile(values, 1), end);
  };
  three("first_frame_ms", first_ms, ",");
  three("first_frame_from_begin_ms", first_from_begin_ms, ",");
  three("frame_ms", frame_ms, ",");
  three("client_late_ms", piece_late_ms, "}\n");
  std::fflush(stdout);
}

void tell_sent_away(Crowd& crowd) {
  std::vector<double> told, closed, answered;
  const auto nanos = [](Clock::time_point time) {
    return static_cast<double>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count());
  };
  for (const auto& session : crowd.sessions()) {
    if (session.told) told.push_back(nanos(*session.told));
    if (session.closed) closed.push_back(nanos(*session.closed));
    if (session.answered) answered.push_back(nanos(*session.answered));
  }
  const auto three = [](std::vector<double>& values) {
    return fmt::format("{{\"first\":{:.0f},\"p50\":{:.0f},\"last\":{:.0f}}}", quantile(values, 0),
                       quantile(values, 0.5), quantile(values, 1));
  };
  fmt::print(
      "{{\"told_count\":{},\"closed_count\":{},\"told_ns\":{},\"closed_ns\":{},"
      "\"answered_ns\":{}}}\n",
      told.size(), closed.size(), three(told), three(closed), three(answered));
  std::fflush(stdout);
}

}  // namespace

int main(int argument_count, char** arguments) {
  const std::vector<std::string> words(arguments + 1, arguments + argument_count);
  const bool is_idle = words.size() == 5 && words[0] == "idle";
  const bool is_sent_away = words.size() == 5 && words[0] == "sent-away";
  const bool is_speak = words.size() == 7 && words[0] == "speak";
  if (!is_idle && !is_sent_away && !is_speak) {
    fmt::print(stderr,
               "motion_load idle|sent-away PORT APP AVATAR TOKENS | speak ... PCM RATE_HZ\n");
    return 2;
  }
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  const auto number = [](const std::string& text) {
    int value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  };
  Crowd crowd({.port = static_cast<std::uint16_t>(number(words[1])),
               .app = words[2],
               .avatar = words[3],
               .rate_hz = is_speak ? number(words[6]) : 16000},
              lines_of(words[4]));
  if (!crowd.open()) return 1;
  if (!is_speak) {
    fmt::print("{{\"ready\":{}}}\n", crowd.sessions().size());
    std::fflush(stdout);
  }
  if (is_sent_away) {
    const bool all = crowd.stay_until_sent_away();
    tell_sent_away(crowd);
    return all ? 0 : 1;
  }
  if (is_idle) {
    crowd.stay_until_input_ends();
    return crowd.count(Session::State::ready) == crowd.sessions().size() ? 0 : 1;
  }
  crowd.speak(pieces_of(words[5], number(words[6])));
  tell(crowd);
  return 0;
}
