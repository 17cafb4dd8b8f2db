// A browser in miniature, with OpenSSL as DTLS client, libsrtp and usrsctp used directly: the other
// end of a peer's tests. And the wire between, which is memory.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <srtp2/srtp.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "crypto/hmac_sha1.h"
#include "crypto/random.h"
#include "media/big_endian.h"
#include "media/chromium_offer_for_test.h"
#include "media/sctp.h"
#include "media/sdp.h"
#include "media/stun.h"
#include "media/switchboard.h"

namespace stagedoor::media {

using Buffer = std::vector<std::uint8_t>;

inline Buffer buffer_of(Bytes bytes) {
  return {bytes.begin(), bytes.end()};
}
inline Buffer buffer_of(std::string_view text) {
  return {text.begin(), text.end()};
}
inline std::string text_of_bytes(Bytes bytes) {
  return std::string(base::as_text(bytes));
}

// One per process.
inline Stack& test_stack() {
  static Stack stack;
  return stack;
}
inline const DtlsIdentity& test_identity() {
  static const DtlsIdentity identity = DtlsIdentity::make().value();
  return identity;
}

// A Binding request as a full agent makes it (RFC 8445 7.2).
struct CheckWish {
  std::string user = {}, password = {};
  bool nominates = true;
  bool is_controlled = false;
  bool has_integrity = true;
  std::uint16_t odd_attribute = 0;
};
inline Buffer make_check(const CheckWish& wish) {
  Buffer out(20);
  write_u16(&out[0], 0x0001);
  write_u32(&out[4], 0x2112a442);
  for (int i = 8; i < 20; ++i) out[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(i * 5);
  const auto add = [&](std::uint16_t type, std::string_view value) {
    const auto at = out.size();
    out.resize(at + 4 + ((value.size() + 3) & ~std::size_t{3}));
    write_u16(&out[at], type);
    write_u16(&out[at + 2], static_cast<std::uint16_t>(value.size()));
    std::copy(value.begin(), value.end(), out.begin() + static_cast<long>(at) + 4);
  };
  const auto set_length = [&](std::size_t more) {
    write_u16(&out[2], static_cast<std::uint16_t>(out.size() - 20 + more));
  };
  add(0x0006, wish.user + ":them");
  add(0x0024, std::string_view("\x6e\x7f\x1e\xff", 4));
  add(wish.is_controlled ? 0x8029 : 0x802a, "tiebreak");
  if (wish.nominates) add(0x0025, "");
  if (wish.odd_attribute) add(wish.odd_attribute, "odd");
  if (wish.has_integrity) {
    set_length(24);
    const auto mac =
        crypto::HmacSha1Key(base::Secret(wish.password)).mac(base::as_text(Bytes(out)));
    add(0x0008, base::as_text(mac));
  }
  set_length(8);
  std::uint8_t crc[4];
  write_u32(crc, base::crc32(base::as_text(Bytes(out))) ^ 0x5354554e);
  add(0x8028, base::as_text(Bytes(crc)));
  return out;
}

// The value of the first such line of an answer.
inline std::string line_of(std::string_view sdp, std::string_view name) {
  const auto at = sdp.find("a=" + std::string(name) + ":");
  if (at == std::string_view::npos) return {};
  const auto begin = at + 3 + name.size();
  return std::string(sdp.substr(begin, sdp.find("\r\n", begin) - begin));
}

class TestClient final : private SctpListener {
 public:
  TestClient(Endpoint at, std::function<void(Bytes, const Endpoint&)> send)
      : endpoint(at), send_(std::move(send)) {
    key_.reset(EVP_EC_gen("P-256"));
    certificate_.reset(X509_new());
    X509_set_version(certificate_.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate_.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate_.get()), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate_.get()), 3600);
    X509_set_pubkey(certificate_.get(), key_.get());
    X509_sign(certificate_.get(), key_.get(), EVP_sha256());
    X509_digest(certificate_.get(), EVP_sha256(), fingerprint.data(), nullptr);
  }
  ~TestClient() override {
    if (out_) srtp_dealloc(out_);
    if (in_) srtp_dealloc(in_);
  }

  std::string offer() const {
    std::string sdp = chromium_offer;
    replace(sdp, "gI1/", ice_user);
    for (auto at = sdp.find("sha-256 "); at != std::string::npos; at = sdp.find("sha-256 ", at + 8))
      sdp.replace(at + 8, 95, fingerprint_text(fingerprint));
    return sdp;
  }
  void take_answer(std::string_view sdp) {
    server_user = line_of(sdp, "ice-ufrag");
    server_password = line_of(sdp, "ice-pwd");
    server_fingerprint = line_of(sdp, "fingerprint");
  }

  void check(CheckWish wish = {}) {
    if (wish.user.empty()) wish.user = server_user;
    if (wish.password.empty()) wish.password = server_password;
    send_(make_check(wish), endpoint);
  }
  void start_dtls();
  void on_datagram(Bytes datagram);
  void on_tick(Moment now) {
    if (sctp_) sctp_->on_tick(now);
  }
  void hang_up() { SSL_shutdown(ssl_.get()); }

  void send_rtp(Buffer packet, srtp_t context = nullptr) {
    auto length = static_cast<int>(packet.size());
    packet.resize(packet.size() + 64);
    srtp_protect(context ? context : out_, packet.data(), &length);
    send_(Bytes(packet).first(static_cast<std::size_t>(length)), endpoint);
  }
  void send_rtcp(Buffer packet) {
    auto length = static_cast<int>(packet.size());
    packet.resize(packet.size() + 64);
    srtp_protect_rtcp(out_, packet.data(), &length);
    send_(Bytes(packet).first(static_cast<std::size_t>(length)), endpoint);
  }
  void open_channel(std::uint16_t stream, std::string_view label) {
    Buffer open(12);
    open[0] = 3;
    write_u16(&open[8], static_cast<std::uint16_t>(label.size()));
    open.insert(open.end(), label.begin(), label.end());
    static_cast<void>(sctp_->send(stream, 50, open));
  }
  bool send_message(std::uint16_t stream, std::uint32_t kind, Bytes message) {
    return sctp_->send(stream, kind, message).has_value();
  }
  void send_raw(Bytes bytes) { send_(bytes, endpoint); }

  Endpoint endpoint;
  std::string ice_user = "them";
  CertificateHash fingerprint{};
  std::string server_user, server_password, server_fingerprint, shown_fingerprint;

  bool is_open = false, is_closed = false;
  bool loses_pictures = false;  // as if on the way
  std::vector<Buffer> stun, rtp, rtcp, lost_rtp;
  std::vector<SctpMessage> messages;

 private:
  template <auto free_it>
  struct Freer {
    void operator()(auto* what) const { free_it(what); }
  };
  struct Method {
    BIO_METHOD* it = nullptr;
    ~Method() { BIO_meth_free(it); }
  };

  static void replace(std::string& text, std::string_view what, std::string_view by) {
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
      text.replace(at, what.size(), by);
  }
  void advance_dtls();
  void on_open();
  void on_media(Bytes datagram);

  void on_sctp_packet(Bytes packet) override {
    SSL_write(ssl_.get(), packet.data(), static_cast<int>(packet.size()));
  }
  void on_sctp_message(const SctpMessage& message) override { messages.push_back(message); }
  void on_sctp_stream_closed(std::uint16_t) override {}
  void on_sctp_lost() override {}

  std::function<void(Bytes, const Endpoint&)> send_;
  std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>> key_;
  std::unique_ptr<X509, Freer<X509_free>> certificate_;
  Method method_;
  std::unique_ptr<SSL_CTX, Freer<SSL_CTX_free>> context_;
  std::unique_ptr<SSL, Freer<SSL_free>> ssl_;
  BIO* in_bio_ = nullptr;
  srtp_t out_ = nullptr, in_ = nullptr;
  std::unique_ptr<SctpAssociation> sctp_;
};

inline void TestClient::start_dtls() {
  context_.reset(SSL_CTX_new(DTLS_client_method()));
  SSL_CTX_use_certificate(context_.get(), certificate_.get());
  SSL_CTX_use_PrivateKey(context_.get(), key_.get());
  SSL_CTX_set_tlsext_use_srtp(context_.get(), "SRTP_AES128_CM_SHA1_80:SRTP_AES128_CM_SHA1_32");
  SSL_CTX_set_options(context_.get(), SSL_OP_NO_QUERY_MTU);
  if (!method_.it) {
    method_.it = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "test");
    BIO_meth_set_write(method_.it, [](BIO* bio, const char* bytes, int length) {
      auto& self = *static_cast<TestClient*>(BIO_get_data(bio));
      self.send_({reinterpret_cast<const std::uint8_t*>(bytes), static_cast<std::size_t>(length)},
                 self.endpoint);
      return length;
    });
    BIO_meth_set_ctrl(method_.it, [](BIO*, int command, long, void*) -> long {
      return command == BIO_CTRL_FLUSH ? 1 : 0;
    });
  }
  ssl_.reset(SSL_new(context_.get()));
  in_bio_ = BIO_new(BIO_s_mem());
  BIO_set_mem_eof_return(in_bio_, -1);
  BIO* const out = BIO_new(method_.it);
  BIO_set_data(out, this);
  BIO_set_init(out, 1);
  SSL_set_bio(ssl_.get(), in_bio_, out);
  SSL_set_mtu(ssl_.get(), 1200);
  SSL_set_connect_state(ssl_.get());
  advance_dtls();
}

inline void TestClient::advance_dtls() {
  if (!is_open && SSL_do_handshake(ssl_.get()) == 1) on_open();
  Buffer plain(16384);
  while (is_open) {
    const int length = SSL_read(ssl_.get(), plain.data(), static_cast<int>(plain.size()));
    if (length <= 0) {
      is_closed = is_closed || SSL_get_error(ssl_.get(), length) == SSL_ERROR_ZERO_RETURN;
      return;
    }
    if (sctp_) sctp_->on_packet(Bytes(plain).first(static_cast<std::size_t>(length)));
  }
}

inline void TestClient::on_open() {
  is_open = true;
  std::unique_ptr<X509, Freer<X509_free>> shown(SSL_get1_peer_certificate(ssl_.get()));
  CertificateHash hash{};
  X509_digest(shown.get(), EVP_sha256(), hash.data(), nullptr);
  shown_fingerprint = "sha-256 " + fingerprint_text(hash);
  const std::string_view label = "EXTRACTOR-dtls_srtp";
  unsigned char material[60];
  SSL_export_keying_material(ssl_.get(), material, 60, label.data(), label.size(), nullptr, 0, 0);
  const auto make = [&](int key, int salt, srtp_ssrc_type_t kind) {
    unsigned char whole[30];
    std::copy_n(material + key, 16, whole);
    std::copy_n(material + salt, 14, whole + 16);
    srtp_policy_t policy{};
    srtp_crypto_policy_set_rtp_default(&policy.rtp);
    srtp_crypto_policy_set_rtcp_default(&policy.rtcp);
    policy.ssrc.type = kind;
    policy.key = whole;
    policy.window_size = 1024;
    srtp_t context = nullptr;
    srtp_create(&context, &policy);
    return context;
  };
  out_ = make(0, 32, ssrc_any_outbound);
  in_ = make(16, 46, ssrc_any_inbound);
  sctp_ = SctpAssociation::open(test_stack(), *this,
                                {.message_bytes_max = 1 << 20, .send_buffer_bytes = 2 << 20})
              .value();
}

inline void TestClient::on_datagram(Bytes datagram) {
  if (datagram[0] < 4) {
    stun.push_back(buffer_of(datagram));
  } else if (datagram[0] < 64) {
    BIO_write(in_bio_, datagram.data(), static_cast<int>(datagram.size()));
    advance_dtls();
  } else if (in_) {
    on_media(datagram);
  }
}

inline void TestClient::on_media(Bytes datagram) {
  auto packet = buffer_of(datagram);
  auto length = static_cast<int>(packet.size());
  const bool is_control = packet[1] >= 192 && packet[1] < 224;
  if (!is_control && loses_pictures && (packet[1] & 0x7f) == 96) {
    lost_rtp.push_back(std::move(packet));
    return;
  }
  const auto status = is_control ? srtp_unprotect_rtcp(in_, packet.data(), &length)
                                 : srtp_unprotect(in_, packet.data(), &length);
  if (status != srtp_err_status_ok) return;
  packet.resize(static_cast<std::size_t>(length));
  (is_control ? rtcp : rtp).push_back(std::move(packet));
}

// What a peer told.
struct TestListener : PeerListener {
  int connected = 0, late = 0, key_frames = 0;
  std::vector<std::string> sounds, labels, messages;
  std::vector<ChannelId> refused, closed;
  std::vector<LostReason> lost;
  std::function<void()> on_any;  // called in the midst of each call

  void on_connected() override { ++connected, any(); }
  void on_handshake_late() override { ++late, any(); }
  void on_key_frame_wanted() override { ++key_frames, any(); }
  void on_sound(const SoundPacket& sound) override {
    sounds.push_back(text_of_bytes(sound.opus));
    any();
  }
  void on_channel_open(ChannelId, std::string_view label) override {
    labels.emplace_back(label);
    any();
  }
  void on_message(ChannelId, MessageKind, std::string_view message) override {
    messages.emplace_back(message);
    any();
  }
  void on_message_refused(ChannelId channel) override { refused.push_back(channel), any(); }
  void on_channel_closed(ChannelId channel) override { closed.push_back(channel), any(); }
  void on_lost(LostReason reason) override { lost.push_back(reason), any(); }

  void any() {
    if (on_any) on_any();
  }
};

// A switchboard, and clients on the wire to it.
class TestWorld final : private Outlet {
 public:
  explicit TestWorld(std::size_t peers_max = 1000)
      : board({.stack = test_stack(),
               .identity = test_identity(),
               .random = random,
               .clock = clock,
               .outlet = *this},
              {.candidates = {{*base::parse_address("203.0.113.5"), 40000}},
               .peers_max = peers_max}) {}

  std::unique_ptr<TestClient> client_at(std::string_view address, std::uint16_t port) {
    return std::make_unique<TestClient>(
        Endpoint{*base::parse_address(address), port},
        [this](Bytes bytes, const Endpoint& from) { to_server(bytes, from); });
  }
  void attach(TestClient& client) { clients[client.endpoint] = &client; }

  void to_server(Bytes bytes, const Endpoint& from) {
    wire.push_back({buffer_of(bytes), from, Direction::to_server});
  }

  // Until nobody says anything more.
  void settle() {
    for (int i = 0; i < 100000 && !wire.empty(); ++i) {
      auto datagram = std::move(wire.front());
      wire.pop_front();
      if (datagram.direction == Direction::to_server) {
        board.on_datagram(datagram.bytes, {.remote = datagram.client, .local = local}, now);
      } else if (const auto at = clients.find(datagram.client); at != clients.end()) {
        at->second->on_datagram(datagram.bytes);
      }
    }
  }
  void pass(std::chrono::milliseconds time) {
    for (; time.count() > 0; time -= std::chrono::milliseconds(20)) {
      now += std::chrono::milliseconds(20);
      board.on_tick(now);
      for (const auto& [endpoint, client] : clients) client->on_tick(now);
      settle();
    }
  }

  // Offer, answer, a check that nominates, and the handshake.
  PeerHandle connect(TestClient& client, PeerListener& listener, PeerOptions options = {}) {
    attach(client);
    auto peer = board.open_peer(listener, std::move(options)).value();
    client.take_answer(peer->answer(client.offer()).value());
    client.check();
    settle();
    client.start_dtls();
    settle();
    pass(std::chrono::milliseconds(40));
    return peer;
  }

  enum class Direction { to_server, to_client };
  struct Datagram {
    Buffer bytes;
    Endpoint client;
    Direction direction;
  };
  std::deque<Datagram> wire;
  std::map<Endpoint, TestClient*> clients;
  std::size_t sent = 0;  // by the server
  base::Address local = *base::parse_address("203.0.113.5");
  crypto::SystemRandom random;
  base::ManualClock clock{base::Instant(std::chrono::seconds(1'700'000'000))};
  Moment now = std::chrono::steady_clock::now();
  Switchboard board;

 private:
  void send(Bytes datagram, const Path& path) override {
    ++sent;
    if (path.local != local) return;  // a client hears only from whom it asked
    wire.push_back({buffer_of(datagram), path.remote, Direction::to_client});
  }
};

}  // namespace stagedoor::media
