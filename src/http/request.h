// One HTTP request as a handler sees it. Views are valid until the handler has returned (for a
// coroutine: has finished).
//
// Rule url-redacted: some clients can only send a credential in the URL. The raw query has no
// accessor; a handler asks for one value by name, and for a log there is only the redacted target,
// also without what stands for a credential in its path.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/network.h"

namespace stagedoor::http {

// What of a target is a credential.
struct SecretsInTarget {
  std::vector<std::string> query_names = {};
  // Of a path that begins with one of these, the part that follows.
  std::vector<std::string> path_prefixes = {};
};

class Request {
 public:
  std::string_view method() const { return method_; }
  // The target's path as sent, without the query.
  std::string_view path() const { return path_; }

  // The value of the path's `{name}` part, percent-decoded; empty where the route has no such part.
  std::string path_part(std::string_view name) const;

  // First query parameter of that name, percent-decoded ('+' is a space). nullopt: not there, or
  // its escapes are broken.
  std::optional<std::string> query(std::string_view name) const;

  // The field's value without surrounding blanks; nullopt: not there. Names compare without case.
  // A field sent more than once gives the first; `header_count` tells.
  std::optional<std::string_view> header(std::string_view name) const;
  std::size_t header_count(std::string_view name) const;

  std::string_view body() const { return body_; }

  // Ours, unique per request; also in the answer's X-Request-Id.
  std::string_view id() const { return id_; }

  // The client's address without port: of the connection, or, where that is a proxy which the
  // settings trust, of whom its X-Forwarded-For speaks.
  std::string_view peer() const { return peer_; }
  const base::Address& client() const { return client_; }

  // Path and query with every credential in it replaced by `***`: the only form that may be logged.
  std::string target_for_log() const;

  // Which fields came, in order; names as sent.
  std::span<const std::pair<std::string_view, std::string_view>> headers() const {
    return headers_;
  }

 private:
  friend class RequestReader;
  friend class KeptRequest;

  std::string_view method_, path_, query_, body_, id_, peer_;
  std::string_view route_pattern_;
  std::span<const std::pair<std::string_view, std::string_view>> headers_;
  const SecretsInTarget* secrets_ = nullptr;
  base::Address client_;
};

// A request with memory of its own, for work that outlives the connection's turn. The route pattern
// and the secret names stay the server's.
class KeptRequest {
 public:
  explicit KeptRequest(const Request& request);
  KeptRequest(const KeptRequest&) = delete;
  KeptRequest& operator=(const KeptRequest&) = delete;
  const Request& operator*() const { return request_; }

 private:
  std::string text_;  // all that the views look at
  std::vector<std::pair<std::string_view, std::string_view>> headers_;
  Request request_;
};

// The bytes that percent-escapes stand for; nullopt where an escape is broken.
enum class Plus { is_plus, is_space };
std::optional<std::string> percent_decoded(std::string_view text, Plus plus);

// Whether two field names are the same: ASCII, without case.
bool same_name(std::string_view a, std::string_view b);

// Whether a comma-separated field value has the token, without case.
bool has_token(std::string_view list, std::string_view token);

}  // namespace stagedoor::http
