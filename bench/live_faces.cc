// How many live faces a core holds: live_faces SPEECH.wav CHARACTER SECONDS FACES...
//
// For each number of faces it performs that many at once on one face loop, as the server does, over
// real UDP sockets and in real time, while they speak without a pause, at 720x480. The clients live
// in a process of their own, so that only the server's thread is measured. The first core is the
// loop's, the second the clients'. Each client has its microphone on in a quiet room, so that
// the server decodes sound and listens for a voice all the time.
//
// A line for each number: faces, pictures a second of each, pictures left out of a hundred, packets
// of sound a second of each, the loop's share of its core, ms of processor time a picture for the
// camera, the sound coder and all else; and as the clients saw it: pictures a second, and the
// longest and the 99th percentile of the times between two packets of sound, in ms.
//
// SPDX-License-Identifier: Apache-2.0

#include <poll.h>
#include <sched.h>
#include <sndfile.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <thread>

#include "engines/opus_coder.h"
#include "engines/vp8_camera.h"
#include "engines/webrtc_voice_detector.h"
#include "live/face_loops.h"
#include "live/face_session.h"
#include "media/client_for_test.h"
#include "media/rtp.h"
#include "media/udp_socket_for_test.h"
#include "thread_time.h"

namespace {

using namespace stagedoor;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

[[noreturn]] void fail(const char* words) {
  std::fprintf(stderr, "live_faces: %s\n", words);
  std::exit(1);
}

void stay_on_core(int core) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(core % static_cast<int>(std::thread::hardware_concurrency()), &cores);
  sched_setaffinity(0, sizeof cores, &cores);
}

std::vector<std::int16_t> speech_in(const char* path, std::size_t samples) {
  SF_INFO info{};
  SNDFILE* file = sf_open(path, SFM_READ, &info);
  if (file == nullptr || info.channels != 1 || info.samplerate != 16'000)
    fail("the sound must be a file of 16 kHz mono");
  std::vector<std::int16_t> once(static_cast<std::size_t>(info.frames)), out;
  sf_read_short(file, once.data(), info.frames);
  sf_close(file);
  while (out.size() < samples) out.insert(out.end(), once.begin(), once.end());
  out.resize(samples);
  return out;
}

// Texts between the two processes: their length and they.
class Wire {
 public:
  explicit Wire(int number) : number_(number) {}
  void send(const std::string& text) const {
    const auto length = static_cast<std::uint32_t>(text.size());
    if (write(number_, &length, sizeof length) != sizeof length ||
        write(number_, text.data(), length) != static_cast<ssize_t>(length))
      fail("the other process is gone");
  }
  std::string take() const {
    std::uint32_t length = 0;
    read_all(&length, sizeof length);
    std::string text(length, 0);
    read_all(text.data(), length);
    return text;
  }
  bool has_some() const {
    pollfd one{number_, POLLIN, 0};
    return poll(&one, 1, 0) > 0;
  }

 private:
  void read_all(void* to, std::size_t length) const {
    auto* at = static_cast<char*>(to);
    while (length > 0) {
      const auto got = read(number_, at, length);
      if (got <= 0) fail("the other process is gone");
      at += got;
      length -= static_cast<std::size_t>(got);
    }
  }
  int number_;
};

// The clients' process.

// A second of the soft noise of a quiet room, as packets of 20 ms.
std::vector<media::Buffer> quiet_room() {
  auto encoder = engines::make_opus_encoder();
  if (!encoder) fail("no Opus encoder");
  std::vector<media::Buffer> packets;
  std::uint32_t noise = 1;
  for (int i = 0; i < 50; ++i) {
    std::array<std::int16_t, stage::packet_samples> samples;
    for (auto& sample : samples) {
      noise = noise * 1'664'525 + 1'013'904'223;
      sample = static_cast<std::int16_t>(static_cast<int>(noise >> 26) - 32);
    }
    const auto packet = (*encoder)->packet(samples);
    packets.emplace_back(packet.begin(), packet.end());
  }
  return packets;
}

class Viewer {
 public:
  Viewer(std::uint16_t port, const std::vector<media::Buffer>& room)
      : room_(room),
        socket_(address_, port),
        client_({address_, port},
                [this](media::Bytes bytes, const media::Endpoint&) { socket_.send(bytes); }) {}

  std::string offer() const { return client_.offer(); }
  void begin(std::string_view answer) {
    client_.take_answer(answer);
    client_.check();
    client_.start_dtls();
  }
  void turn(Clock::time_point now) {
    for (auto bytes = socket_.receive(); !bytes.empty(); bytes = socket_.receive())
      client_.on_datagram(bytes);
    for (const auto& packet : client_.rtp) note(packet, now);
    client_.rtp.clear();
    client_.rtcp.clear();
    client_.stun.clear();
    client_.on_tick(now);
    if (hears_) send_sound(now);
    // As browsers do, so that the server knows that somebody is there.
    if (now < checked_at_ + 2s) return;
    client_.check();
    checked_at_ = now;
  }
  void forget() {
    pictures = 0;
    gaps_ms.clear();
    sound_at_.reset();
  }
  int number() const { return socket_.number(); }

  int pictures = 0;
  std::vector<double> gaps_ms;

 private:
  void send_sound(Clock::time_point now) {
    for (; sound_due_ <= now; sound_due_ += 20ms) {
      const auto& opus = room_[sequence_ % room_.size()];
      media::Buffer packet(12);
      media::RtpHeader header;
      header.payload_type = 111;
      header.sequence_number = sequence_++;
      header.timestamp = header.sequence_number * std::uint32_t{960};
      header.source = 7;
      media::write_rtp_header(packet, header);
      packet.insert(packet.end(), opus.begin(), opus.end());
      client_.send_rtp(std::move(packet));
    }
  }

  void note(const media::Buffer& bytes, Clock::time_point now) {
    const auto packet = media::read_rtp(bytes);
    if (!packet) return;
    if (!std::exchange(hears_, true)) sound_due_ = now;
    if (packet->header.payload_type == 96) {
      pictures += packet->header.is_last_of_picture ? 1 : 0;
      return;
    }
    if (sound_at_)
      gaps_ms.push_back(std::chrono::duration<double, std::milli>(now - *sound_at_).count());
    sound_at_ = now;
  }

  const std::vector<media::Buffer>& room_;
  base::Address address_ = *base::parse_address("127.0.0.1");
  media::UdpSocket socket_;
  media::TestClient client_;
  std::uint16_t sequence_ = 0;
  bool hears_ = false;  // so it is connected
  Clock::time_point checked_at_ = Clock::now(), sound_due_ = Clock::now();
  std::optional<Clock::time_point> sound_at_;
};

// Turns the viewers until the server's process says the next thing.
std::string watch(std::vector<std::unique_ptr<Viewer>>& viewers, const Wire& wire) {
  std::vector<pollfd> sockets;
  for (const auto& viewer : viewers) sockets.push_back({viewer->number(), POLLIN, 0});
  while (!wire.has_some()) {
    poll(sockets.data(), sockets.size(), 5);
    const auto now = Clock::now();
    for (const auto& viewer : viewers) viewer->turn(now);
  }
  return wire.take();
}

void view(const Wire& wire, std::uint16_t port, std::size_t faces) {
  media::test_stack();  // before the first client needs what it starts
  const auto room = quiet_room();
  std::vector<std::unique_ptr<Viewer>> viewers;
  for (std::size_t i = 0; i < faces; ++i) {
    auto& viewer = *viewers.emplace_back(std::make_unique<Viewer>(port, room));
    wire.send(viewer.offer());
    viewer.begin(watch(viewers, wire));
  }
  watch(viewers, wire);  // "begin"
  for (const auto& viewer : viewers) viewer->forget();
  const auto began = Clock::now();
  watch(viewers, wire);  // "end"
  const auto seconds = std::chrono::duration<double>(Clock::now() - began).count();
  int pictures = 0;
  std::vector<double> gaps;
  for (const auto& viewer : viewers) {
    pictures += viewer->pictures;
    gaps.insert(gaps.end(), viewer->gaps_ms.begin(), viewer->gaps_ms.end());
  }
  std::ranges::sort(gaps);
  char text[100] = "0 0 0";
  if (!gaps.empty())
    std::snprintf(text, sizeof text, "%.2f %.1f %.1f",
                  pictures / seconds / static_cast<double>(faces), gaps.back(),
                  gaps[gaps.size() * 99 / 100]);
  wire.send(text);
}

// The server's.

struct Spent {
  double camera = 0, sound = 0;  // seconds of the loop's thread
};

class TimedCamera : public stage::Camera {
 public:
  TimedCamera(std::unique_ptr<stage::Camera> camera, Spent& spent)
      : camera_(std::move(camera)), spent_(spent) {}
  std::span<const std::uint8_t> picture(const stage::Face& face, std::int64_t number,
                                        stage::KeyFrame key) override {
    const double begin = bench::thread_seconds();
    const auto frame = camera_->picture(face, number, key);
    spent_.camera += bench::thread_seconds() - begin;
    return frame;
  }
  void set_kilobits_per_second(int kilobits) override {
    camera_->set_kilobits_per_second(kilobits);
  }

 private:
  std::unique_ptr<stage::Camera> camera_;
  Spent& spent_;
};

class TimedEncoder : public stage::SoundEncoder {
 public:
  TimedEncoder(std::unique_ptr<stage::SoundEncoder> encoder, Spent& spent)
      : encoder_(std::move(encoder)), spent_(spent) {}
  std::span<const std::uint8_t> packet(
      std::span<const std::int16_t, stage::packet_samples> samples) override {
    const double begin = bench::thread_seconds();
    const auto packet = encoder_->packet(samples);
    spent_.sound += bench::thread_seconds() - begin;
    return packet;
  }
  void set_loss(float share) override { encoder_->set_loss(share); }

 private:
  std::unique_ptr<stage::SoundEncoder> encoder_;
  Spent& spent_;
};

class Mute : public stage::Speech {
 public:
  std::unique_ptr<stage::Job> speak(stage::SpeechRequest, stage::SpeechSink) override {
    return std::make_unique<stage::Job>();
  }
  bool can_speak(const std::string&, const std::string&) const override { return true; }
};

class Door : public live::FaceSessionListener {
 public:
  void connected() override { is_connected = true; }
  void channel_open() override {}
  void message(std::string_view) override {}
  void message_refused() override {}
  void lost(media::LostReason) override { fail("a session was lost"); }
  void speech_text(const stage::SpokenText&) override {}
  void reasoning_text(const stage::SpokenText&) override {}
  void user_speech_started(const std::string&) override {}
  void user_speech_ended(const std::string&) override {}
  void tool_call_started(const stage::ToolCallNotice&) override {}
  void tool_call_completed(const stage::ToolCallNotice&) override {}
  void tool_call_failed(const stage::ToolCallNotice&) override {}
  void talk_stream_interrupted(const std::string&) override {}
  void warning(const std::string&) override {}
  void ended(stage::EndReason) override {}

  std::atomic<bool> is_connected = false;
};

class Theatre {
 public:
  Theatre(const char* character, std::vector<std::int16_t> speech)
      : character_(character), speech_(std::move(speech)) {
    live::FaceLoops::Options options;
    options.threads = 1;
    options.port.bind_address = *base::parse_address("127.0.0.1");
    stay_on_core(0);  // and the thread that it starts
    loops_ = live::FaceLoops::open(options, random_, clock_).value();
  }
  ~Theatre() {
    on_loop([this] { sessions_.clear(); });
    loops_->stop();
  }

  std::uint16_t port() {
    places_.push_back(loops_->enter().value());
    return places_.front().loop().port().port();
  }
  std::string open(const std::string& offer) {
    doors_.push_back(std::make_unique<Door>());
    std::string answer;
    on_loop([&] {
      stage::ConversationSettings settings;
      settings.greeting = stage::ConversationSettings::Greeting::skipped;
      settings.words = stage::ConversationSettings::Words::sound;
      settings.seed = doors_.size();
      auto session = live::FaceSession::make(
          parts(),
          {.conversation = std::move(settings), .character = character_, .size = {720, 480}},
          places_.front().loop(), *doors_.back());
      if (!session) fail(session.error().detail.c_str());
      answer = (*session)->answer(offer).value();
      sessions_.push_back(*std::move(session));
    });
    return answer;
  }
  void perform() {
    for (const auto& door : doors_)
      for (int i = 0; !door->is_connected; ++i) {
        if (i > 1000) fail("a client did not connect");
        std::this_thread::sleep_for(10ms);
      }
    on_loop([this] {
      // Each begins elsewhere in the speech, so that not all mouths open at once.
      for (std::size_t i = 0; i < sessions_.size(); ++i) {
        auto samples = speech_;
        std::ranges::rotate(
            samples, samples.begin() + static_cast<std::ptrdiff_t>(i * 9'000 % samples.size()));
        sessions_[i]->conversation().play_sound(samples, 16'000);
        sessions_[i]->conversation().end_sound();
      }
    });
  }
  struct State {
    double at, busy, camera, sound;
    std::uint64_t pictures, left_out, sounds;
  };
  State state() {
    State now{};
    on_loop([&] {
      now = {std::chrono::duration<double>(Clock::now().time_since_epoch()).count(),
             bench::thread_seconds(),
             spent_.camera,
             spent_.sound,
             counts_.pictures,
             counts_.pictures_left_out,
             counts_.sound_packets};
    });
    return now;
  }

 private:
  template <class Step>
  void on_loop(Step step) {
    std::promise<void> done;
    places_.front().loop().mailbox()->post([&] {
      step();
      done.set_value();
    });
    done.get_future().wait();
  }
  live::FaceSession::Parts parts() {
    return {.speech = mute_,
            .voice_detector = [] { return std::make_unique<engines::WebRtcVoiceDetector>(); },
            .camera = [this](std::string_view character, const stage::CameraOptions& options)
                -> base::Result<std::unique_ptr<stage::Camera>> {
              auto camera = engines::Vp8Camera::create(character, options);
              if (!camera) return camera;
              return std::make_unique<TimedCamera>(*std::move(camera), spent_);
            },
            .sound_encoder = [this]() -> base::Result<std::unique_ptr<stage::SoundEncoder>> {
              auto encoder = engines::make_opus_encoder();
              if (!encoder) return encoder;
              return std::make_unique<TimedEncoder>(*std::move(encoder), spent_);
            },
            .sound_decoder = &engines::make_opus_decoder,
            .clock = clock_,
            .random = random_,
            .counts = counts_};
  }

  std::string character_;
  std::vector<std::int16_t> speech_;
  crypto::SystemRandom random_;
  base::SystemClock clock_;
  Mute mute_;
  Spent spent_;
  live::FaceCounts counts_;
  std::unique_ptr<live::FaceLoops> loops_;
  std::vector<live::FacePlace> places_;
  std::vector<std::unique_ptr<Door>> doors_;
  std::vector<std::unique_ptr<live::FaceSession>> sessions_;
};

void measure(const char* character, const std::vector<std::int16_t>& speech, int seconds,
             std::size_t faces) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) fail("no socket pair");
  const Wire ours(ends[0]), theirs(ends[1]);
  const auto clients = fork();
  if (clients == 0) {
    stay_on_core(1);
    view(theirs, static_cast<std::uint16_t>(std::stoi(theirs.take())), faces);
    std::_Exit(0);
  }
  Theatre theatre(character, speech);
  ours.send(std::to_string(theatre.port()));
  for (std::size_t i = 0; i < faces; ++i) ours.send(theatre.open(ours.take()));
  theatre.perform();
  std::this_thread::sleep_for(2s);
  ours.send("begin");
  const auto before = theatre.state();
  std::this_thread::sleep_for(std::chrono::seconds(seconds));
  const auto after = theatre.state();
  ours.send("end");
  const auto seen = ours.take();
  waitpid(clients, nullptr, 0);
  close(ends[0]);
  close(ends[1]);
  const double time = after.at - before.at, each = time * static_cast<double>(faces);
  const auto pictures = static_cast<double>(after.pictures - before.pictures);
  const auto left_out = static_cast<double>(after.left_out - before.left_out);
  const double camera = after.camera - before.camera, sound = after.sound - before.sound;
  const double busy = after.busy - before.busy;
  std::printf("%zu %.2f %.1f %.2f %.2f %.2f %.2f %.2f %s\n", faces, pictures / each,
              100 * left_out / (pictures + left_out),
              static_cast<double>(after.sounds - before.sounds) / each, busy / time,
              1000 * camera / pictures, 1000 * sound / pictures,
              1000 * (busy - camera - sound) / pictures, seen.c_str());
  std::fflush(stdout);
}

}  // namespace

int main(int argument_count, char** arguments) {
  if (argument_count < 5) return 2;
  const int seconds = std::atoi(arguments[3]);
  const auto speech =
      speech_in(arguments[1], static_cast<std::size_t>(seconds + 10) * std::size_t{16'000});
  // Each in a process of its own: the libraries of the media are one per process.
  for (int i = 4; i < argument_count; ++i) {
    const auto one = fork();
    if (one == 0) {
      measure(arguments[2], speech, seconds, static_cast<std::size_t>(std::atoi(arguments[i])));
      std::_Exit(0);
    }
    int status = 0;
    waitpid(one, &status, 0);
    if (status != 0) return 1;
  }
  return 0;
}
