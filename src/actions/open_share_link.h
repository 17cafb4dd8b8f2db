// Trades a share link's token, which anybody may have, for a session token with its persona.
//
// The order: the link as it stands, its maker, the session token, and last the count of the use, so
// that what is refused for any other reason costs no use (rule share-link-counted-exactly).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "actions/find_maker.h"
#include "actions/mint_persona_token.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "rules/audit.h"
#include "rules/share_link.h"

namespace stagedoor::actions {

// Safe for concurrent use; not from an event loop.
class OpenShareLink {
 public:
  struct Parts {
    rules::ShareLinks& links;
    const FindMaker& find_maker;
    const MintPersonaToken& mint;
    rules::AuditLog& audit;
    const base::Clock& clock;
  };
  explicit OpenShareLink(Parts parts) : parts_(parts) {}

  struct Request {
    base::Secret token;
    std::optional<std::string> origin;  // the Origin field
    std::string_view peer, request_id;
    std::string_view action;  // for the audit log: "POST /v1/auth/share-link"
  };
  struct Opened {
    MintSessionToken::Minted minted;
    std::string persona_name;
  };
  // `not_found` without a further word, whatever the reason (rule share-link-tells-nothing);
  // `unavailable`.
  base::Result<Opened> operator()(const Request& request) const;

 private:
  base::Result<MintSessionToken::Minted> minted(const rules::ShareLink& link,
                                                const Request& request) const;
  rules::AuditEntry entry(const Request& request, const rules::ShareLink* link) const;
  std::unexpected<base::Error> refuse(const Request& request, const rules::ShareLink* link,
                                      const base::Error& why) const;

  Parts parts_;
};

}  // namespace stagedoor::actions
