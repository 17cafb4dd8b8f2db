// JSON, base64url and hex from strangers: no crash, and what is read is what was written.
#include <cstdlib>

#include "base/json.h"
#include "base/text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stagedoor::base;
  const auto text = as_text({data, size});
  static JsonReader reader;
  (void)reader.read(text);

  std::string quoted;
  append_json_string(quoted, text);
  if (!reader.read(quoted)) std::abort();

  if (from_base64url(base64url(text)) != std::string(text)) std::abort();
  if (const auto bytes = from_base64url(text); bytes && base64url(*bytes) != text) std::abort();
  if (const auto bytes = from_hex(text); bytes && hex(*bytes) != text) std::abort();
  return 0;
}
