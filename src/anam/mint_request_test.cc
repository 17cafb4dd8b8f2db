#include "anam/mint_request.h"

#include <gtest/gtest.h>

namespace stagedoor::anam {
namespace {

TEST(ClientSide, IsItsMetadataAndHowItWantsToBeHeardWhateverElseTheBodySays) {
  const auto client =
      read_client_side(R"({"clientMetadata":{"version":"4","client":"js-sdk"},"sessionOptions":{)"
                       R"("voiceDetection":{"endOfSpeechSensitivity":0.25},"videoWidth":"?"}})");
  ASSERT_TRUE(client);
  EXPECT_EQ(client->metadata, R"({"client":"js-sdk","version":"4"})");
  EXPECT_EQ(client->voice_detection, R"({"endOfSpeechSensitivity":0.25})");
  for (const auto* nothing : {"", "{}", R"({"clientMetadata":null,"sessionOptions":{}})"}) {
    const auto silent = read_client_side(nothing);
    ASSERT_TRUE(silent) << nothing;
    EXPECT_EQ(silent->metadata + silent->voice_detection, "");
  }
}

TEST(ClientSide, IsRefusedWithTheMemberNamed) {
  const auto refused = read_client_side(
      R"({"clientMetadata":"x","sessionOptions":{"voiceDetection":{"endOfSpeechSensitivity":2}}})");
  ASSERT_FALSE(refused);
  ASSERT_EQ(refused.error().faults.size(), 2u);
  EXPECT_EQ(refused.error().faults[0].path, "clientMetadata");
  EXPECT_EQ(refused.error().faults[1].path, "sessionOptions.voiceDetection.endOfSpeechSensitivity");
  EXPECT_FALSE(read_client_side("[]"));
}

}  // namespace
}  // namespace stagedoor::anam
