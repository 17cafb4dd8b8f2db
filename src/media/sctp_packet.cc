#include "media/sctp_packet.h"

#include <algorithm>
#include <optional>

#include "media/big_endian.h"

namespace stagedoor::media {
namespace {

constexpr std::size_t common_header_bytes = 12;
// Of chunks and of parameters alike: a length in bytes 2 and 3 that counts these four as well.
constexpr std::size_t head_bytes = 4;

// The first chunk or parameter of `rest`, without its padding; nullopt: it can't be one.
std::optional<Bytes> first_of(Bytes rest) {
  const std::size_t length = read_u16(&rest[2]);
  if (length < head_bytes || length > rest.size()) return std::nullopt;
  return rest.first(length);
}

Bytes after(Bytes rest, Bytes first) {
  const auto padded = (first.size() + 3) & ~std::size_t{3};
  return rest.subspan(std::min(padded, rest.size()));
}

// Where the parameters of a chunk of this type begin; 0: they are not looked at.
std::size_t parameters_at(std::uint8_t chunk_type) {
  constexpr std::uint8_t init = 1, init_ack = 2, re_config = 130;
  if (chunk_type == init || chunk_type == init_ack) return 20;
  return chunk_type == re_config ? head_bytes : 0;
}

bool has_sound_parameters(Bytes chunk) {
  const auto at = parameters_at(chunk[0]);
  if (at == 0) return true;
  if (chunk.size() < at) return false;
  for (auto rest = chunk.subspan(at); rest.size() >= head_bytes;) {
    const auto parameter = first_of(rest);
    if (!parameter) return false;
    rest = after(rest, *parameter);
  }
  return true;
}

}  // namespace

bool has_sound_lengths(Bytes sctp_packet) {
  if (sctp_packet.size() < common_header_bytes) return false;
  for (auto rest = sctp_packet.subspan(common_header_bytes); rest.size() >= head_bytes;) {
    const auto chunk = first_of(rest);
    if (!chunk || !has_sound_parameters(*chunk)) return false;
    rest = after(rest, *chunk);
  }
  return true;
}

}  // namespace stagedoor::media
