// SPDX-License-Identifier: Apache-2.0

#include "media/dtls.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "crypto/hash.h"

namespace stagedoor::media {

namespace {

// The largest DTLS record that we send, and the largest plaintext in one: AES-GCM and the header
// take 37 bytes.
constexpr long record_bytes_max = 1200;
constexpr std::size_t data_bytes_max = 1200 - 37;
// Beyond this many bytes of handshake without an end, nobody means to end it.
constexpr std::size_t handshake_bytes_max = 256 * 1024;

template <auto free_it>
struct Freer {
  void operator()(auto* what) const { free_it(what); }
};
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using ContextHandle = std::unique_ptr<SSL_CTX, Freer<SSL_CTX_free>>;

std::unexpected<base::Error> trouble(std::string_view what) {
  std::string detail = "dtls: " + std::string(what);
  if (const auto code = ERR_get_error())
    detail += std::string(": ") + ERR_reason_error_string(code);
  ERR_clear_error();
  return base::fail(base::ErrorCode::unavailable, std::move(detail));
}

std::optional<CertificateHash> hash_of(X509* certificate) {
  CertificateHash hash;
  unsigned int length = 0;
  if (!certificate || X509_digest(certificate, EVP_sha256(), hash.data(), &length) != 1)
    return std::nullopt;
  return hash;
}

Certificate self_signed(EVP_PKEY* key) {
  Certificate certificate(X509_new());
  std::uint64_t serial = 0;
  if (!certificate || RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) != 1)
    return nullptr;
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), serial >> 1);
  // The other end compares the fingerprint and nothing else; a day back for clocks that differ.
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -24L * 3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 10L * 365 * 24 * 3600);
  auto* const name = X509_get_subject_name(certificate.get());
  const auto* const text = reinterpret_cast<const unsigned char*>("WebRTC");
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  X509_set_pubkey(certificate.get(), key);
  return X509_sign(certificate.get(), key, EVP_sha256()) > 0 ? std::move(certificate) : nullptr;
}

struct BioMethodHolder {
  BIO_METHOD* method = nullptr;
  ~BioMethodHolder() { BIO_meth_free(method); }
};

}  // namespace

struct DtlsIdentity::Context {
  ContextHandle ssl;
  BioMethodHolder bio;
};

// OpenSSL's end of a session: what it reads is the datagram at hand, what it writes goes out as
// one datagram each.
struct DtlsSession::Machine {
  Outputs outputs;
  CertificateHash expected;
  std::unique_ptr<SSL, Freer<SSL_free>> ssl;
  Bytes at_hand;  // not yet read by OpenSSL
  std::size_t handshake_bytes = 0;
  std::array<std::uint8_t, 16384> plain;

  static int write(BIO* bio, const char* bytes, int length) {
    auto& self = *static_cast<Machine*>(BIO_get_data(bio));
    self.outputs.datagram(
        {reinterpret_cast<const std::uint8_t*>(bytes), static_cast<std::size_t>(length)});
    return length;
  }

  static int read(BIO* bio, char* out, int room) {
    auto& self = *static_cast<Machine*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    if (self.at_hand.empty()) {
      BIO_set_retry_read(bio);
      return -1;
    }
    const auto length = std::min(self.at_hand.size(), static_cast<std::size_t>(room));
    std::copy_n(self.at_hand.begin(), length, reinterpret_cast<std::uint8_t*>(out));
    self.at_hand = {};  // as from a socket: what does not fit is gone
    return static_cast<int>(length);
  }

  static long control(BIO*, int command, long, void*) {
    switch (command) {
      case BIO_CTRL_FLUSH:
        return 1;
      case BIO_CTRL_DGRAM_QUERY_MTU:
      case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
        return record_bytes_max;
      default:
        return 0;
    }
  }

  // Rule media-certificate-of-the-offer, at the one place where it is enforced: no chain, no
  // dates, no names, but this very certificate.
  static int verify(X509_STORE_CTX* store, void*) {
    auto* const ssl =
        static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    const auto& self = *static_cast<Machine*>(SSL_get_app_data(ssl));
    const auto shown = hash_of(X509_STORE_CTX_get0_cert(store));
    if (shown && crypto::equal(base::as_text(*shown), base::as_text(self.expected))) {
      X509_STORE_CTX_set_error(store, X509_V_OK);
      return 1;
    }
    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
    return 0;
  }
};

DtlsIdentity::DtlsIdentity(std::unique_ptr<Context> context, const CertificateHash& hash)
    : context_(std::move(context)), hash_(hash) {}
DtlsIdentity::DtlsIdentity(DtlsIdentity&&) noexcept = default;
DtlsIdentity& DtlsIdentity::operator=(DtlsIdentity&&) noexcept = default;
DtlsIdentity::~DtlsIdentity() = default;

namespace {

bool set_up(SSL_CTX* ssl, EVP_PKEY* key, X509* certificate) {
  SSL_CTX_set_min_proto_version(ssl, DTLS1_2_VERSION);
  SSL_CTX_set_options(ssl, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                               SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_SINGLE_ECDH_USE);
  SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_max_cert_list(ssl, 16384);
  SSL_CTX_set_quiet_shutdown(ssl, 0);
  SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  // RFC 8827 6.5, and no cipher without authenticated encryption and forward secrecy.
  return SSL_CTX_set_cipher_list(ssl, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 &&
         SSL_CTX_set1_groups_list(ssl, "X25519:P-256") == 1 &&
         // Zero is success here.
         SSL_CTX_set_tlsext_use_srtp(ssl, "SRTP_AES128_CM_SHA1_80") == 0 &&
         SSL_CTX_use_certificate(ssl, certificate) == 1 && SSL_CTX_use_PrivateKey(ssl, key) == 1;
}

}  // namespace

base::Result<DtlsIdentity> DtlsIdentity::make() {
  const Key key(EVP_EC_gen("P-256"));
  if (!key) return trouble("no key");
  const auto certificate = self_signed(key.get());
  const auto hash = hash_of(certificate.get());
  if (!hash) return trouble("no certificate");

  auto context = std::make_unique<Context>();
  context->ssl.reset(SSL_CTX_new(DTLS_server_method()));
  if (!context->ssl || !set_up(context->ssl.get(), key.get(), certificate.get()))
    return trouble("no context");
  SSL_CTX_set_cert_verify_callback(context->ssl.get(), DtlsSession::verify_certificate, nullptr);

  auto& method = context->bio.method;
  method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "datagrams");
  if (!method) return trouble("no BIO");
  DtlsSession::set_datagram_calls(method);
  return DtlsIdentity(std::move(context), *hash);
}

int DtlsSession::verify_certificate(X509_STORE_CTX* store, void* nothing) {
  return Machine::verify(store, nothing);
}

void DtlsSession::set_datagram_calls(BIO_METHOD* method) {
  BIO_meth_set_write(method, Machine::write);
  BIO_meth_set_read(method, Machine::read);
  BIO_meth_set_ctrl(method, Machine::control);
}

SrtpKeys::~SrtpKeys() {
  OPENSSL_cleanse(ours.data(), ours.size());
  OPENSSL_cleanse(theirs.data(), theirs.size());
}

base::Result<std::unique_ptr<DtlsSession>> DtlsSession::make(const DtlsIdentity& identity,
                                                             const CertificateHash& expected,
                                                             Outputs outputs) {
  auto machine = std::make_unique<Machine>();
  machine->outputs = std::move(outputs);
  machine->expected = expected;
  machine->ssl.reset(SSL_new(identity.context_->ssl.get()));
  BIO* const bio = BIO_new(identity.context_->bio.method);
  if (!machine->ssl || !bio) {
    BIO_free(bio);
    return trouble("no session");
  }
  BIO_set_data(bio, machine.get());
  BIO_set_init(bio, 1);
  auto* const ssl = machine->ssl.get();
  SSL_set_bio(ssl, bio, bio);
  SSL_set_app_data(ssl, machine.get());
  SSL_set_mtu(ssl, record_bytes_max);
  SSL_set_accept_state(ssl);
  return std::unique_ptr<DtlsSession>(new DtlsSession(std::move(machine)));
}

DtlsSession::DtlsSession(std::unique_ptr<Machine> machine) : machine_(std::move(machine)) {}
DtlsSession::~DtlsSession() = default;

DtlsState DtlsSession::on_datagram(Bytes datagram) {
  if (state_ == DtlsState::closed || state_ == DtlsState::failed) return state_;
  if (state_ == DtlsState::handshaking) {
    machine_->handshake_bytes += datagram.size();
    if (machine_->handshake_bytes > handshake_bytes_max) return state_ = DtlsState::failed;
  }
  machine_->at_hand = datagram;
  advance();
  machine_->at_hand = {};
  return state_;
}

// Takes everything that is at hand: handshake messages, records of data, alerts.
void DtlsSession::advance() {
  auto* const ssl = machine_->ssl.get();
  // A datagram of 1500 bytes holds fewer records than this.
  for (int i = 0; i < 128; ++i) {
    ERR_clear_error();
    if (state_ == DtlsState::handshaking) {
      const int done = SSL_do_handshake(ssl);
      if (done != 1) {
        if (SSL_get_error(ssl, done) != SSL_ERROR_WANT_READ) state_ = DtlsState::failed;
        return;
      }
      state_ = DtlsState::open;
    }
    const int length =
        SSL_read(ssl, machine_->plain.data(), static_cast<int>(machine_->plain.size()));
    if (length <= 0) {
      const int error = SSL_get_error(ssl, length);
      if (error == SSL_ERROR_ZERO_RETURN) state_ = DtlsState::closed;
      if (error == SSL_ERROR_SSL || error == SSL_ERROR_SYSCALL) state_ = DtlsState::failed;
      return;
    }
    machine_->outputs.data({machine_->plain.data(), static_cast<std::size_t>(length)});
    if (state_ != DtlsState::open) return;
  }
}

DtlsState DtlsSession::on_tick() {
  if (state_ != DtlsState::handshaking) return state_;
  ERR_clear_error();
  // Negative once the other end has not answered for a dozen rounds.
  if (DTLSv1_handle_timeout(machine_->ssl.get()) < 0) state_ = DtlsState::failed;
  return state_;
}

bool DtlsSession::write(Bytes data) {
  if (state_ != DtlsState::open || data.empty() || data.size() > data_bytes_max) return false;
  ERR_clear_error();
  return SSL_write(machine_->ssl.get(), data.data(), static_cast<int>(data.size())) > 0;
}

void DtlsSession::close() {
  if (state_ == DtlsState::open) {
    ERR_clear_error();
    SSL_shutdown(machine_->ssl.get());
  }
  if (state_ != DtlsState::failed) state_ = DtlsState::closed;
}

base::Result<SrtpKeys> DtlsSession::srtp_keys() const {
  static constexpr std::string_view label = "EXTRACTOR-dtls_srtp";
  auto* const ssl = machine_->ssl.get();
  if (state_ != DtlsState::open) return trouble("not open");
  if (!SSL_get_selected_srtp_profile(ssl)) return trouble("no SRTP profile in common");
  // RFC 5764 4.2: client's key, server's key, client's salt, server's salt.
  std::array<std::uint8_t, 60> material;
  if (SSL_export_keying_material(ssl, material.data(), material.size(), label.data(), label.size(),
                                 nullptr, 0, 0) != 1)
    return trouble("no keys");
  SrtpKeys keys;
  std::copy_n(material.begin(), 16, keys.theirs.begin());
  std::copy_n(material.begin() + 16, 16, keys.ours.begin());
  std::copy_n(material.begin() + 32, 14, keys.theirs.begin() + 16);
  std::copy_n(material.begin() + 46, 14, keys.ours.begin() + 16);
  OPENSSL_cleanse(material.data(), material.size());
  return keys;
}

}  // namespace stagedoor::media
