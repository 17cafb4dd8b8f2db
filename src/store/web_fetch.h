// Documents from the web, through libcurl: what the server asks of others on its own behalf.
//
// Rule fetch-guarded: only https, no redirects, no proxy, no credentials; 3 s to connect and 5 s in
// all; no more bytes than asked for; and never to a private address, which is looked at when the
// name has been resolved and the socket is made, so that a name that resolves to another address
// the second time gains nothing. A setting for development allows private addresses, and with them
// http to this machine.
//
// Why: docs/decisions/0007-jose-of-our-own-and-libcurl.md
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <string>

#include "store/fetched_jwk_sets.h"

namespace stagedoor::store {

// Safe for concurrent use.
class WebFetch : public DocumentFetcher {
 public:
  struct Options {
    std::size_t bytes_max = 256u << 10;
    bool allows_private_addresses = false;
  };
  explicit WebFetch(Options options);

  base::Result<FetchedDocument> fetch(const std::string& url, std::stop_token stop) override;

 private:
  const Options options_;
};

}  // namespace stagedoor::store
