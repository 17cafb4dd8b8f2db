// SPDX-License-Identifier: Apache-2.0

#include "media/srtp.h"

#include <srtp2/srtp.h>

#include <algorithm>

#include "media/big_endian.h"

namespace stagedoor::media {

struct Srtp::Contexts {
  srtp_t out = nullptr, in = nullptr;
  ~Contexts() {
    if (out) srtp_dealloc(out);
    if (in) srtp_dealloc(in);
  }
};

namespace {

srtp_t context_of(const std::array<std::uint8_t, SrtpKeys::bytes>& key, srtp_ssrc_type_t kind) {
  srtp_policy_t policy{};
  srtp_crypto_policy_set_rtp_default(&policy.rtp);  // AES_CM_128_HMAC_SHA1_80
  srtp_crypto_policy_set_rtcp_default(&policy.rtcp);
  policy.ssrc.type = kind;
  policy.key = const_cast<unsigned char*>(key.data());
  policy.window_size = 1024;
  srtp_t context = nullptr;
  if (srtp_create(&context, &policy) != srtp_err_status_ok) return nullptr;
  return context;
}

}  // namespace

base::Result<std::unique_ptr<Srtp>> Srtp::make(const SrtpKeys& keys) {
  auto contexts = std::make_unique<Contexts>();
  contexts->out = context_of(keys.ours, ssrc_any_outbound);
  contexts->in = context_of(keys.theirs, ssrc_any_inbound);
  if (!contexts->out || !contexts->in)
    return base::fail(base::ErrorCode::unavailable, "libsrtp made no context");
  return std::unique_ptr<Srtp>(new Srtp(std::move(contexts)));
}

Srtp::Srtp(std::unique_ptr<Contexts> contexts) : contexts_(std::move(contexts)) {}
Srtp::~Srtp() = default;

std::optional<std::size_t> Srtp::protect(MutableBytes buffer, std::size_t length) {
  if (length + trailer_max > buffer.size()) return std::nullopt;
  int size = static_cast<int>(length);
  if (srtp_protect(contexts_->out, buffer.data(), &size) != srtp_err_status_ok) return std::nullopt;
  return static_cast<std::size_t>(size);
}

std::optional<std::size_t> Srtp::protect_rtcp(MutableBytes buffer, std::size_t length) {
  if (length + trailer_max > buffer.size()) return std::nullopt;
  int size = static_cast<int>(length);
  if (srtp_protect_rtcp(contexts_->out, buffer.data(), &size) != srtp_err_status_ok)
    return std::nullopt;
  return static_cast<std::size_t>(size);
}

bool Srtp::may_hear(std::uint32_t source) const {
  const auto end = sources_.begin() + source_count_;
  return source_count_ < sources_max || std::find(sources_.begin(), end, source) != end;
}

void Srtp::heard(std::uint32_t source) {
  const auto end = sources_.begin() + source_count_;
  if (std::find(sources_.begin(), end, source) == end) sources_[source_count_++] = source;
}

std::optional<std::size_t> Srtp::open(MutableBytes packet) {
  if (packet.size() < 12) return std::nullopt;
  const auto source = read_u32(&packet[8]);
  if (!may_hear(source)) return std::nullopt;
  int size = static_cast<int>(packet.size());
  if (srtp_unprotect(contexts_->in, packet.data(), &size) != srtp_err_status_ok)
    return std::nullopt;
  heard(source);
  return static_cast<std::size_t>(size);
}

std::optional<std::size_t> Srtp::open_rtcp(MutableBytes packet) {
  if (packet.size() < 8) return std::nullopt;
  const auto source = read_u32(&packet[4]);
  if (!may_hear(source)) return std::nullopt;
  int size = static_cast<int>(packet.size());
  if (srtp_unprotect_rtcp(contexts_->in, packet.data(), &size) != srtp_err_status_ok)
    return std::nullopt;
  heard(source);
  return static_cast<std::size_t>(size);
}

}  // namespace stagedoor::media
