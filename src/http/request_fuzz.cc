// Any bytes, cut in any way, are read as the same requests and refusals.
//
// SPDX-License-Identifier: Apache-2.0

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "http/request_reader.h"

namespace {

using namespace stagedoor::http;

// Small, so that the limits are met.
constexpr ReaderLimits limits{.head_bytes_max = 512, .body_bytes_max = 64};

// All that a door can see of a request.
std::string seen(const RequestReader& reader) {
  const auto& request = reader.request();
  std::string text;
  const auto add = [&text](std::string_view part) {
    text += std::to_string(part.size()) + ":";
    text += part;
  };
  add(request.method());
  add(request.path());
  add(request.target_for_log());
  for (const auto& [name, value] : request.headers()) {
    add(name);
    add(value);
  }
  add(request.body());
  return text + (reader.keeps_alive() ? "k" : "c") + (reader.expects_continue() ? "e" : "-");
}

// Reads all requests in the bytes, given as the cuts say; each byte of `cuts` is the size of a
// piece, over and over.
std::vector<std::string> readings(std::string_view bytes, std::string_view cuts) {
  std::vector<std::string> found;
  InputBuffer input;
  RequestReader reader(limits);
  std::size_t cut = 0;
  while (!bytes.empty()) {
    const auto wanted = cuts.empty()
                            ? bytes.size()
                            : 1 + static_cast<unsigned char>(cuts[cut++ % cuts.size()]) % 64;
    const auto piece = bytes.substr(0, wanted);
    bytes.remove_prefix(piece.size());
    reader.rebase(input.make_room(piece.size()));
    std::memcpy(input.room(), piece.data(), piece.size());
    input.received(piece.size());
    while (input.size() > 0) {
      const auto progress = reader.read(input);
      if (progress == RequestReader::Progress::need_more) break;
      if (progress == RequestReader::Progress::refused) {
        found.push_back("refused " + std::to_string(reader.refusal().status));
        return found;
      }
      found.push_back(seen(reader));
      input.consume(reader.bytes_used());
      reader.reset();
    }
  }
  return found;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const auto cut_count = std::min<std::size_t>(data[0] % 8 + 1, size - 1);
  const auto cuts = all.substr(1, cut_count);
  const auto bytes = all.substr(1 + cut_count);
  const auto whole = readings(bytes, "");
  if (readings(bytes, cuts) != whole) std::abort();
  if (readings(bytes, std::string_view("\0", 1)) != whole) std::abort();
  return 0;
}
