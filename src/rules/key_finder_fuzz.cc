// Any bytes, cut anywhere: no crash, and the same keys found as when they come at once.
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "base/text.h"
#include "rules/key_finder.h"

namespace {

using namespace stagedoor;

std::vector<std::uint64_t> lines_of(std::string_view text, std::size_t piece_bytes) {
  std::vector<std::uint64_t> lines;
  rules::KeyFinder finder(
      [&](const rules::ApiKeyText&, std::uint64_t line) { lines.push_back(line); });
  for (std::size_t at = 0; at < text.size(); at += piece_bytes)
    finder.take(text.substr(at, piece_bytes));
  return lines;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::size_t piece_bytes = 1 + data[0] % 97;
  const auto text = base::as_text({data + 1, size - 1});
  if (lines_of(text, piece_bytes) != lines_of(text, size)) std::abort();
  return 0;
}
