// Any bytes as an import of keys: no crash, and what is accepted is within its bounds.
#include <cstdlib>

#include "api/key_json.h"
#include "base/text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stagedoor;
  const auto read = api::read_key_import(base::as_text({data, size}));
  if (!read) {
    if (read.error().hint.empty()) std::abort();
    return 0;
  }
  if (read->items.size() > actions::imported_at_once_max) std::abort();
  for (const auto& item : read->items)
    if (item.ends.size() > 32 || item.wish.name.empty() || item.wish.name.size() > 100)
      std::abort();
  return 0;
}
