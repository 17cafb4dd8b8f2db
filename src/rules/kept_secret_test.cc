#include "rules/kept_secret.h"

#include <gtest/gtest.h>

#include "crypto/random.h"

namespace stagedoor::rules {
namespace {

SecretKeeper keeper(std::initializer_list<char> generations) {
  static crypto::SystemRandom random;
  std::vector<base::Secret> keys;
  for (const char one : generations) keys.emplace_back(std::string(32, one));
  return SecretKeeper(keys, random);
}

// Rule kept-secret-sealed.
TEST(KeptSecret, IsNotToBeReadInWhatIsKeptAndOpensOnlyWhereItBelongs) {
  const auto keeps = keeper({'a'});
  const auto sealed = keeps.seal("sk-very-secret", "language_model 1");
  EXPECT_FALSE(sealed.contains("secret"));
  EXPECT_EQ(keeps.open(sealed, "language_model 1")->expose(), "sk-very-secret");
  EXPECT_FALSE(keeps.open(sealed, "language_model 2"));
}

// Rule kept-secret-survives-rotation.
TEST(KeptSecret, OpensUnderTheOlderGenerationAndIsSealedUnderTheNewerOne) {
  const auto sealed = keeper({'a'}).seal("hush", "x");
  const auto rotated = keeper({'b', 'a'});
  EXPECT_EQ(rotated.open(sealed, "x")->expose(), "hush");
  EXPECT_FALSE(rotated.is_current(sealed, "x"));
  const auto anew = rotated.seal(rotated.open(sealed, "x")->expose(), "x");
  EXPECT_TRUE(rotated.is_current(anew, "x"));
  const auto twice = keeper({'c', 'b'});
  EXPECT_FALSE(twice.open(sealed, "x"));
  EXPECT_EQ(twice.open(anew, "x")->expose(), "hush");
}

}  // namespace
}  // namespace stagedoor::rules
