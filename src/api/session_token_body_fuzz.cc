// Any bytes as the body of a minting and of a revocation: no crash, what is refused is told with a
// hint, and what is accepted is within its bounds.
#include <cstdint>
#include <cstdlib>

#include "api/session_tokens.h"
#include "base/json.h"
#include "base/text.h"
#include "rules/session_token.h"

namespace {

using namespace stagedoor;

void require(bool holds) {
  if (!holds) std::abort();
}

void check_mint(std::string_view body) {
  const auto now = base::from_unix_seconds(1'790'000'000);
  const auto read = api::read_mint_body(body, now);
  if (!read) return require(!read.error().hint.empty());
  const auto* wanted = &read->token;
  require(wanted->end_user_id.size() <= rules::session_token_subject_bytes_max);
  require(wanted->metadata.size() <= rules::session_token_metadata_bytes_max);
  if (!wanted->metadata.empty()) {
    base::JsonReader reader;
    require(reader.read(wanted->metadata).has_value());
  }
  require(wanted->regions.size() <= rules::session_token_regions_max);

  require(wanted->allowed_origins.size() <= rules::session_token_origins_max);
}

void check_revocation(std::string_view body) {
  const auto wanted = api::read_revocation(body);
  if (!wanted) return require(!wanted.error().hint.empty());
  require(!wanted->value.empty());
  require(wanted->value.size() <= rules::session_token_bytes_max);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto body = base::as_text({data, size});
  check_mint(body);
  check_revocation(body);
  return 0;
}
