#include "rules/redemption.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace stagedoor::rules {

ClientMarker::ClientMarker(std::vector<crypto::HmacKey> generations)
    : generations_(std::move(generations)) {}

base::Result<std::vector<ClientMark>> ClientMarker::marks(std::string_view nonce,
                                                          const SessionTokenId& token) const {
  if (nonce.size() < client_nonce_bytes_min || nonce.size() > client_nonce_bytes_max ||
      !std::ranges::all_of(nonce, [](char c) { return c > ' ' && c < 0x7f; })) {
    return base::fail(base::ErrorCode::malformed, "a client nonce in no form",
                      "A client nonce has 16 to 128 visible ASCII characters");
  }
  // The id has a fixed length, so what follows it can't be taken for a part of it.
  std::string said(base::as_text(token));
  said += nonce;
  std::vector<ClientMark> marks;
  for (const auto& key : generations_) {
    const auto digest = key.mac(said);
    std::ranges::copy_n(digest.begin(), std::tuple_size_v<ClientMark>,
                        marks.emplace_back().begin());
  }
  return marks;
}

bool may_resume(std::string_view end_reason) {
  // What the client may not even know of. Whom we have sent away stays away.
  constexpr std::array<std::string_view, 7> resumable = {
      "", "client", "lost", "replaced", "mistake", "server_died", "shutting_down"};
  return std::ranges::find(resumable, end_reason) != resumable.end();
}

}  // namespace stagedoor::rules
