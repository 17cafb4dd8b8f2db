// A redemption: a session token is shown, and one of its uses becomes a live session.
//
// Rule session-token-retry-by-same-client: a client may send a nonce with its token. We keep the
// nonce's keyed hash with the redemption; so a client whose answer was lost asks again with the
// same token and nonce and gets its session back: the same id, no further use, its older connection
// ended as `replaced`, and the session's length still counted from its first beginning; also after
// the server was killed. It holds while the token could still open a session, and not for a session
// that was ended on purpose: who asks for that one again is refused, but is no thief.
//
// Rule session-token-retry-takes-nothing: a client that comes back to a session that lives takes no
// further place, of its app or of the server, and nothing of its end user's limit: full houses and
// used-up limits refuse new sessions only. Of a token for several sessions the limit still counts,
// while it has something left, since nobody knows yet which it is.
//
// Rule session-counted-once: a session stands in the ledger from the same transaction on that
// redeems its token, and is one row however its connections come and go. While it lives the row
// says when it was last seen, so that one whose server was killed is counted up to then.
//
// Used by: actions/admit_connection.h
// Kept by: store/sqlite_redemptions.h, store/sqlite_session_ledger.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "crypto/hash.h"
#include "rules/audit.h"
#include "rules/live_session.h"
#include "rules/session_token.h"

namespace stagedoor::rules {

inline constexpr std::size_t client_nonce_bytes_min = 16;
inline constexpr std::size_t client_nonce_bytes_max = 128;

// What is kept of a client's nonce, for one token.
using ClientMark = std::array<std::uint8_t, 16>;

// Safe for concurrent use.
class ClientMarker {
 public:
  // One key per generation of the server secret, newest first; at least one.
  explicit ClientMarker(std::vector<crypto::HmacKey> generations);
  // The marks under which this client may be known, the one to be kept first. `malformed` for a
  // nonce that is not 16 to 128 visible ASCII characters.
  base::Result<std::vector<ClientMark>> marks(std::string_view nonce,
                                              const SessionTokenId& token) const;

 private:
  std::vector<crypto::HmacKey> generations_;
};

// Whether a client may get a session back that has ended for this reason.
bool may_resume(std::string_view end_reason);

struct Redemption {
  SessionTokenId id{};
  base::Instant expires_at;
  int uses_max = 1;
  base::Instant at;
  std::vector<ClientMark> client_marks = {};  // empty: the client sent no nonce
  // There is no room but for a session of this token that lives: no new use may begin.
  enum class Counts : unsigned char { new_use, retry_only } counts = Counts::new_use;
  LiveSession session = {};  // the one that begins, if it does
  std::string request_id = {};
};

struct Redeemed {
  enum class Kind : unsigned char {
    begun,    // a use was counted, and the session stands in the ledger
    resumed,  // a retry: the session was there already
    spent,    // neither
  };
  Kind kind = Kind::begun;
  int use = 1;             // 1, 2, ...
  std::string session_id;  // of `begun` and `resumed`
  int connection = 1;      // of the session: 1, 2, ...
  base::Instant began_at;  // of the session
  // Of `begun` and `resumed`: up to when the ledger has counted the session so far.
  base::Instant counted_until;
  std::string earlier_peer;  // of `spent`: who had the token first; empty: forgotten
  // Of `spent`: this client had a session by it, and has come back for one that is over for good.
  bool is_own = false;
};

// Where it is kept which tokens are spent. Safe for concurrent use.
class RedemptionStore {
 public:
  virtual ~RedemptionStore() = default;
  using Answer = std::move_only_function<void(base::Result<Redeemed>)>;
  // One atomic step, durable before it answers. `concurrency_limited` where only a retry may be, it
  // is none, and a use is left: a spent token is told as such; `unavailable` when it could not be
  // made durable. Answers once, on any thread.
  virtual void redeem(const Redemption& redemption, Answer answer) = 0;
};

// Safe for concurrent use.
class SessionLedger {
 public:
  virtual ~SessionLedger() = default;
  // The session's connection has ended. Kept soon, and tried again until it is; does not wait. Does
  // nothing where a later connection holds the session.
  virtual void end(std::string_view session_id, int connection, std::string_view reason,
                   base::Instant at) = 0;
  // Ends the session for good, whatever connection holds it, in one transaction with `entry`: from
  // then on no client gets it back (rule session-token-retry-by-same-client). One that has ended is
  // left as it is, and the entry is kept. `unavailable`. Not from an event loop.
  virtual base::Result<base::Done> end_for_good(std::string_view session_id,
                                                std::string_view reason, AuditEntry entry) = 0;
};

// What one connection owes the ledger: its end.
class LedgerEntry {
 public:
  LedgerEntry() = default;
  LedgerEntry(SessionLedger& ledger, const base::Clock& clock, std::string session_id,
              int connection)
      : ledger_(&ledger),
        clock_(&clock),
        session_id_(std::move(session_id)),
        connection_(connection) {}
  LedgerEntry(LedgerEntry&& other) noexcept
      : ledger_(std::exchange(other.ledger_, nullptr)),
        clock_(other.clock_),
        session_id_(std::move(other.session_id_)),
        connection_(other.connection_) {}
  LedgerEntry& operator=(LedgerEntry&& other) noexcept {
    close("lost");
    ledger_ = std::exchange(other.ledger_, nullptr);
    clock_ = other.clock_;
    session_id_ = std::move(other.session_id_);
    connection_ = other.connection_;
    return *this;
  }
  // A connection that never became a session was lost on the way.
  ~LedgerEntry() { close("lost"); }

  // Of the session: 1, 2, ...
  int connection() const { return connection_; }
  void close(std::string_view reason) {
    if (auto* ledger = std::exchange(ledger_, nullptr))
      ledger->end(session_id_, connection_, reason, clock_->now());
  }

 private:
  SessionLedger* ledger_ = nullptr;
  const base::Clock* clock_ = nullptr;
  std::string session_id_;
  int connection_ = 0;
};

}  // namespace stagedoor::rules
