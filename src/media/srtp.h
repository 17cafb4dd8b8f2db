// SRTP and SRTCP (RFC 3711) under the keys of a DTLS session, over libsrtp.
//
// Packets are protected and opened where they lie. libsrtp keeps a little for each source that a
// genuine packet came from; here it is eight in all, and a ninth is refused, so that not even an
// authenticated client can make us grow. Replays are refused within a window of 1024.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/result.h"
#include "media/dtls.h"
#include "media/endpoint.h"

namespace stagedoor::media {

// Used by one thread. A Stack (media/sctp.h) must be there.
class Srtp {
 public:
  static constexpr std::size_t trailer_max = 16;  // room that a packet needs behind it
  static constexpr std::size_t sources_max = 8;   // that are heard

  static base::Result<std::unique_ptr<Srtp>> make(const SrtpKeys& keys);
  ~Srtp();
  Srtp(const Srtp&) = delete;
  Srtp& operator=(const Srtp&) = delete;

  // Of the `length` bytes at the front of the buffer; the protected length. nullopt: no room, or
  // the key is used up.
  std::optional<std::size_t> protect(MutableBytes buffer, std::size_t length);
  std::optional<std::size_t> protect_rtcp(MutableBytes buffer, std::size_t length);

  // The opened length. nullopt: not genuine, come before, or of a ninth source.
  std::optional<std::size_t> open(MutableBytes packet);
  std::optional<std::size_t> open_rtcp(MutableBytes packet);

 private:
  struct Contexts;
  explicit Srtp(std::unique_ptr<Contexts> contexts);
  bool may_hear(std::uint32_t source) const;
  void heard(std::uint32_t source);

  std::unique_ptr<Contexts> contexts_;
  std::array<std::uint32_t, sources_max> sources_{};
  std::size_t source_count_ = 0;
};

}  // namespace stagedoor::media
