// DTLS 1.2 as the passive end of a WebRTC connection (RFC 8827 6.5, RFC 5764), over OpenSSL.
//
// Rule media-certificate-of-the-offer: the other end must show the very certificate whose SHA-256
// the offer named, or the handshake fails and no key exists. The offer came over the channel that
// checked the credential, so whoever only reaches our UDP port can neither see nor say anything.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "media/endpoint.h"

struct bio_method_st;
struct x509_store_ctx_st;

namespace stagedoor::media {

// SHA-256 of a certificate's DER form.
using CertificateHash = std::array<std::uint8_t, 32>;

// Our own certificate: ECDSA on P-256, signed by itself, made at start and never kept. One serves
// all sessions; read-only after it is made, so safe for concurrent use.
class DtlsIdentity {
 public:
  static base::Result<DtlsIdentity> make();
  DtlsIdentity(DtlsIdentity&&) noexcept;
  DtlsIdentity& operator=(DtlsIdentity&&) noexcept;
  ~DtlsIdentity();

  const CertificateHash& hash() const { return hash_; }

 private:
  friend class DtlsSession;
  struct Context;
  DtlsIdentity(std::unique_ptr<Context> context, const CertificateHash& hash);

  std::unique_ptr<Context> context_;
  CertificateHash hash_;
};

// Master keys and salts for SRTP_AES128_CM_SHA1_80 (RFC 5764 4.2); wiped at the end.
struct SrtpKeys {
  static constexpr std::size_t bytes = 16 + 14;
  std::array<std::uint8_t, bytes> ours{};    // what we send is protected by
  std::array<std::uint8_t, bytes> theirs{};  // what they send is protected by
  SrtpKeys() = default;
  SrtpKeys(const SrtpKeys&) = delete;
  SrtpKeys& operator=(const SrtpKeys&) = delete;
  SrtpKeys(SrtpKeys&&) = default;
  SrtpKeys& operator=(SrtpKeys&&) = default;
  ~SrtpKeys();
};

enum class DtlsState {
  handshaking,
  open,
  closed,  // the other end said goodbye (close_notify)
  failed,  // the handshake, or a fatal alert
};

// One session; used by one thread. OpenSSL holds about 40 KiB for it while it shakes hands, and
// refuses handshake messages beyond 16 KiB.
class DtlsSession {
 public:
  struct Outputs {
    std::function<void(Bytes)> datagram;  // to be sent as one datagram
    std::function<void(Bytes)> data;      // what the other end said, decrypted
  };

  static base::Result<std::unique_ptr<DtlsSession>> make(const DtlsIdentity& identity,
                                                         const CertificateHash& expected,
                                                         Outputs outputs);
  ~DtlsSession();
  DtlsSession(const DtlsSession&) = delete;
  DtlsSession& operator=(const DtlsSession&) = delete;

  // Garbage changes nothing (RFC 6347 4.1.2.7).
  DtlsState on_datagram(Bytes datagram);
  // Sends again what was not answered in time.
  DtlsState on_tick();

  // False: not open, or too long for one record. One call is one record and one datagram.
  bool write(Bytes data);
  // Says goodbye, once.
  void close();

  DtlsState state() const { return state_; }
  // Only when open.
  base::Result<SrtpKeys> srtp_keys() const;

 private:
  friend class DtlsIdentity;
  struct Machine;
  static int verify_certificate(x509_store_ctx_st* store, void* nothing);
  static void set_datagram_calls(bio_method_st* method);
  explicit DtlsSession(std::unique_ptr<Machine> machine);
  void advance();

  std::unique_ptr<Machine> machine_;
  DtlsState state_ = DtlsState::handshaking;
};

}  // namespace stagedoor::media
