// Any bytes as a settings file: no crash, and what is accepted prints and reads back.
#include <cstdlib>

#include "base/text.h"
#include "server/config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stagedoor;
  const auto config = server::parse_config(base::as_text({data, size}), "fuzz");
  (void)server::parse_address(base::as_text({data, size}));
  if (config) (void)server::print_config(*config);
  return 0;
}
