// Key sets from elsewhere: no crash, bounded, and what is found is of the kind that was asked for.
#include <cstdlib>

#include "base/text.h"
#include "rules/jwk_set.h"
#include "rules/jwks_timetable.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stagedoor;
  const auto text = base::as_text({data, size});
  const auto half = text.size() / 2;
  const auto fresh_for = rules::jwks_freshness(text.substr(0, half), text.substr(half));
  if (fresh_for < rules::jwks_fresh_min || fresh_for > rules::jwks_fresh_max) std::abort();

  // As a set, as its only key, and as a member of a key.
  for (const auto& json :
       {std::string(text), "{\"keys\":[" + std::string(text) + "]}",
        "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"a\",\"x\":\"" +
            std::string(text) + "\"}]}"}) {
    const auto set = rules::JwkSet::parse(json);
    if (!set) continue;
    if (set->size() == 0 || set->size() > rules::jwk_set_keys_max) std::abort();
    for (std::size_t i = 0; i < crypto::signature_algorithms; ++i) {
      const auto algorithm = static_cast<crypto::SignatureAlgorithm>(i);
      for (const auto& kid : {std::optional<std::string>(), std::optional<std::string>("a")}) {
        const auto* key = set->find(kid, algorithm);
        if (key == nullptr) continue;
        if (key->kind() != crypto::kind_for(algorithm)) std::abort();
        if (key->verifies(algorithm, "x", std::string(64, '\0'))) std::abort();
      }
    }
  }
  return 0;
}
