// Any bytes as STUN, as they are and under a mended fingerprint: what is read can be answered, and
// the answer is read back as what was meant.
//
// SPDX-License-Identifier: Apache-2.0

#include <cstdlib>
#include <vector>

#include "base/text.h"
#include "media/big_endian.h"
#include "media/stun.h"

using namespace stagedoor;
using namespace stagedoor::media;

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

void check(Bytes message) {
  static const crypto::HmacSha1Key password(base::Secret(std::string(24, 'p')));
  const auto read = read_stun(message);
  if (!read) return;
  has_integrity(*read, message, password);
  const Endpoint from{.address = *base::parse_address("192.0.2.1"), .port = 9};
  std::vector<std::uint8_t> out(stun_answer_max);
  out.resize(write_stun_success(out, *read, from, password));
  const auto back = read_stun(out);
  must(back && back->mapped == from && has_integrity(*back, out, password));
  out.resize(stun_answer_max);
  out.resize(write_stun_error(out, *read, StunError::unknown_attribute));
  must(read_stun(out).has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check({data, size});
  if (size < 20 || size > stun_message_max - 12) return 0;
  std::vector<std::uint8_t> mended(data, data + size);
  mended.resize((size + 3) & ~std::size_t{3});
  write_u16(&mended[0], static_cast<std::uint16_t>(data[0] & 1 ? 0x0001 : 0x0101));
  write_u16(&mended[2], static_cast<std::uint16_t>(mended.size() - 20 + 8));
  write_u32(&mended[4], 0x2112a442);
  const auto crc = base::crc32(base::as_text(mended)) ^ 0x5354554e;
  mended.resize(mended.size() + 8);
  write_u32(&mended[mended.size() - 8], 0x80280004);
  write_u32(&mended[mended.size() - 4], crc);
  check(mended);
  return 0;
}
