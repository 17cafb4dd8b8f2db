// SPDX-License-Identifier: Apache-2.0

#include "media/port.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/basic_datagram_socket.hpp>
#include <optional>
#include <utility>

namespace stagedoor::media {

namespace {

constexpr std::size_t batch = 32;
constexpr std::size_t datagram_bytes_max = 2048;
constexpr int rounds_max = 4;  // so that a flood leaves the loop to others in between
constexpr int buffer_bytes = 4 << 20;

std::unexpected<base::Error> trouble(std::string_view what, int error) {
  return base::fail(base::ErrorCode::unavailable,
                    "media port: " + std::string(what) + ": " + strerror(error));
}

// An address as the socket's family has it: an IPv6 socket takes IPv4 in its mapped form, which is
// ours.
struct Name {
  sockaddr_storage storage{};
  socklen_t length = 0;
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

Name name_of(const Endpoint& endpoint, int family) {
  Name name;
  if (family == AF_INET6) {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(name.storage);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(endpoint.port);
    std::copy(endpoint.address.bytes.begin(), endpoint.address.bytes.end(), v6.sin6_addr.s6_addr);
    name.length = sizeof v6;
  } else {
    auto& v4 = reinterpret_cast<sockaddr_in&>(name.storage);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(endpoint.port);
    std::copy_n(endpoint.address.bytes.begin() + 12, 4,
                reinterpret_cast<std::uint8_t*>(&v4.sin_addr));
    name.length = sizeof v4;
  }
  return name;
}

base::Address address_of(const in_addr& v4) {
  base::Address address;
  address.bytes[10] = address.bytes[11] = 0xff;
  std::copy_n(reinterpret_cast<const std::uint8_t*>(&v4), 4, address.bytes.begin() + 12);
  return address;
}

base::Address address_of(const in6_addr& v6) {
  base::Address address;
  std::copy_n(v6.s6_addr, 16, address.bytes.begin());
  return address;
}

Endpoint endpoint_of(const sockaddr_storage& storage) {
  if (storage.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage);
    return {.address = address_of(v4.sin_addr), .port = ntohs(v4.sin_port)};
  }
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
  return {.address = address_of(v6.sin6_addr), .port = ntohs(v6.sin6_port)};
}

bool is_any(const base::Address& address) {
  const auto zeros = address.is_v4() ? 12 : 0;
  return std::all_of(address.bytes.begin() + zeros, address.bytes.end(),
                     [](std::uint8_t byte) { return byte == 0; });
}

// Those of this machine that lead away from it; where there are none, loopback.
std::vector<base::Address> own_addresses(bool with_v6) {
  std::vector<base::Address> away, loopback;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return away;
  for (const auto* at = list; at; at = at->ifa_next) {
    if (!at->ifa_addr || !(at->ifa_flags & IFF_UP)) continue;
    const int family = at->ifa_addr->sa_family;
    if (family != AF_INET && (family != AF_INET6 || !with_v6)) continue;
    const auto address =
        family == AF_INET
            ? address_of(reinterpret_cast<const sockaddr_in*>(at->ifa_addr)->sin_addr)
            : address_of(reinterpret_cast<const sockaddr_in6*>(at->ifa_addr)->sin6_addr);
    const bool is_link_local = address.bytes[0] == 0xfe && (address.bytes[1] & 0xc0) == 0x80;
    if (!is_link_local) (at->ifa_flags & IFF_LOOPBACK ? loopback : away).push_back(address);
  }
  freeifaddrs(list);
  auto& chosen = away.empty() ? loopback : away;
  std::ranges::stable_sort(chosen, {}, [](const auto& address) { return !address.is_v4(); });
  if (chosen.size() > 8) chosen.resize(8);
  return chosen;
}

// The socket's own address that a datagram came to, and that a reply is to leave by.
union Control {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(in6_pktinfo))> bytes;
};

base::Address local_of(msghdr& header) {
  for (auto* at = CMSG_FIRSTHDR(&header); at; at = CMSG_NXTHDR(&header, at)) {
    if (at->cmsg_level == IPPROTO_IPV6 && at->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo info;
      memcpy(&info, CMSG_DATA(at), sizeof info);
      return address_of(info.ipi6_addr);
    }
    if (at->cmsg_level == IPPROTO_IP && at->cmsg_type == IP_PKTINFO) {
      in_pktinfo info;
      memcpy(&info, CMSG_DATA(at), sizeof info);
      return address_of(info.ipi_addr);
    }
  }
  return {};
}

void set_local(msghdr& header, Control& control, const base::Address& local, int family) {
  control.bytes.fill(0);
  header.msg_control = control.bytes.data();
  header.msg_controllen = CMSG_SPACE(family == AF_INET6 ? sizeof(in6_pktinfo) : sizeof(in_pktinfo));
  auto* const at = CMSG_FIRSTHDR(&header);
  if (family == AF_INET6) {
    at->cmsg_level = IPPROTO_IPV6;
    at->cmsg_type = IPV6_PKTINFO;
    at->cmsg_len = CMSG_LEN(sizeof(in6_pktinfo));
    in6_pktinfo info{};
    std::copy(local.bytes.begin(), local.bytes.end(), info.ipi6_addr.s6_addr);
    memcpy(CMSG_DATA(at), &info, sizeof info);
  } else {
    at->cmsg_level = IPPROTO_IP;
    at->cmsg_type = IP_PKTINFO;
    at->cmsg_len = CMSG_LEN(sizeof(in_pktinfo));
    in_pktinfo info{};
    std::copy_n(local.bytes.begin() + 12, 4, reinterpret_cast<std::uint8_t*>(&info.ipi_spec_dst));
    memcpy(CMSG_DATA(at), &info, sizeof info);
  }
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int number() const { return number_; }
  int release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

struct Bound {
  Descriptor descriptor;
  int family;
  std::uint16_t port;
};

void set(int descriptor, int level, int option, int value) {
  setsockopt(descriptor, level, option, &value, sizeof value);
}

base::Result<Bound> bind_first_free(const PortOptions& options) {
  int family = AF_INET6;
  Descriptor descriptor(::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (descriptor.number() < 0 && errno == EAFNOSUPPORT) {
    // A kernel without IPv6.
    family = AF_INET;
    descriptor = Descriptor(::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  }
  if (descriptor.number() < 0) return trouble("no socket", errno);
  const int number = descriptor.number();
  if (family == AF_INET6) {
    set(number, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    set(number, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
  } else {
    set(number, IPPROTO_IP, IP_PKTINFO, 1);
  }
  // The kernel gives what net.core.rmem_max and wmem_max allow.
  set(number, SOL_SOCKET, SO_RCVBUF, buffer_bytes);
  set(number, SOL_SOCKET, SO_SNDBUF, buffer_bytes);

  int error = EADDRINUSE;
  const int last = std::max(options.first_port, options.last_port);
  for (int port = options.first_port; port <= last; ++port) {
    auto name = name_of({options.bind_address, static_cast<std::uint16_t>(port)}, family);
    if (::bind(number, name.get(), name.length) == 0) {
      Name bound;
      bound.length = sizeof bound.storage;
      getsockname(number, bound.get(), &bound.length);
      const auto bound_port = endpoint_of(bound.storage).port;
      return Bound{std::move(descriptor), family, bound_port};
    }
    error = errno;
    if (error != EADDRINUSE) break;
  }
  return trouble("no port to bind", error);
}

std::vector<Endpoint> candidates_of(const PortOptions& options, const Bound& bound) {
  auto addresses = options.public_addresses;
  if (addresses.empty() && is_any(options.bind_address))
    addresses = own_addresses(bound.family == AF_INET6 && !options.bind_address.is_v4());
  if (addresses.empty()) addresses.push_back(options.bind_address);
  std::vector<Endpoint> candidates;
  for (const auto& address : addresses)
    candidates.push_back({.address = address, .port = bound.port});
  return candidates;
}

}  // namespace

class Port::Socket final : public Outlet {
 public:
  Socket(Parts parts, const PortOptions& options, Bound bound)
      : family_(bound.family),
        port_(bound.port),
        candidates_(candidates_of(options, bound)),
        socket_(parts.loop.executor(),
                family_ == AF_INET6 ? boost::asio::ip::udp::v6() : boost::asio::ip::udp::v4(),
                bound.descriptor.release()),
        board_({.stack = parts.stack,
                .identity = parts.identity,
                .random = parts.random,
                .clock = parts.wall_clock,
                .outlet = *this},
               {.candidates = candidates_, .peers_max = options.peers_max}),
        beat_(parts.clock.subscribe([this](const Beat& beat) { board_.on_tick(beat.now); })) {
    for (std::size_t i = 0; i < batch; ++i) {
      parts_[i] = {.iov_base = bytes_[i].data(), .iov_len = datagram_bytes_max};
      auto& header = messages_[i].msg_hdr;
      header.msg_iov = &parts_[i];
      header.msg_iovlen = 1;
    }
    wait();
  }

  void send(Bytes datagram, const Path& path) override {
    auto name = name_of(path.remote, family_);
    iovec part{.iov_base = const_cast<std::uint8_t*>(datagram.data()), .iov_len = datagram.size()};
    msghdr header{};
    header.msg_name = name.get();
    header.msg_namelen = name.length;
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    Control control;
    if (!is_any(path.local)) set_local(header, control, path.local, family_);
    const auto sent = ::sendmsg(socket_.native_handle(), &header, MSG_DONTWAIT);
    ++(sent < 0 ? counts_.not_sent : counts_.datagrams_out);
  }

  Switchboard& board() { return board_; }
  std::uint16_t port() const { return port_; }
  const std::vector<Endpoint>& candidates() const { return candidates_; }

  PortCounts counts() const {
    auto counts = counts_;
    counts.switchboard = board_.counts();
    return counts;
  }

 private:
  void wait() {
    socket_.async_wait(
        boost::asio::socket_base::wait_read,
        [this, alive = std::weak_ptr(alive_)](const boost::system::error_code& error) {
          if (error || alive.expired()) return;
          for (int round = 0; round < rounds_max && receive() == batch; ++round) {
          }
          wait();
        });
  }

  std::size_t receive() {
    for (std::size_t i = 0; i < batch; ++i) {
      auto& header = messages_[i].msg_hdr;
      header.msg_name = &names_[i];
      header.msg_namelen = sizeof names_[i];
      header.msg_control = controls_[i].bytes.data();
      header.msg_controllen = controls_[i].bytes.size();
    }
    const int count =
        ::recvmmsg(socket_.native_handle(), messages_.data(), batch, MSG_DONTWAIT, nullptr);
    // An error here is of something that was sent (ICMP), and is told once.
    if (count <= 0) return 0;
    const auto now = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) take(i, now);
    return static_cast<std::size_t>(count);
  }

  void take(std::size_t i, Moment now) {
    auto& header = messages_[i].msg_hdr;
    ++counts_.datagrams_in;
    if (header.msg_flags & MSG_TRUNC) {
      ++counts_.too_long;
      return;
    }
    const Path path{.remote = endpoint_of(names_[i]), .local = local_of(header)};
    board_.on_datagram(MutableBytes(bytes_[i]).first(messages_[i].msg_len), path, now);
  }

  int family_;
  std::uint16_t port_;
  std::vector<Endpoint> candidates_;
  boost::asio::basic_datagram_socket<boost::asio::ip::udp, http::Executor> socket_;
  PortCounts counts_;
  std::array<mmsghdr, batch> messages_{};
  std::array<iovec, batch> parts_{};
  std::array<sockaddr_storage, batch> names_{};
  std::array<Control, batch> controls_{};
  alignas(8) std::array<std::array<std::uint8_t, datagram_bytes_max>, batch> bytes_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  Switchboard board_;
  MediaClock::Subscription beat_;
};

base::Result<std::unique_ptr<Port>> Port::open(Parts parts, const PortOptions& options) {
  auto bound = bind_first_free(options);
  if (!bound) return std::unexpected(bound.error());
  return std::unique_ptr<Port>(
      new Port(std::make_unique<Socket>(parts, options, std::move(*bound))));
}

Port::Port(std::unique_ptr<Socket> socket) : socket_(std::move(socket)) {}
Port::~Port() = default;

base::Result<PeerHandle> Port::open_peer(PeerListener& listener, PeerOptions options) {
  return socket_->board().open_peer(listener, std::move(options));
}

std::uint16_t Port::port() const {
  return socket_->port();
}
const std::vector<Endpoint>& Port::candidates() const {
  return socket_->candidates();
}
PortCounts Port::counts() const {
  return socket_->counts();
}
std::size_t Port::peers() const {
  return socket_->board().peers();
}

}  // namespace stagedoor::media
