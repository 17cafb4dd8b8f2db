// A share link: a token for anybody, that opens sessions with one persona.
//
//   open ──used uses_max times──▶ used up      (each of them can be opened again by its owners)
//     ├────────time──────────────▶ expired
//     └───────disabled───────────▶ closed
//
// Rule share-link-counted-exactly: a link mints as many session tokens as its limit says, however
// many ask at once: each use is one conditional step of the store, durable with its audit entry
// before the session token is given out. A crash in between loses a use, never gains one.
//
// Rule share-link-tells-nothing: whoever shows a token that opens nothing is told the same,
// whatever the reason: unknown, expired, used up, disabled, another origin, a persona that can't be
// played. The reason stands in the audit log of the link's workspace.
//
// Rule share-link-rests-on-its-maker: a link mints on the credential of whoever made or last
// changed it, as it stands at that moment: an API key that is neither revoked nor frozen nor
// expired, a person who may still mint there and has not logged out everywhere since. So a link is
// never stronger than who made it, and ends with them. Whoever changes it takes it over. Without
// `tokens:mint` nobody makes or changes one, nor is shown its token.
//
// Rule share-link-ends-what-it-opened: when a link is disabled or taken away, by itself or with its
// persona, the session tokens that it minted open nothing any more, and the live sessions on them
// are asked to end: they are revoked (rules/token_revocation.h) by the end user that each of them
// names, in the same transaction.
//
// Rule share-link-sealed: its token is kept sealed (rules/kept_secret.h), since lists show it
// again, and is found by its hash under a key of the server secret. A stolen database opens
// nothing.
//
// Rule share-link-origins: a link that lists origins is of use to their pages only, and so are the
// session tokens that it mints; unless it is for all.
//
// Rule share-link-of-one-workspace: a link is its workspace's and of one environment, as its
// persona is, and always one app's, whose session tokens it mints (rules/item_scope.h); for
// everyone else it is not found. The app stays, whoever changes the link.
//
// Rule share-link-one-primary: of the links that an app has to a persona at most one is the primary
// one.
//
// Used by: actions/keep_share_link.h, actions/open_share_link.h
// Kept by: store/sqlite_share_links.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/json_shape.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/hash.h"
#include "rules/audit.h"
#include "rules/catalog_item.h"
#include "rules/token_revocation.h"

namespace stagedoor::rules {

inline constexpr std::int64_t share_links_of_workspace_max = 1000;
inline constexpr std::int64_t share_links_of_persona_max = 100;  // of one app
inline constexpr std::chrono::hours share_link_lifetime_otherwise{168};
inline constexpr std::chrono::hours share_link_lifetime_max{24 * 366};
inline constexpr std::int64_t share_link_uses_otherwise = 10;
inline constexpr std::int64_t share_link_uses_max = 1'000'000;
// Whoever has opened a link opens its session soon.
inline constexpr std::chrono::minutes share_link_session_token_lifetime{10};

// "sh_" and 32 base62 characters: 190 bits, so that nobody guesses one.
base::Secret new_share_token(base::Random& random);
bool is_share_token(std::string_view text);

// The hashes under which a token may be kept: one per generation of the server secret.
class ShareTokenHasher {
 public:
  // Newest first; at least one.
  explicit ShareTokenHasher(std::vector<crypto::HmacKey> generations)
      : generations_(std::move(generations)) {}
  crypto::Digest current(const base::Secret& token) const {
    return generations_.front().mac(token.expose());
  }
  std::vector<crypto::Digest> all(const base::Secret& token) const;

 private:
  std::vector<crypto::HmacKey> generations_;
};

// How it is meant to be shown. The numbers are kept in the store.
enum class ShareLinkKind : unsigned char { link = 0, player_embed = 1, orb_embed = 2 };
// "LINK", as the dialect that has them spells it (contract 1.9).
std::string_view name_of(ShareLinkKind kind);

// What its owners decide.
struct ShareLinkTerms {
  ShareLinkKind kind = ShareLinkKind::link;
  std::optional<base::Instant> expires_at;  // at it exactly it has expired; nullopt: never
  std::optional<std::int64_t> uses_max;     // nullopt: without a limit
  std::vector<std::string> allowed_origins;
  bool is_for_any_origin = false;
  bool is_without_watermark = false;  // kept and told; nothing here draws one
  bool is_enabled = true;
  bool is_primary = false;
};

struct ShareLink {
  std::string id;  // a UUID
  ItemScope scope;
  std::string persona_id, persona_name;
  std::string made_by;  // "key_..." or "acc_...": on whose credential it rests
  bool has_maker_logged_out = false;
  base::Secret token;  // empty where its seal can't be opened any more
  ShareLinkTerms terms;
  std::int64_t uses = 0;
  base::Instant created_at = {}, updated_at = {};
};

// Why it opens nothing now for a page of this origin (nullopt: no page, or one that does not say);
// empty: it may. For the audit log, never for whoever shows the token.
std::string_view why_closed(const ShareLink& link, std::optional<std::string_view> origin,
                            base::Instant now);

// The end user whom the session tokens of a link name: "share_link:" and its id.
std::string visitor_of(const ShareLink& link);
// What ends all that it has opened until `now`.
TokenRevocation end_of_what_opened(const ShareLink& link, base::Instant now);

struct ShareLinkDraft {
  std::string persona_id;
  ShareLinkTerms terms;
};
// A new one; members that are not known are left out.
std::expected<ShareLinkDraft, ItemFaults> read_share_link(const base::Json& body,
                                                          base::Instant now);
// The terms with some members changed; here an unknown member is a fault.
std::expected<ShareLinkTerms, ItemFaults> changed_terms(const ShareLinkTerms& before,
                                                        const base::Json& change,
                                                        base::Instant now);

// Where links are kept. Safe for concurrent use; not from an event loop.
class ShareLinks {
 public:
  virtual ~ShareLinks() = default;
  // `not_found` also for what is outside the scope.
  virtual base::Result<ShareLink> find(const ItemScope& scope, std::string_view id) = 0;
  // By its token, whosever it is. `not_found`.
  virtual base::Result<ShareLink> find_by_token(const base::Secret& token) = 0;
  struct Query {
    std::string search;  // part of the persona's name, without case, or the whole id; empty: all
    std::string persona_id;  // empty: of all
    std::int64_t skip = 0, count = 20;
  };
  struct Found {
    std::vector<ShareLink> links;  // newest first
    std::int64_t total = 0;
  };
  virtual base::Result<Found> list(const ItemScope& scope, const Query& query) = 0;

  // Each of these is durable, with its entry, when it returns. Where the link is the primary one,
  // its app's other links to the persona are so no longer.
  //
  // Puts in the persona's name. `not_found` where the scope has no such persona, `conflict` where
  // the workspace, or the app to the persona, has all the links that it may have.
  virtual base::Result<base::Done> create(ShareLink& link, const AuditEntry& entry) = 0;
  // These two obey rule share-link-ends-what-it-opened.
  //
  // Terms and maker of what it is given may be changed. What `change` refuses stays as it was,
  // and its error is the answer.
  using Change = std::function<base::Result<base::Done>(ShareLink& link)>;
  virtual base::Result<ShareLink> change(const ItemScope& scope, std::string_view id,
                                         const Change& change, const AuditEntry& entry) = 0;
  virtual base::Result<base::Done> remove(const ItemScope& scope, std::string_view id,
                                          const AuditEntry& entry) = 0;
  // Counts one use, if the link is enabled, has not expired at the entry's time and is not used up;
  // `not_found` otherwise, and nothing is counted.
  virtual base::Result<base::Done> use(std::string_view id, const AuditEntry& entry) = 0;
};

}  // namespace stagedoor::rules
