// SPDX-License-Identifier: Apache-2.0

#include "media/sdp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "media/chromium_offer_for_test.h"

using namespace stagedoor;
using namespace stagedoor::media;
using base::ErrorCode;
using testing::HasSubstr;
using testing::Not;

namespace {

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  std::size_t at = 0;
  while ((at = text.find(what, at)) != std::string::npos) {
    text.replace(at, what.size(), by);
    at += by.size();
  }
  return text;
}

std::string offer_with(std::string_view what, std::string_view by) {
  return replaced(chromium_offer, what, by);
}

std::string answer_to(const Offer& offer) {
  static const CertificateHash ours{0xab, 0x01};
  static const std::vector<Endpoint> candidates = {{*base::parse_address("203.0.113.5"), 40000},
                                                   {*base::parse_address("2001:db8::5"), 40000}};
  return write_answer(offer, {.ice_user = "oursuser",
                              .ice_password = "ourspasswordourspassword",
                              .certificate = ours,
                              .candidates = candidates,
                              .stream_name = "avatar",
                              .picture_source = 1111,
                              .sound_source = 2222,
                              .session_id = 77,
                              .session_version = 1});
}

ErrorCode refusal_of(const std::string& sdp) {
  const auto offer = read_offer(sdp);
  if (offer) return ErrorCode::conflict;
  EXPECT_FALSE(offer.error().hint.empty());
  return offer.error().code;
}

}  // namespace

TEST(Sdp, AnOfferOfChromiumIsReadAsItIsMeant) {
  const auto offer = read_offer(chromium_offer);
  ASSERT_TRUE(offer);
  ASSERT_EQ(offer->sections.size(), 3u);
  EXPECT_EQ(offer->sections[0].use, Use::picture);
  EXPECT_EQ(offer->sections[0].direction, Direction::recvonly);
  EXPECT_EQ(offer->sections[1].use, Use::sound);
  EXPECT_EQ(offer->sections[1].direction, Direction::sendrecv);
  EXPECT_EQ(offer->sections[2].use, Use::channels);
  EXPECT_EQ(offer->vp8, 96);
  EXPECT_EQ(offer->opus, 111);
  EXPECT_EQ(offer->ice_user, "gI1/");
  EXPECT_EQ(offer->ice_password, "7wslkGvVVHWwpFtqi5kHJMG3");
  EXPECT_EQ(
      fingerprint_text(offer->certificate),
      "6C:4F:B4:33:48:C1:D4:F1:8B:ED:CB:22:64:63:A8:78:D1:85:20:8E:FF:5C:8D:C4:B3:D3:E9:39:AF:"
      "67:FC:88");
  EXPECT_TRUE(offer->has_nack && offer->has_pli && offer->has_fir);
  EXPECT_EQ(offer->sctp_port, 5000);
  EXPECT_EQ(offer->message_bytes_max, 65536u);
}

TEST(Sdp, TheAnswerIsOneBundledLitePassivePartyWithBothTracksInOneStream) {
  const std::string transport =
      "a=ice-ufrag:oursuser\r\n"
      "a=ice-pwd:ourspasswordourspassword\r\n"
      "a=fingerprint:sha-256 AB:01:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:"
      "00:00:00:00:00:00:00:00:00\r\n"
      "a=setup:passive\r\n"
      "a=candidate:1 1 udp 2130706431 203.0.113.5 40000 typ host\r\n"
      "a=candidate:2 1 udp 2130706175 2001:db8::5 40000 typ host\r\n"
      "a=end-of-candidates\r\n";
  EXPECT_EQ(answer_to(*read_offer(chromium_offer)),
            "v=0\r\n"
            "o=- 77 1 IN IP4 127.0.0.1\r\n"
            "s=-\r\n"
            "t=0 0\r\n"
            "a=group:BUNDLE 0 1 2\r\n"
            "a=ice-lite\r\n"
            "a=msid-semantic: WMS avatar\r\n"
            "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n"
            "c=IN IP4 0.0.0.0\r\n"
            "a=mid:0\r\n" +
                transport +
                "a=sendonly\r\n"
                "a=rtcp-mux\r\n"
                "a=rtpmap:96 VP8/90000\r\n"
                "a=rtcp-fb:96 nack\r\n"
                "a=rtcp-fb:96 nack pli\r\n"
                "a=rtcp-fb:96 ccm fir\r\n"
                "a=msid:avatar v0\r\n"
                "a=ssrc:1111 cname:avatar\r\n"
                "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"
                "c=IN IP4 0.0.0.0\r\n"
                "a=mid:1\r\n" +
                transport +
                "a=sendrecv\r\n"
                "a=rtcp-mux\r\n"
                "a=rtpmap:111 opus/48000/2\r\n"
                "a=fmtp:111 minptime=10;useinbandfec=1\r\n"
                "a=msid:avatar a0\r\n"
                "a=ssrc:2222 cname:avatar\r\n"
                "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"
                "c=IN IP4 0.0.0.0\r\n"
                "a=mid:2\r\n" +
                transport +
                "a=sctp-port:5000\r\n"
                "a=max-message-size:65536\r\n");
}

TEST(Sdp, LinesMayEndEitherWay) {
  EXPECT_TRUE(read_offer(offer_with("\n", "\r\n")));
}

TEST(Sdp, AClientThatOnlyHearsIsAnsweredSendonly) {
  const auto offer = read_offer(offer_with("a=sendrecv", "a=recvonly"));
  ASSERT_TRUE(offer);
  const auto answer = answer_to(*offer);
  EXPECT_THAT(answer, Not(HasSubstr("a=sendrecv")));
}

TEST(Sdp, FeedbackIsAnsweredOnlyAsFarAsItWasOffered) {
  const auto offer = read_offer(offer_with("a=rtcp-fb:96 ccm fir\n", ""));
  ASSERT_TRUE(offer);
  const auto answer = answer_to(*offer);
  EXPECT_THAT(answer, Not(HasSubstr("ccm fir")));
  EXPECT_THAT(answer, HasSubstr("a=rtcp-fb:96 nack pli"));
}

TEST(Sdp, TheOrderOfSectionsAndTheirMidsAreTheOffers) {
  std::string sdp = chromium_offer;
  const auto audio = sdp.find("m=audio"), application = sdp.find("m=application");
  sdp = sdp.substr(0, sdp.find("m=video")) + sdp.substr(application) +
        sdp.substr(audio, application - audio) +
        sdp.substr(sdp.find("m=video"), audio - sdp.find("m=video"));
  sdp = replaced(replaced(sdp, "a=mid:0", "a=mid:face"), "BUNDLE 0 1 2", "BUNDLE 2 1 face");
  const auto offer = read_offer(sdp);
  ASSERT_TRUE(offer);
  EXPECT_EQ(offer->sections[2].mid, "face");
  EXPECT_THAT(answer_to(*offer), HasSubstr("a=group:BUNDLE 2 1 face\r\n"));
}

TEST(Sdp, WhatIsLeftOverIsAnsweredWithPortZero) {
  const auto sdp = offer_with("BUNDLE 0 1 2", "BUNDLE 0 1 2 3") +
                   "m=video 9 UDP/TLS/RTP/SAVPF 96\na=mid:3\na=rtcp-mux\na=rtpmap:96 VP8/90000\n";
  const auto offer = read_offer(sdp);
  ASSERT_TRUE(offer);
  const auto answer = answer_to(*offer);
  EXPECT_THAT(answer, HasSubstr("a=group:BUNDLE 0 1 2\r\n"));
  EXPECT_TRUE(
      answer.ends_with("m=video 0 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:3\r\n"));
}

TEST(Sdp, ASectionOfPortZeroLivesOnlyIfItIsBundleOnly) {
  const auto off = offer_with("m=audio 9", "m=audio 0");
  ASSERT_TRUE(read_offer(off));
  EXPECT_FALSE(read_offer(off)->has_sound);
  EXPECT_TRUE(read_offer(replaced(off, "a=mid:1", "a=mid:1\na=bundle-only"))->has_sound);
}

TEST(Sdp, AnOfferThatCannotBePlayedIsRefusedWithAReason) {
  EXPECT_EQ(refusal_of(offer_with("VP8/90000", "VP7/90000")), ErrorCode::unsupported);
  EXPECT_EQ(refusal_of(offer_with("a=recvonly", "a=sendonly")), ErrorCode::unsupported);
  EXPECT_EQ(refusal_of(offer_with("a=group:BUNDLE 0 1 2\n", "")), ErrorCode::unsupported);
  EXPECT_EQ(refusal_of(offer_with("a=rtcp-mux\n", "")), ErrorCode::unsupported);
  EXPECT_EQ(refusal_of(offer_with("a=setup:actpass", "a=setup:passive")), ErrorCode::unsupported);
  EXPECT_EQ(refusal_of(offer_with("sha-256", "sha-1")), ErrorCode::unsupported);
  EXPECT_EQ(refusal_of(offer_with("6C:4F", "6C-4F")), ErrorCode::unsupported);
  EXPECT_EQ(refusal_of(offer_with("t=0 0\n", "t=0 0\na=ice-lite\n")), ErrorCode::unsupported);
}

TEST(Sdp, GarbageIsRefusedAsMalformed) {
  for (const std::string sdp : {"", "hello", "v=1\n", "v=0\n", "v=0\nnonsense\n", "\n\n",
                                "v=0\nm=\n", "v=0\nm=video\n", "v=0\nm=video 99999 UDP 1\n"})
    EXPECT_EQ(refusal_of(sdp), ErrorCode::malformed) << sdp;
  EXPECT_EQ(refusal_of(offer_with("a=ice-ufrag:gI1/\n", "")), ErrorCode::malformed);
  EXPECT_EQ(refusal_of(offer_with("gI1/", "g")), ErrorCode::malformed);
  EXPECT_EQ(refusal_of(offer_with("a=mid:1", "a=mid:0")), ErrorCode::malformed);
  EXPECT_EQ(refusal_of(chromium_offer + std::string(70000, 'a')), ErrorCode::malformed);
  std::string many = chromium_offer;
  for (int i = 0; i < 20; ++i) many += "m=video 9 UDP/TLS/RTP/SAVPF 96\n";
  EXPECT_EQ(refusal_of(many), ErrorCode::malformed);
}

TEST(Sdp, NothingOfAnOfferCanPutLinesOfItsOwnIntoTheAnswer) {
  // A bare carriage return ends a line for some readers.
  EXPECT_EQ(refusal_of(offer_with("a=mid:0", "a=mid:0\ra=ice-pwd:evil")), ErrorCode::malformed);
  EXPECT_EQ(refusal_of(
                offer_with("m=audio 9 UDP/TLS/RTP/SAVPF 111", "m=audio 9 UDP/\rTLS/RTP/SAVPF 111")),
            ErrorCode::malformed);
}
