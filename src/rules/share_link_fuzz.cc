// Any JSON as a share link and as a change of one: no crash, and what is taken is within its
// bounds.
#include <cstdlib>

#include "base/text.h"
#include "rules/session_token.h"
#include "rules/share_link.h"

namespace {

using namespace stagedoor;

const auto now = base::from_unix_seconds(1'790'000'000);

void must(bool holds) {
  if (!holds) std::abort();
}

void check(const rules::ShareLinkTerms& terms) {
  must(!terms.expires_at ||
       (*terms.expires_at > now && *terms.expires_at <= now + rules::share_link_lifetime_max));
  must(!terms.uses_max || (*terms.uses_max >= 1 && *terms.uses_max <= rules::share_link_uses_max));
  must(terms.allowed_origins.size() <= rules::session_token_origins_max);
  for (const auto& origin : terms.allowed_origins) must(rules::is_origin(origin));
  must(!rules::name_of(terms.kind).empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  base::JsonReader reader;
  const auto json = reader.read(base::as_text({data, size}));
  if (!json) return 0;
  if (const auto draft = rules::read_share_link(*json, now)) {
    must(!draft->persona_id.empty());
    check(draft->terms);
  } else {
    must(!draft.error().empty() && draft.error().size() <= base::field_faults_max);
  }
  if (const auto terms = rules::changed_terms({}, *json, now)) check(*terms);
  return 0;
}
