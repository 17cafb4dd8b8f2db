// Live faces on real face loops, with engines that do as the test tells them.
//
// SPDX-License-Identifier: Apache-2.0

#include "anam/live_face.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <latch>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "actions/credentials_world_for_test.h"
#include "live/engines_for_test.h"
#include "stage/engines_for_test.h"

using namespace stagedoor;
using namespace stagedoor::anam;
using namespace std::chrono_literals;

namespace {

// Notes which sessions were reported, and how many had ended in the ledger by then.
class Reports : public rules::SessionReports {
 public:
  explicit Reports(const actions::credentials::World& of) : world_(of) {}
  void begin(std::string_view session_id, rules::SessionFacts, base::Instant) override {
    const std::lock_guard lock(mutex_);
    begun.emplace_back(session_id);
  }
  void end(std::string_view session_id, rules::SessionReport, base::Instant) override {
    const std::lock_guard lock(mutex_);
    ended.emplace_back(session_id);
    ends_in_ledger = world_.spent.ended.size();
  }
  base::Result<rules::SessionReport> find(const std::string&) override { return none(); }
  base::Result<std::vector<std::vector<rules::ReportedTurn>>> turns_of(
      std::span<const std::string>) override {
    return none();
  }
  base::Result<base::Done> remove(const std::string&, const std::string&,
                                  const rules::AuditEntry&) override {
    return none();
  }
  std::vector<std::string> begun, ended;
  std::size_t ends_in_ledger = 0;

 private:
  static std::unexpected<base::Error> none() {
    return base::fail(base::ErrorCode::not_found, "none");
  }
  const actions::credentials::World& world_;
  std::mutex mutex_;
};

// A client that keeps what it is sent.
class Listener : public SignallingLink {
 public:
  void send(std::string message) override { heard.push_back(std::move(message)); }
  void close(std::string) override { closed.set_value(); }
  std::size_t count_of(std::string_view words) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        heard, [&](const std::string& message) { return message.contains(words); }));
  }
  std::vector<std::string> heard;  // on the face's loop
  std::promise<void> closed;
};

class LiveFacesTest : public testing::Test {
 protected:
  LiveFacesTest() {
    world.opens = actions::AdmitConnection::Opens::live_face;
    // What the same client shows when it comes again.
    world.nonce = std::string(22, 'n');
    live::FaceLoops::Options options;
    options.threads = 2;
    options.port.bind_address = *base::parse_address("127.0.0.1");
    loops = live::FaceLoops::open(options, world.random, world.clock).value();
    faces.emplace(LiveFaces::Parts{
        .loops = *loops,
        .session = {.speech = speech,
                    .voice_detector = {},
                    .camera = [this](std::string_view, const stage::CameraOptions&)
                        -> base::Result<std::unique_ptr<stage::Camera>> {
                      return std::make_unique<live::PuppetCamera>(keys);
                    },
                    .sound_encoder = []() -> base::Result<std::unique_ptr<stage::SoundEncoder>> {
                      return std::make_unique<live::PuppetEncoder>();
                    },
                    .sound_decoder = [](int) -> base::Result<std::unique_ptr<stage::SoundDecoder>> {
                      return std::make_unique<live::PuppetDecoder>();
                    },
                    .clock = world.clock,
                    .random = world.random,
                    .counts = counts},
        .sessions = world.live,
        .reports = reports,
        .clock = world.clock,
        .random = world.random,
        .log = world.log,
        .must_end = [](const rules::LiveSession&) { return std::nullopt; }});
  }
  ~LiveFacesTest() override {
    loops->stop();
    faces->abandon();
  }

  std::string persona_token() {
    auto token =
        rules::read_claims(world.token_keys.verify(world.mint(world.wish())).value()).value();
    token.persona.kind = rules::PersonaClaim::Kind::inline_content;
    token.persona.address = std::string(43, 'A');
    return world.token_keys.sign(rules::claims_json(token));
  }
  actions::Grant grant(const std::string& token) { return world.show(token).value(); }
  base::Result<base::Done> begin(live::FacePlace place, actions::Grant grant,
                                 PersonaPlay play = {}) {
    play.size = {720, 480};
    play.character = "ada";
    const auto session_id = grant.session_id();
    auto key = faces->begin(std::move(place), std::move(grant), std::move(play));
    if (!key) return base::fail(key.error());
    const std::lock_guard lock(mutex);
    engine_keys.insert_or_assign(session_id, std::string(key->expose()));
    return base::Done{};
  }
  bool post(const std::string& session_id, LiveFaces::Step step) {
    const std::lock_guard lock(mutex);
    return faces->post({session_id, base::Secret(engine_keys[session_id])}, std::move(step));
  }
  // The loop on which the session's face lives.
  const http::Loop* loop_of(const std::string& session_id) {
    std::promise<const http::Loop*> promise;
    auto found = promise.get_future();
    if (!post(session_id, [&](LiveFace&) { promise.set_value(&http::this_loop()); }))
      return nullptr;
    return found.get();
  }

  // Has the step run, and waits for it.
  void on_face(const std::string& session_id, const std::function<void(LiveFace&)>& step) {
    std::promise<void> done;
    ASSERT_TRUE(post(session_id, [&](LiveFace& face) {
      step(face);
      done.set_value();
    }));
    done.get_future().wait();
  }
  // A face with its client, which says this over its data channel.
  std::string face_with(const std::shared_ptr<Listener>& client, PersonaPlay play = {}) {
    auto its = grant(persona_token());
    auto id = its.session_id();
    EXPECT_TRUE(begin(faces->enter().value(), std::move(its), std::move(play)));
    on_face(id, [&](LiveFace& face) { face.attach(client); });
    return id;
  }
  void say(const std::string& session_id, std::string_view message) {
    on_face(session_id, [&](LiveFace& face) {
      static_cast<live::FaceSessionListener&>(face).message(message);
    });
  }

  actions::credentials::World world;
  Reports reports{world};
  stage::HummingSpeech speech;
  std::vector<bool> keys;
  live::FaceCounts counts;
  std::mutex mutex;
  std::map<std::string, std::string> engine_keys;  // by session
  std::unique_ptr<live::FaceLoops> loops;
  std::optional<LiveFaces> faces;
};

}  // namespace

TEST_F(LiveFacesTest, AFaceBeginsOnTheLoopOfItsPlace) {
  for (int i = 0; i < 4; ++i) {
    auto place = faces->enter().value();
    const auto* const loop = &place.loop().loop();
    auto its = grant(persona_token());
    const auto id = its.session_id();
    ASSERT_TRUE(begin(std::move(place), std::move(its)));
    EXPECT_EQ(loop_of(id), loop);
  }
  EXPECT_EQ(faces->count(), 4u);
}

// Rule face-engine-key.
TEST_F(LiveFacesTest, OnlyTheKeyOfItsEngineOpensAFaceAndTheSessionsIdIsNone) {
  auto its = grant(persona_token()), others = grant(persona_token());
  const auto id = its.session_id(), other = others.session_id();
  ASSERT_TRUE(begin(faces->enter().value(), std::move(its)));
  ASSERT_TRUE(begin(faces->enter().value(), std::move(others)));
  EXPECT_TRUE(post(id, [](LiveFace&) {}));
  for (const auto& key : {std::string(), id, engine_keys[other], engine_keys[id] + "a"})
    EXPECT_FALSE(faces->post({id, base::Secret(key)}, [](LiveFace&) { ADD_FAILURE(); }));
  EXPECT_GE(engine_keys[id].size(), 22u);
  EXPECT_EQ(world.log.texts.find(engine_keys[id]), std::string::npos);
}

// Rule engine-session-retry.
TEST_F(LiveFacesTest, AClientThatComesAgainFindsItsFaceAndGivesTheFurtherPlaceBack) {
  const auto token = persona_token();
  auto first = faces->enter().value(), second = faces->enter().value();
  const auto* const loop = &first.loop().loop();
  auto& other = second.loop();
  auto its = grant(token), again = grant(token);
  const auto id = its.session_id();
  ASSERT_EQ(again.session_id(), id);
  ASSERT_TRUE(begin(std::move(first), std::move(its)));
  ASSERT_TRUE(begin(std::move(second), std::move(again)));
  EXPECT_EQ(loop_of(id), loop);
  EXPECT_EQ(faces->count(), 1u);
  loops->stop();
  EXPECT_EQ(other.faces(), 0u);
}

// Rule engine-session-retry.
TEST_F(LiveFacesTest, OfManyThatComeAtOnceOneMakesTheFaceAndTheLastConnectionHoldsIt) {
  const auto token = persona_token();
  std::vector<actions::Grant> grants;
  for (int i = 0; i < 6; ++i) grants.push_back(grant(token));
  const auto id = grants.front().session_id();
  std::latch together(6);
  std::vector<std::jthread> crowd;
  for (auto& one : grants)
    crowd.emplace_back([&] {
      auto place = faces->enter().value();
      together.arrive_and_wait();
      EXPECT_TRUE(begin(std::move(place), std::move(one)));
    });
  crowd.clear();
  EXPECT_EQ(faces->count(), 1u);
  EXPECT_NE(loop_of(id), nullptr);
  post(id, [](LiveFace& face) { face.end(rules::SessionEnd::ended); });
  (void)loop_of(id);  // when that has been done
  loops->stop();
  std::vector<std::string> lost;
  for (int connection = 1; connection <= 5; ++connection)
    lost.push_back(id + " " + std::to_string(connection) + " lost");
  lost.push_back(id + " 6 ended");
  std::ranges::sort(world.spent.ended);
  EXPECT_EQ(world.spent.ended, lost);
}

TEST_F(LiveFacesTest, WhoComesAgainWhenTheFaceIsOverGetsANewOneOnTheLoopOfTheirPlace) {
  const auto token = persona_token();
  auto first = faces->enter().value(), second = faces->enter().value();
  const auto* const loop = &second.loop().loop();
  auto its = grant(token), again = grant(token);
  const auto id = its.session_id();
  ASSERT_TRUE(begin(std::move(first), std::move(its)));
  // The loop stands still while the face's end and the client's return come to it.
  std::promise<void> standing, going;
  post(id, [&](LiveFace&) {
    standing.set_value();
    going.get_future().wait();
  });
  standing.get_future().wait();
  post(id, [](LiveFace& face) { face.end(rules::SessionEnd::ended); });
  std::promise<base::Result<base::Done>> begun;
  std::thread client([&] { begun.set_value(begin(std::move(second), std::move(again))); });
  std::this_thread::yield();
  going.set_value();
  EXPECT_TRUE(begun.get_future().get());
  client.join();
  EXPECT_EQ(loop_of(id), loop);
}

TEST_F(LiveFacesTest, FacesThatAreLeftAtAStopAreGivenUpBeforeTheirLoops) {
  std::vector<std::string> ids;
  for (int i = 0; i < 3; ++i) {
    auto its = grant(persona_token());
    ids.push_back(its.session_id());
    ASSERT_TRUE(begin(faces->enter().value(), std::move(its)));
  }
  loops->stop();
  // What comes too late for its loop holds its face until the loop is gone.
  for (const auto& id : ids) post(id, [](LiveFace&) { ADD_FAILURE() << "nobody turns it"; });
  EXPECT_EQ(faces->count(), 3u);
  faces->abandon();
  EXPECT_EQ(faces->count(), 0u);
  loops.reset();  // asserts that nobody is left on its ports
  EXPECT_EQ(world.live.count(), 0u) << "their places in the app are free";
  EXPECT_EQ(world.spent.ended.size(), 3u) << "the ledger has heard of each";
  std::ranges::sort(ids);
  std::ranges::sort(reports.ended);
  EXPECT_EQ(reports.ended, ids) << "what they leave of themselves is kept";
  loops = live::FaceLoops::open({}, world.random, world.clock).value();
}

TEST_F(LiveFacesTest, AFaceIsReportedOnceAndBeforeTheLedgerHearsOfItsEnd) {
  auto its = grant(persona_token());
  const auto id = its.session_id();
  ASSERT_TRUE(begin(faces->enter().value(), std::move(its)));
  std::promise<void> ended;
  post(id, [&](LiveFace& face) {
    face.end(rules::SessionEnd::ended);
    face.end(rules::SessionEnd::idle);
    http::this_loop().mailbox()->post([&] { ended.set_value(); });
  });
  ended.get_future().wait();
  EXPECT_EQ(reports.begun, std::vector{id});
  EXPECT_EQ(reports.ended, std::vector{id});
  EXPECT_EQ(reports.ends_in_ledger, 0u);
  EXPECT_EQ(world.spent.ended.size(), 1u);
}

TEST_F(LiveFacesTest, NobodyIsToldOfAFaceThatIsOver) {
  auto its = grant(persona_token());
  const auto id = its.session_id();
  ASSERT_TRUE(begin(faces->enter().value(), std::move(its)));
  std::promise<void> ended;
  post(id, [&](LiveFace& face) {
    face.end(rules::SessionEnd::ended);
    // What comes on the same turn finds it over.
    face.talk("Too late.");
    http::this_loop().mailbox()->post([&] { ended.set_value(); });
  });
  ended.get_future().wait();
  EXPECT_FALSE(post(id, [](LiveFace&) {}));
  EXPECT_TRUE(speech.requests.empty());
}

constexpr std::string_view never_ends =
    R"({"message_type":"persona_config","data":{"voiceDetectionOptions":)"
    R"({"silenceBeforeSessionEndSeconds":0}}})";
constexpr std::string_view ends_in_a_second =
    R"({"message_type":"persona_config","data":{"voiceDetectionOptions":)"
    R"({"silenceBeforeSessionEndSeconds":1}}})";

// Rule face-idle.
TEST_F(LiveFacesTest, APageDoesNotLiftTheIdleTimeAndIsTold) {
  const auto client = std::make_shared<Listener>();
  const auto id = face_with(client);
  say(id, never_ends);
  say(id, never_ends);
  on_face(id, [&](LiveFace&) { EXPECT_EQ(client->count_of("silenceBeforeSessionEnd"), 1u); });
  world.clock.advance(std::chrono::hours(1));
  ASSERT_EQ(client->closed.get_future().wait_for(10s), std::future_status::ready);
  loops->stop();
  EXPECT_TRUE(world.spent.ended.at(0).ends_with(" idle"));
}

// Rule face-idle.
TEST_F(LiveFacesTest, APersonaThatEndsInNoSilenceOutlivesTheIdleTimeAndAPageMayShortenThat) {
  PersonaPlay play;
  play.has_silence_rule = true;
  const auto client = std::make_shared<Listener>();
  const auto id = face_with(client, std::move(play));
  say(id, ends_in_a_second);
  on_face(id, [&](LiveFace&) { EXPECT_EQ(client->count_of("warning"), 0u); });
  say(id, never_ends);
  on_face(id, [&](LiveFace&) { EXPECT_EQ(client->count_of("silenceBeforeSessionEnd"), 1u); });
}
