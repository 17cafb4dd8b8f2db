#include "rules/end_user_limits.h"

#include <simdjson.h>

#include "rules/session_token.h"

namespace stagedoor::rules {

using base::ErrorCode;

base::Result<base::Done> check_end_user_id(std::string_view id) {
  if (!id.empty() && id.size() <= session_token_subject_bytes_max &&
      simdjson::validate_utf8(id.data(), id.size()))
    return base::Done{};
  return base::fail(ErrorCode::malformed, "an end user's id",
                    "end_user_id must be 1 to 256 bytes of UTF-8 text, percent-encoded in a path.");
}

std::string_view name_of(AppliedEndUserLimit::From from) {
  switch (from) {
    case AppliedEndUserLimit::From::end_user:
      return "end_user";
    case AppliedEndUserLimit::From::app:
      return "app";
    case AppliedEndUserLimit::From::settings:
      return "settings";
  }
  return {};
}

base::Result<base::Done> check_not_looser(const AppliedEndUserLimit& after,
                                          const AppliedEndUserLimit& before) {
  if (!is_higher(after.limit, before.limit)) return base::Done{};
  return base::fail(ErrorCode::forbidden, "an end user's limit raised by a key",
                    "An API key can't raise rate_limit of an end user from " +
                        text_of(before.limit) + " to " + text_of(after.limit) +
                        "; an admin of the workspace can.");
}

std::string text_of(const EndUserLimitChange& change) {
  return "end_user_id=" + change.end_user_id +
         ", rate_limit=" + (change.limit ? text_of(*change.limit) : "none");
}

}  // namespace stagedoor::rules
