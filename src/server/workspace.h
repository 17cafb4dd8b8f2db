// A data folder, opened: its store, its secrets, and the actions on them. What every command
// stands on, with or without a server.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actions/authenticate_api_key.h"
#include "actions/keep_app.h"
#include "actions/keep_avatar.h"
#include "actions/keep_end_user_limit.h"
#include "actions/key_verbs.h"
#include "actions/limit_end_user.h"
#include "actions/mint_persona_token.h"
#include "actions/mint_session_token.h"
#include "base/clock.h"
#include "crypto/random.h"
#include "rules/kept_secret.h"
#include "rules/people_keys.h"
#include "rules/server_secret.h"
#include "rules/share_link.h"
#include "rules/voice.h"
#include "server/config.h"
#include "store/known_people.h"
#include "store/memory_minute_meter.h"
#include "store/memory_rate_limits.h"
#include "store/passage_words.h"
#include "store/sqlite_accounts.h"
#include "store/sqlite_api_key_records.h"
#include "store/sqlite_api_keys.h"
#include "store/sqlite_apps.h"
#include "store/sqlite_audit_log.h"
#include "store/sqlite_audit_trail.h"
#include "store/sqlite_avatars.h"
#include "store/sqlite_catalog.h"
#include "store/sqlite_catalog_items.h"
#include "store/sqlite_end_user_limits.h"
#include "store/sqlite_key_usage.h"
#include "store/sqlite_knowledge.h"
#include "store/sqlite_members.h"
#include "store/sqlite_personas.h"
#include "store/sqlite_readers.h"
#include "store/sqlite_redemptions.h"
#include "store/sqlite_session_records.h"
#include "store/sqlite_session_reports.h"
#include "store/sqlite_share_links.h"
#include "store/sqlite_token_revocations.h"
#include "store/sqlite_writer.h"

namespace stagedoor::server {

struct DataFolder {
  std::string path;
  std::string database_name = "stagedoor.db";
  std::string database() const { return path + "/" + database_name; }
  std::string server_secret() const { return path + "/server-secret"; }
  std::string audit_key() const { return path + "/audit-key"; }
  std::string page_key() const { return path + "/page-key"; }
  std::string sample() const { return path + "/sample.wav"; }
  std::string lock() const { return path + "/serving.lock"; }
};

// What `init` made; the key is shown this once.
struct FirstThings {
  std::string workspace_id, app_id, avatar_id, persona_id;
  rules::ApiKeyText api_key;
};

// Safe for concurrent use after it was opened.
class Workspace {
 public:
  // `not_found` with a hint where the folder was never initialised.
  static base::Result<std::unique_ptr<Workspace>> open(const DataFolder& folder,
                                                       const Config& config);
  // Makes the folder (mode 700), a server secret, the first app, avatar, persona and test key, and
  // the page's own key. `forbidden`, and nothing touched, where there is a workspace already. The
  // database gets its name last: an attempt that died is no workspace, and the next one begins
  // anew.
  static base::Result<FirstThings> initialise(const DataFolder& folder, const Config& config);
  ~Workspace();

  // For what the operator does on the command line and what no store keeps with it: recorded before
  // it is done, so that what can't be recorded is not done.
  base::Result<base::Done> record_by_operator(rules::AuditAction action, std::string subject,
                                              std::string detail);
  rules::PersonaReferences references() const {
    return {.catalog = *catalog, .voices = voices, .items = *items};
  }
  // An entry of the operator's, for a store that keeps it with the change.
  rules::AuditEntry by_operator(rules::AuditAction action, std::string subject,
                                std::string detail) const;

  base::SystemClock clock;
  crypto::SystemRandom random;
  std::unique_ptr<store::SqliteWriter> writer;
  std::unique_ptr<store::SqliteAuditLog> audit;
  std::unique_ptr<store::SqliteReaders> readers;
  std::unique_ptr<store::SqliteAuditTrail> audit_trail;
  std::unique_ptr<store::SqliteKeyUsage> key_usage;
  std::unique_ptr<store::SqliteCatalog> catalog;
  std::unique_ptr<store::SqliteApps> apps;
  std::unique_ptr<store::SqliteEndUserLimits> end_user_limits;
  std::unique_ptr<store::SqliteAvatars> avatars;
  std::unique_ptr<store::SqliteApiKeys> keys;
  std::unique_ptr<store::SqliteSessionLedger> ledger;
  std::unique_ptr<store::SqliteApiKeyRecords> key_records;
  std::unique_ptr<store::SqliteRedemptions> redemptions;
  std::unique_ptr<store::SqliteTokenRevocations> revocations;
  std::unique_ptr<store::SqlitePersonas> personas;
  std::unique_ptr<store::SqlitePersonaSnapshots> persona_snapshots;
  std::unique_ptr<store::SqliteSessionRecords> session_records;
  std::unique_ptr<store::SqliteSessionReports> session_reports;
  std::unique_ptr<store::PassageWords> passage_words;
  std::unique_ptr<store::SqliteCatalogItems> items;
  std::unique_ptr<store::SqliteKnowledge> knowledge;
  std::unique_ptr<store::SqliteShareLinks> share_links;
  // Those that are built in until a server adds what its engines have.
  rules::Voices voices;
  std::unique_ptr<store::KnownPeople> people;
  std::unique_ptr<store::SqliteAccounts> accounts;
  std::unique_ptr<store::SqliteMembers> members;
  std::unique_ptr<store::MemoryRateLimits> limiter;
  // Empty until a server loads it from the ledger.
  store::MemoryMinuteMeter minutes;
  std::optional<rules::ApiKeyHasher> hasher;
  std::optional<rules::TokenKeys> token_keys;
  std::optional<rules::ClientMarker> client_marker;
  std::optional<rules::PeopleKeys> people_keys;
  std::optional<crypto::HmacKey> refresh_key, snapshot_key;
  std::optional<rules::SecretKeeper> secret_keeper;
  std::optional<rules::ShareTokenHasher> share_token_hasher;
  std::optional<actions::AuthenticateApiKey> authenticate;
  rules::RateTiers rate_tiers;
  std::optional<actions::KeyVerbs> key_verbs;
  std::optional<actions::KeepApp> keep_app;
  std::optional<actions::KeepEndUserLimit> keep_end_user_limit;
  std::optional<actions::KeepAvatar> keep_avatar;
  std::optional<actions::LimitEndUser> limit_end_user;
  std::optional<actions::MintSessionToken> mint;
  std::optional<actions::MintPersonaToken> mint_persona;

 private:
  Workspace() = default;
  base::Result<base::Done> read_secrets(const DataFolder& folder, const Config& config);
};

// The first avatar of the workspace of an app, for callers that name none.
base::Result<std::string> first_avatar(const DataFolder& folder);

// The oldest workspace.
base::Result<std::string> first_workspace(const DataFolder& folder);

// Where the server secret is.
std::string server_secret_path(const DataFolder& folder, const Config& config);

// The iss claim of our own people's tokens.
std::string issuer_of_people(const Config& config);

// Puts a new server secret before the old one, and gives up the one before that.
base::Result<base::Done> rotate_server_secret(const DataFolder& folder, const Config& config);

// Writes this server's token key, which another region's server may be told to trust. `forbidden`,
// and nothing written, where the file exists.
base::Result<base::Done> export_token_key(const DataFolder& folder, const Config& config,
                                          const std::string& out);

}  // namespace stagedoor::server
