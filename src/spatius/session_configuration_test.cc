#include "spatius/session_configuration.h"

#include <gtest/gtest.h>

namespace stagedoor::spatius {
namespace {

message::Message configure() {
  message::Message first;
  first.set_type(message::MESSAGE_CLIENT_CONFIGURE_SESSION);
  first.mutable_client_configure_session();
  return first;
}

TEST(SessionConfiguration, AllSevenPcmRatesAreTakenAndSixteenKilohertzIsTheDefault) {
  for (const int rate : {8000, 16000, 22050, 24000, 32000, 44100, 48000}) {
    auto first = configure();
    first.mutable_client_configure_session()->set_sample_rate(rate);
    const auto read = read_configuration(first);
    ASSERT_TRUE(read) << rate;
    EXPECT_EQ(read->rate_hz, rate);
    EXPECT_EQ(read->format, stage::AudioFormat::pcm_s16le);
  }
  EXPECT_EQ(read_configuration(configure())->rate_hz, 16000);
}

TEST(SessionConfiguration, OpusHasRatesOfItsOwn) {
  for (const int rate : {8000, 12000, 16000, 24000, 48000}) {
    auto first = configure();
    first.mutable_client_configure_session()->set_sample_rate(rate);
    first.mutable_client_configure_session()->set_audio_format(message::AUDIO_FORMAT_OGG_OPUS);
    EXPECT_TRUE(read_configuration(first)) << rate;
  }
  auto first = configure();
  first.mutable_client_configure_session()->set_sample_rate(44100);
  first.mutable_client_configure_session()->set_audio_format(message::AUDIO_FORMAT_OGG_OPUS);
  EXPECT_FALSE(read_configuration(first));
}

TEST(SessionConfiguration, AnUnsupportedRateIsRefusedInTheWordsThatClientsLookFor) {
  for (const int rate : {1, 11025, 12000, 96000, -16000}) {
    auto first = configure();
    first.mutable_client_configure_session()->set_sample_rate(rate);
    const auto refused = read_configuration(first);
    ASSERT_FALSE(refused) << rate;
    EXPECT_EQ(refused.error().code, read_the_words);
    EXPECT_NE(refused.error().text.find("unsupported sample rate: " + std::to_string(rate)),
              std::string::npos);
  }
}

TEST(SessionConfiguration, AnotherFirstMessageIsToldFromAnEmptyOne) {
  message::Message other;
  other.set_type(message::MESSAGE_CLIENT_AUDIO_INPUT);
  other.mutable_client_audio_input();
  EXPECT_EQ(read_configuration(other).error().text, "expected ClientConfigureSession message");
  message::Message nil;
  nil.set_type(message::MESSAGE_CLIENT_CONFIGURE_SESSION);
  EXPECT_EQ(read_configuration(nil).error().text, "ClientConfigureSession message is nil");
}

TEST(SessionConfiguration, EgressIsAnsweredAsNotConfiguredAndItsMissingPartsAreNamed) {
  auto first = configure();
  auto& wanted = *first.mutable_client_configure_session();
  wanted.set_egress_type(message::EGRESS_TYPE_LIVEKIT);
  EXPECT_EQ(read_configuration(first).error().code, 3);
  EXPECT_NE(read_configuration(first).error().text.find("livekit_egress"), std::string::npos);
  wanted.mutable_livekit_egress()->set_url("wss://rooms.example");
  wanted.mutable_livekit_egress()->set_room_name("room");
  EXPECT_NE(read_configuration(first).error().text.find("missing livekit credentials"),
            std::string::npos);
  wanted.mutable_livekit_egress()->set_api_token("bad token");
  EXPECT_EQ(read_configuration(first).error().code, 16);
  EXPECT_NE(read_configuration(first).error().text.find("unauthorized"), std::string::npos);
  wanted.mutable_livekit_egress()->set_api_token("e30.e30.e30");
  EXPECT_EQ(read_configuration(first).error().code, 14);
  EXPECT_NE(
      read_configuration(first).error().text.find("egress client is not configured on server"),
      std::string::npos);
  wanted.set_egress_type(message::EGRESS_TYPE_AGORA);
  EXPECT_NE(read_configuration(first).error().text.find("agora_egress"), std::string::npos);
  wanted.mutable_agora_egress()->set_channel_name("channel");
  EXPECT_EQ(read_configuration(first).error().code, 14);
  wanted.set_egress_type(static_cast<message::EgressType>(99));
  EXPECT_EQ(read_configuration(first).error().code, 3);
}

TEST(SessionConfiguration, OurExtrasAreTakenAndForeignOnesAreIgnored) {
  auto first = configure();
  auto& extra = *first.mutable_client_configure_session()->mutable_extra_params();
  extra["somebody.else"] = "anything";
  EXPECT_FALSE(read_configuration(first)->wants_named_shapes);
  extra["stagedoor.blendshapes"] = "arkit52";
  extra["stagedoor.seed"] = "7";
  const auto read = read_configuration(first);
  EXPECT_TRUE(read->wants_named_shapes);
  EXPECT_EQ(read->seed_for("any request"), 7u);
  extra["stagedoor.seed"] = "-1";
  EXPECT_FALSE(read_configuration(first));
  extra["stagedoor.seed"] = "7";
  extra["stagedoor.blendshapes"] = "other";
  EXPECT_FALSE(read_configuration(first));
}

TEST(SessionConfiguration, WithoutASeedEachRequestHasItsOwn) {
  const SessionConfiguration configuration;
  EXPECT_NE(configuration.seed_for("one"), configuration.seed_for("two"));
  EXPECT_EQ(configuration.seed_for("one"), configuration.seed_for("one"));
}

}  // namespace
}  // namespace stagedoor::spatius
