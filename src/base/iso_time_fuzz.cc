// Any bytes as a time: no crash, and what is read is written and read again as the same moment.
#include <cstdlib>

#include "base/iso_time.h"
#include "base/text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stagedoor;
  const auto read = base::parse_iso_time(base::as_text({data, size}));
  if (read && base::parse_iso_time(base::iso_time(*read)) != read) std::abort();
  return 0;
}
