#include "rules/invitation.h"

namespace stagedoor::rules {

base::Secret new_invitation_code(base::Random& random) {
  return base::Secret("inv_" + base::random_base62(random, 43));
}

crypto::Digest hash_of_invitation_code(std::string_view code) {
  return crypto::sha256(code);
}

std::unexpected<base::Error> no_such_invitation(std::string detail) {
  return base::fail(base::ErrorCode::not_found, std::move(detail),
                    "There is no open invitation with this code for this e-mail.");
}

base::Result<base::Done> check_accepts(const Invitation& invitation, std::string_view email_key,
                                       base::Instant now) {
  if (invitation.accepted_at) return no_such_invitation("an invitation that was accepted");
  if (now >= invitation.expires_at) return no_such_invitation("an invitation that has expired");
  if (invitation.email_key != email_key)
    return no_such_invitation("an invitation for another e-mail");
  return base::Done{};
}

}  // namespace stagedoor::rules
