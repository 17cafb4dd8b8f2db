#include "rules/rate_limit.h"

#include <utility>

namespace stagedoor::rules {

std::string_view name_of(RateKind kind) {
  switch (kind) {
    case RateKind::api_key:
      return "api-key";
    case RateKind::person:
      return "person";
    case RateKind::stranger:
      return "stranger";
    case RateKind::password:
      return "password";
    case RateKind::login:
      return "login";
    case RateKind::account_creation:
      return "account-creation";
  }
  std::unreachable();
}

}  // namespace stagedoor::rules
