// Any bytes as the body of a mint call: no crash, and what is accepted is within its bounds.
#include <cstdlib>

#include "base/text.h"
#include "spatius/mint_request.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stagedoor;
  const auto read = spatius::read_mint_request(base::as_text({data, size}));
  if (!read) {
    if (read.error().error.hint.empty()) std::abort();
    return 0;
  }
  if (read->app_id.size() > 128 || read->avatar_id.size() > 128) std::abort();
  if (base::unix_seconds(read->expires_at) < 0) std::abort();
  return 0;
}
