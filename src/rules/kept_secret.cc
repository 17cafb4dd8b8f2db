#include "rules/kept_secret.h"

namespace stagedoor::rules {

SecretKeeper::SecretKeeper(const std::vector<base::Secret>& keys, base::Random& random)
    : random_(random) {
  for (const auto& key : keys) keys_.emplace_back(key);
}

std::string SecretKeeper::seal(std::string_view text, std::string_view belongs_to) const {
  return keys_.front().seal(text, belongs_to, random_);
}

std::optional<base::Secret> SecretKeeper::open(std::string_view sealed,
                                               std::string_view belongs_to) const {
  for (const auto& key : keys_)
    if (auto opened = key.open(sealed, belongs_to)) return opened;
  return std::nullopt;
}

bool SecretKeeper::is_current(std::string_view sealed, std::string_view belongs_to) const {
  return keys_.front().open(sealed, belongs_to).has_value();
}

}  // namespace stagedoor::rules
