// SPDX-License-Identifier: Apache-2.0

#include "media/stun.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/text.h"

using namespace stagedoor;
using namespace stagedoor::media;

namespace {

using Buffer = std::vector<std::uint8_t>;

Buffer bytes_of(std::string_view hex) {
  std::string packed;
  for (const char c : hex)
    if (c != ' ') packed += c;
  return base::from_hex(packed).value();
}

crypto::HmacSha1Key key_of(std::string_view password) {
  return crypto::HmacSha1Key(base::Secret(password));
}

// RFC 5769 2.1 to 2.3.
const auto sample_request = bytes_of(
    "000100582112a442b7e7a701bc34d686fa87dfae"
    "802200105354554e207465737420636c69656e74"
    "002400046e0001ff80290008932ff9b151263b36"
    "000600096576746a3a68367659202020"
    "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2"
    "80280004e57a3bcf");
const auto sample_v4 = bytes_of(
    "0101003c2112a442b7e7a701bc34d686fa87dfae"
    "8022000b7465737420766563746f7220"
    "002000080001a147e112a643"
    "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7"
    "80280004c07d4c96");
const auto sample_v6 = bytes_of(
    "010100482112a442b7e7a701bc34d686fa87dfae"
    "8022000b7465737420766563746f7220"
    "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9"
    "00080014a382954e4be67bf11784c97c8292c275bfe3ed41"
    "80280004c8fb0b4c");
const std::string_view sample_password = "VOkJxbRl1RmTxUk/WvJxBt";

Endpoint endpoint(std::string_view address, std::uint16_t port) {
  return {.address = *base::parse_address(address), .port = port};
}

Buffer success_for(const StunMessage& request, const Endpoint& from, std::string_view password) {
  Buffer out(stun_answer_max);
  out.resize(write_stun_success(out, request, from, key_of(password)));
  return out;
}

}  // namespace

TEST(Stun, TheSampleRequestOfRfc5769IsReadAndProved) {
  const auto read = read_stun(sample_request);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->kind, StunKind::request);
  EXPECT_EQ(read->username, "evtj:h6vY");
  EXPECT_EQ(read->local_user(), "evtj");
  EXPECT_EQ(read->role, IceRole::controlled);
  EXPECT_FALSE(read->nominates);
  EXPECT_EQ(read->not_known_count, 0u);
  EXPECT_TRUE(has_integrity(*read, sample_request, key_of(sample_password)));
  EXPECT_FALSE(has_integrity(*read, sample_request, key_of("VOkJxbRl1RmTxUk/WvJxBT")));
}

TEST(Stun, TheSampleResponsesOfRfc5769AreReadAndProved) {
  const auto v4 = read_stun(sample_v4);
  ASSERT_TRUE(v4);
  EXPECT_EQ(v4->kind, StunKind::success);
  EXPECT_EQ(v4->mapped, endpoint("192.0.2.1", 32853));
  EXPECT_TRUE(has_integrity(*v4, sample_v4, key_of(sample_password)));
  const auto v6 = read_stun(sample_v6);
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->mapped, endpoint("2001:db8:1234:5678:11:2233:4455:6677", 32853));
  EXPECT_TRUE(has_integrity(*v6, sample_v6, key_of(sample_password)));
}

TEST(Stun, ASuccessTellsTheSenderWhereItIsSeenUnderThePassword) {
  const auto request = read_stun(sample_request);
  ASSERT_TRUE(request);
  for (const auto& from :
       {endpoint("192.0.2.1", 32853), endpoint("2001:db8:1234:5678:11:2233:4455:6677", 32853)}) {
    const auto answer = success_for(*request, from, sample_password);
    const auto read = read_stun(answer);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->kind, StunKind::success);
    EXPECT_EQ(read->transaction, request->transaction);
    EXPECT_EQ(read->mapped, from);
    EXPECT_TRUE(has_integrity(*read, answer, key_of(sample_password)));
    // The very bytes of the RFC's own mapped address.
    const auto& sample = from.address.is_v4() ? sample_v4 : sample_v6;
    const std::size_t length = from.address.is_v4() ? 12 : 24;
    EXPECT_EQ(base::as_text(Bytes(answer).subspan(20, length)),
              base::as_text(Bytes(sample).subspan(36, length)));
  }
}

TEST(Stun, EachErrorSaysItsCodeAndIsNeverSigned) {
  const auto request = read_stun(sample_request);
  ASSERT_TRUE(request);
  for (const auto error : {StunError::bad_request, StunError::unauthenticated,
                           StunError::role_conflict, StunError::unknown_attribute}) {
    auto asked = *request;
    asked.not_known = {0x7f01, 0x7f02};
    asked.not_known_count = 2;
    Buffer out(stun_answer_max);
    out.resize(write_stun_error(out, asked, error));
    const auto read = read_stun(out);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->kind, StunKind::error);
    EXPECT_EQ(read->integrity_at, 0u);
    EXPECT_EQ(out[26] * 100 + out[27], static_cast<int>(error));
    EXPECT_LE(out.size(), sample_request.size()) << "an answer must not amplify";
  }
}

TEST(Stun, AMessageChangedInAnyByteIsNotRead) {
  for (std::size_t i = 0; i < sample_request.size(); ++i) {
    auto changed = sample_request;
    changed[i] ^= 0x10;
    EXPECT_FALSE(read_stun(changed)) << "byte " << i;
  }
}

TEST(Stun, AMessageCutAnywhereIsNotRead) {
  for (std::size_t size = 0; size < sample_request.size(); ++size)
    EXPECT_FALSE(read_stun(Bytes(sample_request).first(size)));
}

TEST(Stun, AMessageWithoutFingerprintIsNotRead) {
  auto cut = Buffer(sample_request.begin(), sample_request.end() - 8);
  cut[3] = static_cast<std::uint8_t>(cut.size() - 20);
  EXPECT_FALSE(read_stun(cut));
}

TEST(Stun, WhatStandsAfterTheIntegrityDoesNotCount) {
  // An attacker can append to a signed message and mend the fingerprint.
  auto longer = Buffer(sample_request.begin(), sample_request.end() - 8);
  const auto use_candidate = bytes_of("00250000");
  longer.insert(longer.end(), use_candidate.begin(), use_candidate.end());
  longer[3] = static_cast<std::uint8_t>(longer.size() - 20 + 8);
  const auto crc = base::crc32(base::as_text(longer)) ^ 0x5354554e;
  for (const std::uint32_t byte : {0x80u, 0x28u, 0x00u, 0x04u, crc >> 24, crc >> 16, crc >> 8, crc})
    longer.push_back(static_cast<std::uint8_t>(byte));
  const auto read = read_stun(longer);
  ASSERT_TRUE(read);
  EXPECT_FALSE(read->nominates);
  EXPECT_TRUE(has_integrity(*read, longer, key_of(sample_password)));
}
