// SPDX-License-Identifier: Apache-2.0

#include "crypto/hmac_sha1.h"

#include <gtest/gtest.h>

#include <string>

#include "base/text.h"

using stagedoor::base::hex;
using stagedoor::base::Secret;
using stagedoor::crypto::HmacSha1Key;

// RFC 2202 3, cases 1, 2 and 6.
TEST(HmacSha1, TheVectorsOfRfc2202ComeOut) {
  EXPECT_EQ(hex(HmacSha1Key(Secret(std::string(20, '\x0b'))).mac("Hi There")),
            "b617318655057264e28bc0b6fb378c8ef146be00");
  EXPECT_EQ(hex(HmacSha1Key(Secret(std::string("Jefe"))).mac("what do ya want for nothing?")),
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
  EXPECT_EQ(hex(HmacSha1Key(Secret(std::string(80, '\xaa')))
                    .mac("Test Using Larger Than Block-Size Key - Hash Key First")),
            "aa4ae5e15272d00e95705637ce8a3b55ed402112");
}

TEST(HmacSha1, TwoPartsAreTheirSum) {
  const HmacSha1Key key(Secret(std::string("Jefe")));
  EXPECT_EQ(key.mac("what do ya ", "want for nothing?"), key.mac("what do ya want for nothing?"));
}
