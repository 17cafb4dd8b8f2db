// A persona: who an avatar plays. Which face and voice, what it is told to be, how it listens.
//
// Its content is JSON in one canonical form (base/json_shape.h), so that equal content has equal
// bytes and one address: their HMAC-SHA-256 under a key of the server secret, so that nobody who
// sees an address can try what the content might be.
//
// Rule persona-checked-at-minting: what is wrong with a persona is said when a token is asked for
// it, with the member named; a session never begins with a persona that can't be played.
//
// Rule persona-snapshot-stored-once: a token names what it was minted for by its address. The
// content is kept under it before the first such token is given out; minting the same again
// writes nothing more than once an hour. It is forgotten when the last token that can name it has
// expired; it is sealed meanwhile (rules/kept_secret.h), since it may hold what a tool needs to be
// let in elsewhere.
//
// Rule persona-of-one-workspace: a persona is its workspace's and of one environment, and may be
// one app's (rules/item_scope.h). For everyone else it is not found, as if it did not exist.
//
// Used by: actions/mint_persona_token.h, actions/keep_persona.h
// Kept by: store/sqlite_personas.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <cstddef>
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
#include "base/result.h"
#include "crypto/hash.h"
#include "rules/app.h"
#include "rules/audit.h"
#include "rules/catalog_item.h"
#include "rules/session_token.h"
#include "rules/voice.h"

namespace stagedoor::rules {

inline constexpr std::size_t persona_prompt_characters_max = 50'000;
inline constexpr std::size_t persona_tools_max = 32;
inline constexpr std::int64_t personas_of_workspace_max = 10'000;
inline constexpr std::chrono::seconds persona_length_max{24 * 3600};

// For one token only, or to be kept under an id of its own: the two have different members.
enum class PersonaForm : unsigned char { inline_content, kept };

using Faults = ItemFaults;
using PersonaRefusal = ItemRefusal;

// Content that obeys its form. A value.
class PersonaContent {
 public:
  // All faults, at most base::field_faults_max. Members that are not known are left out; `path` is
  // put before the names of those at fault.
  static std::expected<PersonaContent, Faults> read(const base::Json& json, PersonaForm form,
                                                    const std::string& path);
  // The content with some members changed (null: taken away). Here an unknown member is a fault.
  std::expected<PersonaContent, Faults> changed(const base::Json& change) const;
  // What `json()` gave: from a store, whose text is believed.
  static base::Result<PersonaContent> of_canonical(std::string_view text);
  // What a new workspace begins with.
  static PersonaContent first(std::string_view avatar_id);
  // With more tools in their inline form, JSON each, behind its own.
  PersonaContent with_tools(const std::vector<std::string>& tools) const;

  const std::string& json() const { return json_; }

  // Empty where the content does not say.
  const std::string& name() const { return name_; }
  const std::string& avatar_id() const { return avatar_id_; }
  const std::string& voice_id() const { return voice_id_; }
  const std::string& language_model_id() const { return language_model_id_; }
  const std::vector<std::string>& tool_ids() const { return tool_ids_; }
  std::optional<std::chrono::seconds> length_max() const { return length_max_; }
  // Of its own, in their inline form.
  std::size_t tool_count() const { return tool_count_; }
  // Groups of documents that these search.
  struct SearchedGroup {
    std::size_t tool;  // the place of the tool among them
    std::string id;
  };
  const std::vector<SearchedGroup>& searched_groups() const { return searched_groups_; }

 private:
  PersonaContent() = default;
  static PersonaContent of(std::string canonical, const base::Json& json);
  void add_groups_of(const base::Json& tool);

  std::string json_, name_, avatar_id_, voice_id_, language_model_id_;
  std::vector<std::string> tool_ids_;
  std::optional<std::chrono::seconds> length_max_;
  std::size_t tool_count_ = 0;
  std::vector<SearchedGroup> searched_groups_;
};

// What a session may show and record, as a mint call wishes it: `sessionOptions`, canonical.
std::expected<std::string, Faults> read_session_options(const base::Json& json,
                                                        const std::string& path);

// Whose personas a call means.
using PersonaScope = ItemScope;

// Where what a persona names is looked up.
struct PersonaReferences {
  const Catalog& catalog;
  const Voices& voices;
  CatalogItems& items;
};
// Whether it names what is kept on disk: then the two below wait for it.
bool names_items(const PersonaContent& content);
// Whether what the content names exists in the scope; adds what does not. To test keys the avatars
// of rules/test_mode.h exist too. `unavailable` where that can't be told.
base::Result<base::Done> check_references(const PersonaContent& content, const PersonaScope& scope,
                                          const PersonaReferences& references,
                                          const std::string& path, Faults& faults);
// The content with the tools that it names among its own (rules/tool.h): what is played. Adds a
// fault where they are too many, or search documents that are not there.
base::Result<PersonaContent> with_kept_tools(const PersonaContent& content,
                                             const PersonaScope& scope, CatalogItems& items,
                                             const std::string& path, Faults& faults);

// All that a token was minted for, in canonical form, and its address.
struct PersonaSnapshot {
  crypto::Digest digest;
  std::string content;
};
struct PersonaSnapshotParts {
  const PersonaContent& content;
  std::string_view persona_id;       // empty: inline content
  std::string_view session_options;  // empty: none
  std::string_view character;        // of its avatar; empty: not known
};
PersonaSnapshot snapshot_of(const PersonaSnapshotParts& parts, const crypto::HmacKey& key);

// A snapshot is noted as minted again once this has passed, and forgotten after the other: later
// than any token ends that was minted meanwhile.
inline constexpr std::chrono::hours persona_snapshot_noted_for{1};
inline constexpr std::chrono::hours persona_snapshot_kept_for =
    session_token_lifetime_max + persona_snapshot_noted_for + std::chrono::hours(1);

// Where snapshots are kept. Safe for concurrent use.
class PersonaSnapshots {
 public:
  virtual ~PersonaSnapshots() = default;
  // Whether it is kept for all tokens that are minted for it at `now`. From memory, without
  // waiting. False: it is not, or we don't know.
  virtual bool is_known(const crypto::Digest& digest, base::Instant now) const = 0;
  // Makes it so. Durable when it returns; not from an event loop. Writes nothing where it is so.
  virtual base::Result<base::Done> keep(const PersonaSnapshot& snapshot, base::Instant now) = 0;
  // Its content; `not_found`. Not from an event loop.
  virtual base::Result<std::string> find(const crypto::Digest& digest) = 0;
};

struct Persona {
  std::string id;  // a UUID
  PersonaScope scope;
  PersonaContent content;
  base::Instant created_at, updated_at;
};

// Where personas are kept. Safe for concurrent use; not from an event loop.
class Personas {
 public:
  virtual ~Personas() = default;
  // `not_found` also for what is outside the scope.
  virtual base::Result<Persona> find(const PersonaScope& scope, std::string_view id) = 0;

  struct Query {
    std::string search;  // part of the name, without case, or the whole id; empty: all
    std::int64_t skip = 0, count = 10;
  };
  struct Found {
    std::vector<Persona> personas;  // newest first
    std::int64_t total = 0;
  };
  virtual base::Result<Found> list(const PersonaScope& scope, const Query& query) = 0;

  // Each of these is durable, with its entry, when it returns.
  virtual base::Result<base::Done> create(const Persona& persona, const AuditEntry& entry) = 0;
  using Change = std::function<base::Result<PersonaContent>(const PersonaContent& before)>;
  // What `change` refuses stays as it was, and its error is the answer.
  virtual base::Result<Persona> change(const PersonaScope& scope, std::string_view id,
                                       const Change& change, const AuditEntry& entry) = 0;
  // With its share links, and with what they opened (rule share-link-ends-what-it-opened in
  // rules/share_link.h).
  virtual base::Result<base::Done> remove(const PersonaScope& scope, std::string_view id,
                                          const AuditEntry& entry) = 0;
};

}  // namespace stagedoor::rules
