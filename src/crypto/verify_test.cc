// Signatures as strangers send them: the published vectors hold, and nothing else does.
#include <gtest/gtest.h>

#include <openssl/pem.h>

#include <thread>

#include "base/text.h"
#include "crypto/signer_for_test.h"
#include "crypto/verify.h"

namespace stagedoor::crypto {
namespace {

using enum SignatureAlgorithm;

std::string bytes_of(std::string_view base64url) {
  return base::from_base64url(base64url).value();
}

std::string pem_of(const TestSigner& signer) {
  BIO* out = BIO_new(BIO_s_mem());
  PEM_write_bio_PUBKEY(out, signer.key());
  char* text = nullptr;
  const auto length = BIO_get_mem_data(out, &text);
  std::string pem(text, static_cast<std::size_t>(length));
  BIO_free(out);
  return pem;
}

PublicKey key_of(const TestSigner& signer) {
  return PublicKey::from_spki_pem(pem_of(signer)).value();
}

constexpr std::string_view rfc7515_n =
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4"
    "QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdb"
    "BYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-D"
    "WNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
constexpr std::string_view rfc7515_payload =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlf"
    "Q";

TEST(Verify, TheRs256VectorOfRfc7515A2Holds) {
  const auto key = PublicKey::rsa(bytes_of(rfc7515_n), bytes_of("AQAB"));
  ASSERT_TRUE(key);
  const auto input = "eyJhbGciOiJSUzI1NiJ9." + std::string(rfc7515_payload);
  auto signature = bytes_of(
      "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5"
      "jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb"
      "1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QO"
      "YEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw");
  EXPECT_TRUE(key->verifies(rs256, input, signature));
  EXPECT_FALSE(key->verifies(rs384, input, signature));
  EXPECT_FALSE(key->verifies(ps256, input, signature));
  EXPECT_FALSE(key->verifies(rs256, input + "x", signature));
  signature[7] = static_cast<char>(signature[7] ^ 1);
  EXPECT_FALSE(key->verifies(rs256, input, signature));
}

TEST(Verify, TheEs256VectorOfRfc7515A3Holds) {
  const auto key = PublicKey::p256(bytes_of("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
                                   bytes_of("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"));
  ASSERT_TRUE(key);
  const auto input = "eyJhbGciOiJFUzI1NiJ9." + std::string(rfc7515_payload);
  const auto signature = bytes_of(
      "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q");
  EXPECT_TRUE(key->verifies(es256, input, signature));
  EXPECT_FALSE(key->verifies(es384, input, signature));
  EXPECT_FALSE(key->verifies(es256, input + "x", signature));
}

TEST(Verify, TheEd25519VectorOfRfc8037A4Holds) {
  const auto key = PublicKey::ed25519(bytes_of("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"));
  ASSERT_TRUE(key);
  const std::string input = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
  const auto signature = bytes_of(
      "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
  EXPECT_TRUE(key->verifies(eddsa, input, signature));
  EXPECT_FALSE(key->verifies(es256, input, signature));
  EXPECT_FALSE(key->verifies(eddsa, input + "x", signature));
  EXPECT_FALSE(key->verifies(eddsa, input, signature.substr(0, 63)));
}

TEST(Verify, EveryAlgorithmVerifiesWhatItsKindSignedAndNothingSignedByAnother) {
  const auto rsa = TestSigner::rsa(), other_rsa = TestSigner::rsa();
  const auto p256 = TestSigner::p256(), p384 = TestSigner::p384(), ed = TestSigner::ed25519();
  const std::pair<SignatureAlgorithm, const TestSigner*> all[] = {
      {rs256, &rsa},  {rs384, &rsa},  {rs512, &rsa}, {ps256, &rsa},
      {es256, &p256}, {es384, &p384}, {eddsa, &ed}};
  for (const auto& [algorithm, signer] : all) {
    const auto key = key_of(*signer);
    const auto signature = signer->sign(algorithm, "words");
    for (int i = 0; i < 3; ++i) {
      EXPECT_TRUE(key.verifies(algorithm, "words", signature)) << name_of(algorithm);
      EXPECT_FALSE(key.verifies(algorithm, "Words", signature)) << name_of(algorithm);
      EXPECT_FALSE(key.verifies(algorithm, "words", "")) << name_of(algorithm);
      EXPECT_FALSE(key.verifies(algorithm, "words", std::string(signature.size(), '\0')))
          << name_of(algorithm);
      EXPECT_FALSE(key.verifies(algorithm, "words", signature + '\0')) << name_of(algorithm);
    }
    for (const auto& [foreign, ignored] : all)
      if (foreign != algorithm) {
        EXPECT_FALSE(key.verifies(foreign, "words", signature))
            << name_of(algorithm) << " as " << name_of(foreign);
      }
  }
  EXPECT_FALSE(key_of(other_rsa).verifies(rs256, "words", rsa.sign(rs256, "words")));
}

// CVE-2022-21449 and its kin.
TEST(Verify, PsychicSignaturesAndNumbersBeyondTheOrderAreRefused) {
  const std::pair<SignatureAlgorithm, std::string> curves[] = {
      {es256, "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"},
      {es384,
       "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc"
       "5"
       "2973"}};
  for (const auto& [algorithm, order_hex] : curves) {
    const auto signer = algorithm == es256 ? TestSigner::p256() : TestSigner::p384();
    const auto key = key_of(signer);
    const auto order_bytes = base::from_hex(order_hex).value();
    const std::string order(base::as_text(order_bytes));
    const std::string zero(order.size(), '\0'), most(order.size(), '\xff');
    std::string one = zero;
    one.back() = 1;
    const auto good = signer.sign(algorithm, "words");
    const auto r = good.substr(0, order.size()), s = good.substr(order.size());
    ASSERT_TRUE(key.verifies(algorithm, "words", good));
    for (const auto& forged : {zero + zero, zero + s, r + zero, order + order, order + s, r + order,
                               one + zero, most + most, one + one, order + zero, good + '\0',
                               '\0' + r + s, r + s.substr(1), std::string(), r})
      EXPECT_FALSE(key.verifies(algorithm, "words", forged)) << base::base64url(forged);
    // DER is another form; JOSE has only the one.
    EXPECT_FALSE(key.verifies(algorithm, "words", signer.sign_der(algorithm, "words")));
  }
}

TEST(Verify, ADerSignatureOfAP256KeyFromPemIsVerified) {
  const auto signer = TestSigner::p256();
  const auto key = PublicKey::from_spki_pem(pem_of(signer));
  ASSERT_TRUE(key);
  EXPECT_EQ(key->kind(), KeyKind::p256);
  const auto signature = signer.sign_der(es256, "payload");
  EXPECT_TRUE(key->verifies_der("payload", signature));
  EXPECT_FALSE(key->verifies_der("Payload", signature));
  EXPECT_FALSE(key->verifies_der("payload", ""));
  EXPECT_FALSE(key->verifies_der("payload", signature + "x"));
  EXPECT_FALSE(key->verifies_der("payload", std::string("\x30\x06\x02\x01\x00\x02\x01\x00", 8)));
  EXPECT_FALSE(key_of(TestSigner::ed25519()).verifies_der("payload", signature));
}

TEST(PublicKey, KeysThatAreTooSmallTooLargeOrOddAreRefused) {
  const auto number = [](std::size_t bytes, char first = '\xc1') {
    std::string out(bytes, '\x55');
    out.front() = first;
    return out;
  };
  const std::string f4 = "\x01" + std::string(1, '\0') + "\x01";
  EXPECT_TRUE(PublicKey::rsa(number(256), f4));
  EXPECT_TRUE(PublicKey::rsa('\0' + number(256), f4));
  EXPECT_TRUE(PublicKey::rsa(number(1024), f4));
  EXPECT_FALSE(PublicKey::rsa(number(128), f4));
  EXPECT_FALSE(PublicKey::rsa(number(256, '\x01'), f4)) << "2041 bits";
  EXPECT_FALSE(PublicKey::rsa(number(1025), f4));
  EXPECT_FALSE(PublicKey::rsa(std::string(5000, '\0') + number(256), f4));
  EXPECT_FALSE(PublicKey::rsa(std::string(256, '\0'), f4));
  EXPECT_FALSE(PublicKey::rsa("", f4));
  std::string even = number(256);
  even.back() = '\x54';
  EXPECT_FALSE(PublicKey::rsa(even, f4));
  for (const auto& exponent :
       {std::string(), std::string(1, '\0'), std::string("\x01"), std::string("\x02"),
        std::string("\x01\x01\x01\x01\x01"), number(256)})
    EXPECT_FALSE(PublicKey::rsa(number(256), exponent));
}

TEST(PublicKey, APointThatIsNotOnItsCurveIsRefused) {
  const auto x = bytes_of("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU");
  auto y = bytes_of("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
  EXPECT_TRUE(PublicKey::p256(x, y));
  EXPECT_FALSE(PublicKey::p256(x.substr(1), y));
  EXPECT_FALSE(PublicKey::p256(x, y + '\0'));
  EXPECT_FALSE(PublicKey::p384(x, y));
  y.back() = static_cast<char>(y.back() ^ 1);
  EXPECT_FALSE(PublicKey::p256(x, y));
  EXPECT_FALSE(PublicKey::p256(std::string(32, '\0'), std::string(32, '\0')));
  EXPECT_FALSE(PublicKey::p256(std::string(32, '\xff'), std::string(32, '\xff')));
  EXPECT_FALSE(PublicKey::ed25519(std::string(31, 'x')));
}

TEST(PublicKey, APemThatIsNoPublicKeyOfOursIsRefused) {
  const auto good = pem_of(TestSigner::p256());
  EXPECT_TRUE(PublicKey::from_spki_pem(good));
  EXPECT_FALSE(PublicKey::from_spki_pem(""));
  EXPECT_FALSE(PublicKey::from_spki_pem("-----BEGIN PUBLIC KEY-----\n"));
  EXPECT_FALSE(PublicKey::from_spki_pem(good.substr(0, good.size() / 2)));
  EXPECT_FALSE(PublicKey::from_spki_pem(std::string(9000, 'A')));
  EXPECT_FALSE(PublicKey::from_spki_pem(pem_of(TestSigner::rsa(1024))));
}

TEST(SignatureAlgorithm, OnlyTheExactNamesAreKnown) {
  for (const auto* name : {"RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"}) {
    const auto algorithm = parse_signature_algorithm(name);
    ASSERT_TRUE(algorithm) << name;
    EXPECT_EQ(name_of(*algorithm), name);
  }
  for (const auto* name : {"none", "None", "NONE", "nOnE", "", "HS256", "rs256", "EDDSA", "Ed25519",
                           "ES256K", "ES512", "RS256 ", "RS1"})
    EXPECT_FALSE(parse_signature_algorithm(name)) << name;
}

TEST(Verify, ManyThreadsMayAskOneKeyAtOnce) {
  const auto signer = TestSigner::p256();
  const auto key = key_of(signer);
  const auto signature = signer.sign(es256, "words");
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int j = 0; j < 50; ++j) {
        EXPECT_TRUE(key.verifies(es256, "words", signature));
        EXPECT_FALSE(key.verifies(es256, "other words", signature));
      }
    });
}

}  // namespace
}  // namespace stagedoor::crypto
