// Keys and tokens from strangers: no crash, nothing forged is believed.
#include <cstdlib>

#include "base/text.h"
#include "rules/account.h"
#include "rules/api_key.h"
#include "rules/session_token.h"
#include "rules/token_keys.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stagedoor;
  const auto text = base::as_text({data, size});
  (void)rules::ApiKeyText::parse(text);
  (void)rules::parse_api_key_id(text);
  if (const auto token = rules::read_claims(text)) {
    if (rules::read_claims(rules::claims_json(*token)) != *token) std::abort();
  }

  if (const auto email = rules::read_email(text)) {
    // Its key is an e-mail too, and its own key.
    const auto again = rules::read_email(email->key);
    if (!again || again->key != email->key) std::abort();
  }

  static const rules::TokenKeys keys = [] {
    std::vector<base::Secret> secrets;
    secrets.emplace_back(std::string(32, 'k'));
    return rules::TokenKeys(secrets, rules::TokenAlgorithm::hs256);
  }();
  if (keys.verify(text)) std::abort();
  // A genuine token with the input spliced in is genuine only where nothing changed.
  const auto good = keys.sign("{\"a\":1}");
  if (size > 1) {
    auto forged = good;
    forged.replace(data[0] % good.size(), data[1] % 8, text.substr(2));
    if (forged != good && keys.verify(forged)) std::abort();
  }
  return 0;
}
