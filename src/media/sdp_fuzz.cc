// Any text as an offer: what is read is answered, in lines of visible text only, with a section for
// each of the offer's.
//
// SPDX-License-Identifier: Apache-2.0

#include <cstdlib>

#include "media/sdp.h"

using namespace stagedoor;
using namespace stagedoor::media;

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto offer = read_offer({reinterpret_cast<const char*>(data), size});
  if (!offer) {
    must(!offer.error().hint.empty());
    return 0;
  }
  static const CertificateHash certificate{};
  static const std::vector<Endpoint> candidates = {{*base::parse_address("203.0.113.5"), 40000}};
  const auto answer = write_answer(*offer, {.ice_user = "user",
                                            .ice_password = "password",
                                            .certificate = certificate,
                                            .candidates = candidates,
                                            .stream_name = "avatar"});
  std::size_t sections = 0;
  for (std::size_t i = 0; i < answer.size(); ++i) {
    const char c = answer[i];
    must((c >= ' ' && c < 0x7f) || (c == '\r' && answer[i + 1] == '\n') ||
         (c == '\n' && answer[i - 1] == '\r'));
    sections += c == '\n' && answer.compare(i + 1, 2, "m=") == 0;
  }
  must(sections == offer->sections.size());
  return 0;
}
