#include "store/web_fetch.h"

#include <curl/curl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "base/network.h"

namespace stagedoor::store {
namespace {

using base::Address;

constexpr long connect_millis_max = 3000;
constexpr long total_millis_max = 5000;

struct FreeHandle {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

std::unexpected<base::Error> no_document(std::string detail) {
  return base::fail(base::ErrorCode::unavailable, "fetch: " + std::move(detail));
}

std::string_view trimmed(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

bool starts_with_name(std::string_view line, std::string_view lower) {
  return line.size() > lower.size() && line[lower.size()] == ':' &&
         std::ranges::equal(line.substr(0, lower.size()), lower, [](char x, char y) {
           return std::tolower(static_cast<unsigned char>(x)) == y;
         });
}

bool is_loopback(const Address& address) {
  static const auto v4 = *base::parse_network("127.0.0.0/8");
  static const auto v6 = *base::parse_network("::1/128");
  return v4.contains(address) || v6.contains(address);
}

// One request, as libcurl's callbacks see it.
struct Transfer {
  std::size_t bytes_max = 0;
  bool allows_private_addresses = false;
  bool is_plain_http = false;
  std::stop_token stop;
  FetchedDocument document;
  bool is_too_long = false;
  bool was_private = false;

  bool may_reach(const Address& address) const {
    if (is_plain_http && !is_loopback(address)) return false;
    return allows_private_addresses || !base::is_private(address);
  }

  static std::size_t on_body(char* bytes, std::size_t, std::size_t count, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    if (transfer.document.body.size() + count > transfer.bytes_max) {
      transfer.is_too_long = true;
      return 0;
    }
    transfer.document.body.append(bytes, count);
    return count;
  }
  static std::size_t on_header(char* bytes, std::size_t, std::size_t count, void* self) {
    auto& document = static_cast<Transfer*>(self)->document;
    const std::string_view line(bytes, count);
    // Of several fields of one name the values follow each other (RFC 9110 5.2).
    if (starts_with_name(line, "cache-control") && document.cache_control.size() < 1024) {
      if (!document.cache_control.empty()) document.cache_control += ", ";
      document.cache_control += trimmed(line.substr(sizeof "cache-control"));
    }
    if (starts_with_name(line, "age")) document.age = trimmed(line.substr(sizeof "age"));
    return count;
  }
  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<Transfer*>(self)->stop.stop_requested() ? 1 : 0;
  }
  static curl_socket_t on_socket(void* self, curlsocktype, curl_sockaddr* to) {
    auto& transfer = *static_cast<Transfer*>(self);
    // curl_sockaddr ends in a plain sockaddr, behind which libcurl holds the rest.
    const auto address = base::address_of_socket(&to->addr, to->addrlen);
    if (!address || !transfer.may_reach(*address)) {
      transfer.was_private = true;
      return CURL_SOCKET_BAD;
    }
    return ::socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
  }
};

void apply_limits(CURL* handle, Transfer& transfer) {
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR,
                   transfer.allows_private_addresses ? "https,http" : "https");
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(handle, CURLOPT_PROXY, "");
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, connect_millis_max);
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, total_millis_max);
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(handle, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
  curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, &Transfer::on_socket);
  curl_easy_setopt(handle, CURLOPT_OPENSOCKETDATA, &transfer);
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  curl_easy_setopt(handle, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, &Transfer::on_progress);
  curl_easy_setopt(handle, CURLOPT_XFERINFODATA, &transfer);
  curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
}

}  // namespace

WebFetch::WebFetch(Options options) : options_(options) {
  // Once a process, before any handle; C++ makes it so.
  [[maybe_unused]] static const auto ready = curl_global_init(CURL_GLOBAL_DEFAULT);
}

base::Result<FetchedDocument> WebFetch::fetch(const std::string& url, std::stop_token stop) {
  const std::unique_ptr<CURL, FreeHandle> handle(curl_easy_init());
  const std::unique_ptr<curl_slist, FreeList> headers(
      curl_slist_append(nullptr, "Accept: application/json"));
  if (!handle || !headers) return no_document("no memory");
  Transfer transfer;
  transfer.bytes_max = options_.bytes_max;
  transfer.allows_private_addresses = options_.allows_private_addresses;
  transfer.is_plain_http = !url.starts_with("https://");
  transfer.stop = std::move(stop);
  apply_limits(handle.get(), transfer);
  curl_easy_setopt(handle.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(handle.get(), CURLOPT_USERAGENT, "stagedoor/" STAGEDOOR_VERSION);

  const auto outcome = curl_easy_perform(handle.get());
  if (outcome != CURLE_OK && transfer.was_private)
    return no_document(url + ": an address that may not be asked");
  if (transfer.is_too_long) return no_document(url + ": more bytes than may be");
  if (outcome != CURLE_OK) return no_document(url + ": " + curl_easy_strerror(outcome));
  long status = 0;
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status != 200) return no_document(url + ": status " + std::to_string(status));
  return std::move(transfer.document);
}

}  // namespace stagedoor::store
