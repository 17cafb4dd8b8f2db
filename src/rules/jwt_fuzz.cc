// Tokens from strangers: no crash, nothing forged is believed, and one token has one text.
#include <cstdlib>

#include "base/text.h"
#include "crypto/sign.h"
#include "rules/issuer.h"
#include "rules/jwk_set.h"
#include "rules/jwt.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stagedoor;
  const auto text = base::as_text({data, size});
  static const rules::IssuerPolicy policy = [] {
    rules::IssuerPolicy made;
    made.issuer = "i";
    made.audiences = {"a"};
    made.algorithms = {crypto::SignatureAlgorithm::eddsa};
    return made;
  }();
  static const crypto::Ed25519Key signer(base::Secret(std::string(32, 'k')));
  const auto now = base::from_unix_seconds(1'800'000'000);

  // As a token, as its header, and as its claims behind a good header.
  const auto header = base::base64url(R"({"alg":"EdDSA"})");
  for (const auto& token :
       {std::string(text), base::base64url(text) + ".e30.AA",
        header + "." + base::base64url(text) + "." + base::base64url(std::string(64, 's'))}) {
    const auto jwt = rules::read_jwt(token);
    if (!jwt) {
      if (jwt.error().code != base::ErrorCode::token_invalid) std::abort();
      continue;
    }
    if (jwt->signature.empty() || jwt->signed_bytes >= token.size()) std::abort();
    if (token.substr(jwt->signed_bytes + 1) != base::base64url(jwt->signature)) std::abort();
    if (signer.verifies(token.substr(0, jwt->signed_bytes), jwt->signature)) std::abort();
    (void)rules::check_header(policy, jwt->header);
    const auto identity = rules::check_claims(policy, jwt->claims, now);
    if (identity &&
        (identity->issuer != "i" || identity->subject.empty() || identity->expires_at <= now))
      std::abort();
  }
  return 0;
}
