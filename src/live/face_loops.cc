#include "live/face_loops.h"

#include <algorithm>
#include <boost/asio/post.hpp>

namespace stagedoor::live {

FaceLoop::FaceLoop()
    : pictures_([this](std::move_only_function<void()> step) {
        boost::asio::post(loop_.io(), std::move(step));
      }) {}

base::Result<std::unique_ptr<FaceLoop>> FaceLoop::open(const Parts& parts,
                                                       const media::PortOptions& options) {
  std::unique_ptr<FaceLoop> loop(new FaceLoop());
  auto port = media::Port::open({.loop = loop->loop_,
                                 .clock = loop->clock_,
                                 .stack = parts.stack,
                                 .identity = parts.identity,
                                 .random = parts.random,
                                 .wall_clock = parts.wall_clock},
                                options);
  if (!port) return base::fail(port.error());
  loop->port_ = *std::move(port);
  return loop;
}

int FaceLoops::loops_of(int threads) {
  return threads > 0 ? threads
                     : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

base::Result<std::unique_ptr<FaceLoops>> FaceLoops::open(const Options& options,
                                                         base::Random& random,
                                                         const base::Clock& wall_clock) {
  std::unique_ptr<FaceLoops> loops(new FaceLoops(options));
  auto identity = media::DtlsIdentity::make();
  if (!identity) return base::fail(identity.error());
  loops->identity_ = std::make_unique<media::DtlsIdentity>(*std::move(identity));
  loops->stack_ = std::make_unique<media::Stack>();
  for (int count = 0; count < loops_of(options.threads); ++count) {
    auto loop = FaceLoop::open({.stack = *loops->stack_,
                                .identity = *loops->identity_,
                                .random = random,
                                .wall_clock = wall_clock},
                               options.port);
    if (!loop) return base::fail(loop.error());
    loops->loops_.push_back(*std::move(loop));
  }
  // Only now, since a thread that runs would have to be stopped where a later port can't be had.
  for (auto& loop : loops->loops_)
    loop->thread_ = std::thread([&face_loop = *loop] { face_loop.loop_.run(); });
  return loops;
}

FaceLoops::~FaceLoops() {
  stop();
}

FaceLoop& FaceLoops::emptiest() const {
  return **std::ranges::min_element(loops_, {}, [](const auto& loop) { return loop->faces(); });
}

base::Result<FacePlace> FaceLoops::enter() {
  std::size_t all = 0;
  for (const auto& loop : loops_) all += loop->faces();
  // Two that come at the same moment may both see the last place; one face more does no harm.
  if (all >= options_.faces_max)
    return base::fail(base::ErrorCode::unavailable, "all places for live faces are taken",
                      "The server shows all the faces that it can; try again.");
  return enter_again();
}

FacePlace FaceLoops::enter_again() {
  auto& loop = emptiest();
  loop.faces_.fetch_add(1, std::memory_order_relaxed);
  return FacePlace(loop);
}

FaceLoops::Strays FaceLoops::strays() const {
  Strays strays;
  for (const auto& loop : loops_) {
    const auto counts = loop->port().counts();
    strays.of_nobody += counts.switchboard.unknown_users + counts.switchboard.unknown_addresses;
    strays.unreadable += counts.switchboard.garbage + counts.too_long;
  }
  return strays;
}

void FaceLoops::stop() {
  for (const auto& loop : loops_) loop->loop_.stop();
  for (const auto& loop : loops_)
    if (loop->thread_.joinable()) loop->thread_.join();
}

}  // namespace stagedoor::live
