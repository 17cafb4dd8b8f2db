// Whatever the query, it can be decoded without harm, and the value of a secret parameter is in no
// log.
//
// SPDX-License-Identifier: Apache-2.0

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "http/request_reader.h"

namespace {

using namespace stagedoor::http;

// In characters that a target may have.
constexpr std::string_view secret = "3a7f0c9bSECRETVALUEe41d88";

// The request line's bytes: what cannot stand in a target is left out.
std::string target_of(std::string_view bytes) {
  std::string target = "/x?";
  for (const char c : bytes) {
    if (c > ' ' && c < 0x7f && c != '#') target += c;
  }
  return target;
}

struct Read {
  explicit Read(const std::string& target) {
    const auto text = "GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n";
    input.make_room(text.size());
    text.copy(input.room(), text.size());
    input.received(text.size());
    reader.secrets_in_target(secrets);
    whole = reader.read(input) == RequestReader::Progress::complete;
  }

  const SecretsInTarget secrets{.query_names = {"token", "api_key"}};
  InputBuffer input;
  RequestReader reader{{.head_bytes_max = 1u << 20, .body_bytes_max = 0}};
  bool whole = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const auto at = 1 + data[0] % (size - 1);
  // The secret stands where a handler would read it: as the value of its name.
  const auto front = target_of(all.substr(1, at - 1));
  const auto back = target_of(all.substr(at)).substr(3);
  // The fuzzer watches our comparisons, and would say the secret aloud elsewhere.
  if ((front + back).contains(secret)) return 0;
  const char* const spellings[] = {"token", "TOKEN", "%74oken", "api_key", "a%70i%5Fkey"};
  const auto target = front + "&" + spellings[data[0] % 5] + "=" + std::string(secret) + back;
  const Read read(target);
  if (!read.whole) std::abort();
  const auto& request = read.reader.request();
  if (request.target_for_log().contains(secret)) std::abort();
  // What is shown of the other parameters is what was sent, so its decoding is the same.
  for (const std::string_view name : {"token", "a", "", "x"}) {
    const auto value = request.query(name);
    if (value && value->size() > target.size()) std::abort();
  }
  const auto decoded = percent_decoded(all, Plus::is_plus);
  if (decoded && !all.contains('%') && *decoded != all) std::abort();
  return 0;
}
