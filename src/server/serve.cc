#include "server/serve.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <google/protobuf/stubs/logging.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <thread>

#include "api/apps.h"
#include "api/end_users.h"
#include "api/health.h"
#include "api/page.h"
#include "api/problem.h"
#include "api/problem_pages.h"
#include "api/share_page.h"
#include "http/listener.h"
#include "server/anam_door.h"
#include "server/audio_inputs.h"
#include "server/avatarium_door.h"
#include "server/bookkeeping.h"
#include "server/complain.h"
#include "server/json_log.h"
#include "server/key_office.h"
#include "server/live_stage.h"
#include "server/local_accounts.h"
#include "server/reception.h"
#include "server/room_services.h"
#include "server/session_office.h"
#include "server/shared_avatars.h"
#include "spatius/admission.h"
#include "spatius/avatars.h"
#include "spatius/error_reply.h"
#include "spatius/session_tokens.h"
#include "store/secret_file.h"

namespace stagedoor::server {
namespace {

using http::Handler;
using http::Request;
using http::Response;

// Two servers on one data folder would each believe that they alone count the live sessions.
class FolderLock {
 public:
  explicit FolderLock(const std::string& path)
      : file_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {}
  ~FolderLock() {
    if (file_ >= 0) ::close(file_);
  }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  bool take() const { return file_ >= 0 && ::flock(file_, LOCK_EX | LOCK_NB) == 0; }

 private:
  int file_;
};

void raise_open_files_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

api::Page::OpenTo open_to(const std::string& name) {
  if (name == "everyone") return api::Page::OpenTo::everyone;
  return name == "nobody" ? api::Page::OpenTo::nobody : api::Page::OpenTo::loopback;
}

// `forbidden` where others can read the page's key. Only the default file may be absent: then the
// page opens no sessions.
base::Result<api::Page::Options> page_options(const ServeOptions& options) {
  const auto& config = options.config;
  const auto& folder = options.folder;
  const bool is_default = config.page_api_key_file.empty();
  const auto key_file = is_default ? folder.page_key() : config.page_api_key_file;
  base::Secret key;
  if (!is_default || std::filesystem::exists(key_file)) {
    auto read = store::read_private_line(key_file);
    if (!read) return base::fail(read.error());
    key = *std::move(read);
  }
  // A public address means a proxy, and a proxy on this machine makes everybody look local.
  const bool is_public = !config.public_url.empty() && config.page_open_to == "loopback";
  return api::Page::Options{
      .open_to = is_public ? api::Page::OpenTo::nobody : open_to(config.page_open_to),
      .api_key = std::move(key),
      .avatar_id = first_avatar(folder).value_or(""),
      .region = config.region,
      .sample_file = config.page_sample_file.empty() ? folder.sample() : config.page_sample_file};
}

// Everything that serves, in the order in which it is built; it ends in the opposite order.
class Server {
 public:
  Server(const ServeOptions& options, api::Page::Options page, Workspace& workspace, JsonLog& log)
      : options_(options),
        workspace_(workspace),
        log_(log),
        reception_(workspace, options.config, log),
        office_({.workspace = workspace,
                 .audit = reception_.audit(),
                 .log = log,
                 .is_stopping = is_stopping_},
                options.config),
        motion_sessions_(
            {.sessions = office_.sessions(),
             .clock = workspace.clock,
             .log = log,
             .audio_input = audio_inputs(),
             .counts = motion_counts_,
             .must_end =
                 [this](const rules::LiveSession& session) { return office_.must_end(session); }},
            {.configure_within = options.config.configure_within,
             .message_bytes_max = options.config.message_bytes_max,
             .message_memory = &message_memory_}),
        admission_({.admit = office_.admit(),
                    .sessions = motion_sessions_,
                    .log = log,
                    .is_stopping = is_stopping_}),
        session_tokens_({.mint = *workspace.mint, .log = log}),
        page_({.admit = reception_.admit(), .mint = *workspace.mint, .clock = workspace.clock},
              std::move(page)) {}

  // The writer first: redemptions that still wait hold places among the live sessions here.
  ~Server() {
    if (live_stage_) live_stage_->stop();
    office_.close();
    books_.close();
  }

  base::Result<base::Done> open();
  std::string address() const;
  std::string public_url() const;
  void run() { listener_->run(); }
  const http::Router& router() const { return router_; }
  void stop();

 private:
  std::string why_not_ready() const {
    return is_stopping_.load() ? std::string("shutting down")
                               : std::string(workspace_.writer->why_not_writing());
  }
  void add_routes();
  void add_spatius(http::Router& router);
  std::vector<api::Gauge> gauges();
  void observe(const http::RequestRecord& record);

  const ServeOptions& options_;
  Workspace& workspace_;
  JsonLog& log_;
  Reception reception_;
  std::atomic<bool> is_stopping_ = false;
  spatius::MotionCounts motion_counts_;
  api::RequestCounts requests_;
  SessionOffice office_;
  http::MemoryBudget message_memory_{options_.config.message_memory_max};
  spatius::MotionSessions motion_sessions_;
  spatius::Admission admission_;
  std::unique_ptr<KeyOffice> keys_;
  api::Apps apps_{
      {.keep = *workspace_.keep_app, .minutes = workspace_.minutes, .clock = workspace_.clock}};
  api::EndUsers end_users_{*workspace_.keep_end_user_limit};
  spatius::SessionTokens session_tokens_;
  std::unique_ptr<LiveStage> live_stage_;
  std::optional<spatius::Avatars> avatars_;
  std::optional<AvatariumDoor> avatarium_;
  std::optional<AnamDoor> anam_;
  std::unique_ptr<RoomServices> room_services_;
  std::optional<LocalAccounts> accounts_;
  api::Page page_;
  std::optional<api::Health> health_;
  http::Router router_;
  std::unique_ptr<http::Listener> listener_;
  Bookkeeping books_{workspace_, log_};
};

base::Result<base::Done> Server::open() {
  auto address = parse_address(options_.config.listen);
  if (!address) return base::fail(address.error());
  auto options = options_.config.http;
  options.address = address->host;
  options.port = address->port;
  options.secrets_in_target.path_prefixes = {std::string(anam::engine_path)};
  options.secrets_in_target.query_names = {
      "sessionKey",   "session_key",   "sessionToken", "session_token", "token",
      "access_token", "apiKey",        "api_key",      "key",           "X-Session-Key",
      "X-Api-Key",    "authorization", "clientNonce"};
  auto listener = http::Listener::open(
      std::move(options), router_, [this](const http::RequestRecord& record) { observe(record); });
  if (!listener) return base::fail(listener.error());
  listener_ = *std::move(listener);
  avatarium_.emplace(workspace_, reception_, public_url(), [this] { return why_not_ready(); });
  anam_.emplace(workspace_, reception_, office_.sessions(), log_, public_url());
  avatars_.emplace(spatius::Avatars::Parts{.catalog = *workspace_.catalog},
                   spatius::Avatars::Options{.public_url = public_url()});
  auto keys = KeyOffice::open(workspace_, reception_.admit(), options_.config);
  if (!keys) return base::fail(keys.error());
  keys_ = *std::move(keys);
  auto first = first_workspace(options_.folder);
  if (!first) return base::fail(first.error());
  auto room_services =
      RoomServices::open(options_.config, {.catalog = *workspace_.catalog,
                                           .records = *workspace_.key_records,
                                           .limit_end_user = *workspace_.limit_end_user,
                                           .minutes = workspace_.minutes,
                                           .clock = workspace_.clock,
                                           .random = workspace_.random,
                                           .first_workspace_id = *first});
  if (!room_services) return base::fail(room_services.error());
  room_services_ = *std::move(room_services);
  accounts_.emplace(workspace_, options_.config, reception_, public_url());
  auto live_stage = LiveStage::open({.workspace = workspace_,
                                     .reception = reception_,
                                     .office = office_,
                                     .mint = *workspace_.mint_persona,
                                     .message_memory = message_memory_,
                                     .log = log_,
                                     .is_stopping = is_stopping_},
                                    options_.config);
  if (!live_stage) return base::fail(live_stage.error());
  live_stage_ = *std::move(live_stage);
  health_.emplace(api::Health::Parts{.requests = requests_,
                                     .gauges = gauges(),
                                     .why_not_ready = [this] { return why_not_ready(); },
                                     .region = options_.config.region,
                                     .version = STAGEDOOR_VERSION});
  add_routes();
  return office_.open();
}

std::string Server::address() const {
  const auto host = parse_address(options_.config.listen)->host;
  const auto port = std::to_string(listener_->port());
  return (host.find(':') == host.npos ? host : "[" + host + "]") + ":" + port;
}

std::string Server::public_url() const {
  const auto& url = options_.config.public_url;
  return url.empty() ? "http://" + address() : url;
}

void Server::add_spatius(http::Router& router) {
  const auto console = [](Response& response, int status, std::string_view what) {
    spatius::reply_console(response, status, what);
  };
  router.errors("/v1/console/", console);
  router.errors("/v2/character/", console);
  router.errors("/v2/driveningress/", [](Response& response, int status, std::string_view what) {
    spatius::reply_upgrade(response, status, what);
  });
  router.add({"POST", "/v1/console/session-tokens",
              reception_.console().quick_for_keys(
                  rules::Permission::tokens_mint,
                  [this](const rules::Caller& caller, const Request& in, Response& out) {
                    session_tokens_(caller, in, out);
                  })});
  using Method = void (spatius::Avatars::*)(const Request&, Response&) const;
  const auto add_public = [&](const std::string& pattern, Method method) {
    router.add({"GET", pattern, Handler([this, method](const Request& in, Response& out) {
                  ((*avatars_).*method)(in, out);
                })});
    router.add({"OPTIONS", pattern, Handler(&spatius::Avatars::preflight)});
  };
  add_public("/v2/character/{id}", &spatius::Avatars::metadata);
  add_public("/v2/character/{id}/camera", &spatius::Avatars::camera);
  add_public("/v2/character/{id}/idle", &spatius::Avatars::idle_animation);
  router.add({"GET", "/v2/driveningress/websocket",
              http::UpgradeHandler([this](const Request& in, http::Upgrade& upgrade) {
                return admission_(in, upgrade);
              })});
}

void Server::add_routes() {
  router_.errors("/", [](Response& response, int status, std::string_view what) {
    api::reply_problem(response, status, what);
  });
  router_.add({"GET", "/healthz",
               Handler([this](const Request& in, Response& out) { health_->alive(in, out); })});
  router_.add({"GET", "/readyz",
               Handler([this](const Request& in, Response& out) { health_->ready(in, out); })});
  router_.add({"GET", "/metrics",
               Handler([this](const Request& in, Response& out) { health_->metrics(in, out); })});
  api::add_problem_pages(router_);
  add_spatius(router_);
  anam_->add_to(router_);
  live_stage_->add_to(router_);
  avatarium_->add_to(router_);
  add_shared_avatars(router_, *anam_, *avatarium_);
  keys_->add_to(router_, reception_.api());
  apps_.add_to(router_, reception_.api());
  end_users_.add_to(router_, reception_.api());
  page_.add_to(router_);
  api::add_share_page(router_);
  office_.add_to(router_, reception_.api());
  books_.add_to(router_, reception_.api(), reception_.shared_api());
  room_services_->add_to(router_, reception_.api());
  accounts_->add_to(router_, reception_.api());
  for (const auto& route : router_.routes()) requests_.add_route(route.pattern);
}

std::vector<api::Gauge> Server::gauges() {
  using Kind = api::Gauge::Kind;
  const auto counter = [](std::string name, std::string help,
                          const std::atomic<std::uint64_t>& value) {
    return api::Gauge{"stagedoor_" + name, std::move(help), Kind::counter,
                      [&value] { return static_cast<double>(value.load()); }};
  };
  const auto gauge = [](std::string name, std::string help, std::function<double()> read) {
    return api::Gauge{"stagedoor_" + name, std::move(help), Kind::gauge, std::move(read)};
  };
  std::vector<api::Gauge> all = {
      counter("sessions_total", "Live sessions begun.", motion_counts_.sessions_begun),
      counter("utterances_total", "Utterances begun.", motion_counts_.utterances),
      counter("motion_frames_total", "Frames of motion made.", motion_counts_.frames),
      counter("audio_milliseconds_total", "Sound heard.", motion_counts_.audio_millis),
      counter("session_errors_total", "ServerErrors sent to clients.", motion_counts_.errors),
      {"stagedoor_log_lines_lost_total", "Log lines given up.", Kind::counter,
       [this] { return static_cast<double>(log_.lines_lost()); }},
      gauge("live_sessions", "Live sessions now.",
            [this] { return static_cast<double>(office_.sessions().count()); }),
      gauge("api_keys", "API keys that are good.",
            [this] { return static_cast<double>(workspace_.keys->count()); }),
      gauge("connections", "Open connections.",
            [this] { return static_cast<double>(listener_->counts().connections); }),
      gauge("websockets", "Open WebSockets.",
            [this] { return static_cast<double>(listener_->counts().websockets); }),
  };
  std::ranges::move(reception_.gauges(), std::back_inserter(all));
  if (live_stage_) std::ranges::move(live_stage_->gauges(), std::back_inserter(all));
  return all;
}

void Server::observe(const http::RequestRecord& record) {
  requests_.count(record);
  const auto level = record.status >= 500   ? base::LogLevel::error
                     : record.status >= 400 ? base::LogLevel::info
                                            : base::LogLevel::debug;
  if (!log_.writes(level)) return;
  log_.write(level, "http.request",
             {{"request_id", record.request_id},
              {"method", record.method},
              {"route", record.route},
              {"target", record.target},
              {"peer", record.peer},
              {"status", record.status},
              {"micros", record.took.count() / 1000},
              {"bytes_in", record.body_bytes_in},
              {"bytes_out", record.body_bytes_out}});
}

void Server::stop() {
  is_stopping_ = true;
  const auto sessions = office_.sessions().end_where([](const rules::LiveSession&) { return true; },
                                                     rules::SessionEnd::shutting_down);
  log_.write(base::LogLevel::info, "server.stopping", {{"live_sessions", sessions}});
  listener_->stop(options_.config.shutdown_grace);
}

// The first signal asks the server to stop; a second one ends the process at once. Ended by
// `end_waiting`.
class SignalWaiter {
 public:
  SignalWaiter(Server& server, const sigset_t& signals)
      : thread_([this, &server, signals] { wait(server, signals); }) {}

  void end_waiting() {
    has_ended_ = true;
    ::pthread_kill(thread_.native_handle(), SIGUSR2);
    thread_.join();
  }

 private:
  void wait(Server& server, const sigset_t& signals) {
    for (bool is_stopping = false;;) {
      int number = 0;
      ::sigwait(&signals, &number);
      if (has_ended_) return;
      if (number == SIGUSR2) continue;
      if (is_stopping) ::_exit(130);
      is_stopping = true;
      server.stop();
    }
  }

  std::atomic<bool> has_ended_ = false;
  std::thread thread_;
};

sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGTERM, SIGINT, SIGUSR2}) sigaddset(&signals, number);
  // Before any thread starts, so that all of them leave these to the one that waits.
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return signals;
}

void announce(const ServeOptions& options, const std::string& address) {
  if (options.json) {
    fmt::print("{{\"listening\":\"{}\"}}\n", address);
  } else {
    fmt::print("stagedoor listens on {}\nOpen http://{}/ in a browser to see it speak.\n", address,
               address);
  }
  std::fflush(stdout);
}

}  // namespace

int serve(const ServeOptions& options) {
  const auto signals = block_signals();
  // Neither a core dump nor a debugger of the same user shall see the keys.
  ::prctl(PR_SET_DUMPABLE, 0);
  raise_open_files_limit();
  // It would write what strangers send to standard error, past our log.
  google::protobuf::SetLogHandler(nullptr);

  auto workspace = Workspace::open(options.folder, options.config);
  if (!workspace) return complain(workspace.error());
  const FolderLock lock(options.folder.lock());
  if (!lock.take())
    return complain({base::ErrorCode::unavailable, "locked",
                     "Another stagedoor serves " + options.folder.path + " already."});
  JsonLog log((*workspace)->clock, log_level_of(options.config.log_level));
  auto page = page_options(options);
  if (!page) return complain(page.error());
  Server server(options, *std::move(page), **workspace, log);
  if (auto opened = server.open(); !opened) return complain(opened.error());
  announce(options, server.address());
  log.write(base::LogLevel::info, "server.listening",
            {{"address", server.address()},
             {"version", STAGEDOOR_VERSION},
             {"api_keys", (*workspace)->keys->count()}});
  SignalWaiter waiter(server, signals);
  server.run();
  waiter.end_waiting();
  // What is left to do is short; a signal may end it.
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  log.write(base::LogLevel::info, "server.stopped", {});
  return 0;
}

int print_routes(const ServeOptions& options) {
  auto workspace = Workspace::open(options.folder, options.config);
  if (!workspace) return complain(workspace.error());
  const FolderLock lock(options.folder.lock());
  if (!lock.take())
    return complain({base::ErrorCode::unavailable, "locked",
                     "Another stagedoor serves " + options.folder.path + "."});
  JsonLog log((*workspace)->clock, base::LogLevel::error);
  auto page = page_options(options);
  if (!page) return complain(page.error());
  Server server(options, *std::move(page), **workspace, log);
  if (auto opened = server.open(); !opened) return complain(opened.error());
  std::vector<std::string> lines;
  for (const auto& route : server.router().routes())
    lines.push_back(options.json ? fmt::format("{{\"method\":\"{}\",\"path\":\"{}\"}}",
                                               route.method, route.pattern)
                                 : fmt::format("{:<8}{}", route.method, route.pattern));
  std::ranges::sort(lines);
  if (options.json) {
    fmt::print("[{}]\n", fmt::join(lines, ","));
  } else {
    fmt::print("{}\n", fmt::join(lines, "\n"));
  }
  return 0;
}

}  // namespace stagedoor::server
