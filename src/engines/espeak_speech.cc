// SPDX-License-Identifier: Apache-2.0

#include "engines/espeak_speech.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <functional>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engines/wav_stream.h"
#include "engines/worker_pool.h"

namespace stagedoor::engines {
namespace {

using base::ErrorCode;
using Clock = std::chrono::steady_clock;

constexpr double words_per_minute = 165;
constexpr std::size_t sound_bytes_max = 22050 * 2 * 180;
constexpr std::size_t voice_bytes_max = 32;

std::unexpected<base::Error> trouble(ErrorCode code, std::string detail) {
  return base::fail(code, "espeak-ng: " + std::move(detail));
}

// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(); }
  void close() {
    if (number_ >= 0) ::close(std::exchange(number_, -1));
  }
  int number() const { return number_; }

 private:
  int number_;
};

// The form of a voice's name: it is an argument, so it must not look like an option or a path.
bool is_voice(std::string_view name) {
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  return !name.empty() && name.size() <= voice_bytes_max && is_letter(name.front()) &&
         std::ranges::all_of(name, [&](char c) {
           return is_letter(c) || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                  c == '+' || c == '_';
         });
}

// Starts the program with `input` as its standard input and `output` as its standard output, and
// nothing else of ours.
base::Result<pid_t> spawn(const std::string& program, const std::vector<std::string>& arguments,
                          int input, int output) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  sigset_t none, all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::vector<char*> argv;
  for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  std::array<char*, 2> environment = {const_cast<char*>("LANG=C.UTF-8"), nullptr};
  pid_t process = 0;
  const int failed = ::posix_spawn(&process, program.c_str(), &actions, &attributes, argv.data(),
                                   environment.data());
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (failed != 0) return trouble(ErrorCode::unavailable, "it can't be started");
  return process;
}

// One run of the program. Its process is gone when this is.
class Run {
 public:
  explicit Run(Clock::time_point deadline, std::stop_token token)
      : deadline_(deadline),
        wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        on_stop_(std::move(token), [this] { ::eventfd_write(wake_.number(), 1); }) {}
  ~Run() {
    if (process_ <= 0) return;
    ::kill(process_, SIGKILL);
    reap();
  }

  base::Result<base::Done> start(const std::string& program,
                                 const std::vector<std::string>& arguments, std::string_view text) {
    // A socket for the text, so that a program that does not read it raises no signal.
    std::array<int, 2> input{}, output{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, input.data()) != 0)
      return trouble(ErrorCode::unavailable, "no socket");
    Descriptor text_end(input[0]), their_input(input[1]);
    if (::pipe2(output.data(), O_CLOEXEC) != 0) return trouble(ErrorCode::unavailable, "no pipe");
    sound_ = std::make_unique<Descriptor>(output[0]);
    Descriptor their_output(output[1]);
    const auto process = spawn(program, arguments, their_input.number(), their_output.number());
    if (!process) return base::fail(process.error());
    process_ = *process;
    // The text is smaller than the socket's buffer, so this never waits.
    const auto sent = ::send(text_end.number(), text.data(), text.size(), MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(text.size())) return trouble(ErrorCode::unavailable, "text");
    return base::Done{};
  }

  // The next bytes; none at the end. `unavailable` when it takes too long or was cancelled.
  base::Result<std::size_t> read(std::span<char> buffer) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - Clock::now());
    std::array<pollfd, 2> ready = {{{.fd = sound_->number(), .events = POLLIN, .revents = 0},
                                    {.fd = wake_.number(), .events = POLLIN, .revents = 0}}};
    const int woken =
        ::poll(ready.data(), ready.size(), static_cast<int>(std::max(left.count(), 0L)));
    if (woken <= 0 || ready[1].revents != 0) return trouble(ErrorCode::unavailable, "too late");
    const auto count = ::read(sound_->number(), buffer.data(), buffer.size());
    if (count < 0) return trouble(ErrorCode::unavailable, "no sound");
    return static_cast<std::size_t>(count);
  }

  // How it ended, after its output has; one that goes on for no reason is killed.
  int reap_in_time() {
    const Descriptor ending(static_cast<int>(::syscall(SYS_pidfd_open, process_, 0)));
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - Clock::now());
    pollfd ended{.fd = ending.number(), .events = POLLIN, .revents = 0};
    const int woken =
        ending.number() < 0 ? 0 : ::poll(&ended, 1, static_cast<int>(std::max(left.count(), 0L)));
    if (woken <= 0) ::kill(process_, SIGKILL);
    return reap();
  }

 private:
  int reap() {
    int status = 0;
    while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
    }
    process_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  Clock::time_point deadline_;
  Descriptor wake_;
  std::unique_ptr<Descriptor> sound_;
  pid_t process_ = 0;
  std::stop_callback<std::function<void()>> on_stop_;
};

std::string next_word(std::string_view& line) {
  const auto begin = line.find_first_not_of(" ()");
  if (begin == line.npos) return {};
  const auto end = std::min(line.find_first_of(" ()", begin), line.size());
  std::string word(line.substr(begin, end - begin));
  line.remove_prefix(end);
  return word;
}

// "--/M", "F": how its table tells who is heard.
stage::SpeechVoice::Gender gender_of(std::string_view text) {
  using Gender = stage::SpeechVoice::Gender;
  if (text.ends_with('M')) return Gender::male;
  return text.ends_with('F') ? Gender::female : Gender::neutral;
}

// The program's table of voices as it prints it; empty where it is absent.
std::string printed_table(const std::string& program) {
  std::string table;
  Run run(Clock::now() + std::chrono::seconds(3), {});
  if (!run.start(program, {"espeak-ng", "--voices"}, "")) return table;
  std::array<char, 8192> buffer;
  for (auto count = run.read(buffer); count && *count > 0; count = run.read(buffer)) {
    if (table.size() > (1u << 20)) break;
    table.append(buffer.data(), *count);
  }
  return table;
}

struct Wish {
  stage::SpeechRequest request;
  std::string program, voice;
  std::chrono::milliseconds timeout;
};

std::vector<std::string> arguments_for(const Wish& wish) {
  const auto speed = std::clamp(wish.request.speed, 0.5, 2.0);
  return {"espeak-ng", "--stdin", "--stdout",
          "-b",        "1",       "-v",
          wish.voice,  "-s",      std::to_string(std::lround(words_per_minute * speed))};
}

// Passes sound on as it comes; what it returns is the last event.
base::Result<base::Done> play(const Wish& wish, const std::stop_token& token,
                              const stage::SpeechSink& sink) {
  Run run(Clock::now() + wish.timeout, token);
  if (const auto started = run.start(wish.program, arguments_for(wish), wish.request.text);
      !started)
    return started;
  WavStream wav;
  std::array<char, 8192> buffer;
  std::size_t total = 0;
  for (;;) {
    const auto count = run.read(buffer);
    if (!count) return base::fail(count.error());
    if (*count == 0) break;
    if ((total += *count) > sound_bytes_max)
      return trouble(ErrorCode::unavailable, "too much sound");
    stage::SpeechChunk chunk;
    if (const auto read = wav.push({buffer.data(), *count}, chunk.samples); !read) return read;
    chunk.rate_hz = wav.rate_hz();
    if (chunk.samples.empty()) continue;
    if (token.stop_requested()) return base::Done{};
    sink(std::move(chunk));
  }
  // It says nothing but its status about a voice that it hasn't.
  if (run.reap_in_time() != 0) return trouble(ErrorCode::unsupported, "voice " + wish.voice);
  return base::Done{};
}

}  // namespace

EspeakSpeech::Table EspeakSpeech::table_of(const std::string& program) {
  Table table;
  const auto printed = printed_table(program);
  std::string_view left = printed;
  while (!left.empty()) {
    auto line = left.substr(0, left.find('\n'));
    left.remove_prefix(std::min(line.size() + 1, left.size()));
    next_word(line);  // Its place among the voices.
    const auto language = next_word(line);
    if (!is_voice(language) || language == "Language") continue;
    const auto gender = gender_of(next_word(line));
    auto title = next_word(line);
    std::ranges::replace(title, '_', ' ');
    if (std::ranges::find(table.voices, language, &stage::SpeechVoice::name) == table.voices.end())
      table.voices.push_back(
          {.name = language, .title = std::move(title), .language = language, .gender = gender});
    table.languages.insert(language);
    table.languages.insert(language.substr(0, language.find('-')));
    next_word(line);  // Its file.
    for (auto word = next_word(line); !word.empty(); word = next_word(line))
      if (is_voice(word)) table.languages.insert(word);
  }
  return table;
}

EspeakSpeech::EspeakSpeech(Options options)
    : options_(std::move(options)),
      table_(table_of(options_.program)),
      pool_(std::make_unique<WorkerPool>(options_.processes_max, options_.waiting_max)) {}
EspeakSpeech::~EspeakSpeech() = default;

bool EspeakSpeech::can_speak(const std::string& voice, const std::string& language) const {
  const auto is_known = [this](const std::string& name) {
    return table_.languages.contains(name.substr(0, name.find('+')));
  };
  return !table_.languages.empty() && (voice.empty() || (is_voice(voice) && is_known(voice))) &&
         (language.empty() || is_known(language));
}

std::unique_ptr<stage::Job> EspeakSpeech::speak(stage::SpeechRequest request,
                                                stage::SpeechSink sink) {
  auto job = std::make_unique<StoppableJob>();
  if (!can_speak(request.voice, request.language)) {
    sink(base::Error{ErrorCode::unsupported, "espeak-ng: voice or language", {}});
    return job;
  }
  if (request.text.size() > stage::speech_text_bytes_max) {
    sink(base::Error{ErrorCode::malformed, "espeak-ng: text", {}});
    return job;
  }
  auto voice = !request.voice.empty()      ? request.voice
               : !request.language.empty() ? request.language
                                           : options_.default_language;
  Wish wish{.request = std::move(request),
            .program = options_.program,
            .voice = std::move(voice),
            .timeout = options_.timeout};
  if (!pool_->submit([wish = std::move(wish), token = job->token(), sink] {
        if (token.stop_requested()) return;
        const auto played = play(wish, token, sink);
        if (token.stop_requested()) return;
        if (played) return sink(stage::SpeechEnd{});
        sink(played.error());
      })) {
    sink(base::Error{ErrorCode::rate_limited, "espeak-ng: too many wait", {}});
  }
  return job;
}

}  // namespace stagedoor::engines
