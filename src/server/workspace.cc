#include "server/workspace.h"

#include <sys/stat.h>

#include <filesystem>

#include "store/secret_file.h"
#include "store/sqlite_database.h"

namespace stagedoor::server {
namespace {

using base::ErrorCode;
using store::SqliteDatabase;

constexpr std::size_t trusted_regions_max = 16;

base::Result<SqliteDatabase> open_database(const DataFolder& folder, SqliteDatabase::Mode mode) {
  auto database = SqliteDatabase::open(folder.database(), mode);
  if (!database) return database;
  if (auto migrated = store::migrate(*database); !migrated) return base::fail(migrated.error());
  return database;
}

base::Result<base::Done> make_private_folder(const std::string& path) {
  std::error_code trouble;
  std::filesystem::create_directories(path, trouble);
  if (trouble || ::chmod(path.c_str(), S_IRWXU) != 0) {
    return base::fail(ErrorCode::unavailable, "data folder",
                      "The data folder " + path + " can't be made: " + trouble.message());
  }
  return base::Done{};
}

base::Result<base::Done> make_server_secret(const std::string& path) {
  if (std::filesystem::exists(path)) return base::Done{};
  crypto::SystemRandom random;
  std::vector<base::Secret> secrets;
  secrets.push_back(store::new_server_secret(random));
  return store::write_secret_file(path, secrets);
}

base::Result<FirstThings> make_first_things(Workspace& workspace, const DataFolder& folder) {
  auto& catalog = *workspace.catalog;
  auto& random = workspace.random;
  const auto now = workspace.clock.now();
  const std::string workspace_id = "ws_" + base::random_base62(random, 20);
  rules::App app;
  app.id = "app_" + base::random_base62(random, 20);
  app.workspace_id = workspace_id;
  app.name = "First app";
  const rules::Avatar avatar{
      .id = base::random_uuid(random), .workspace_id = workspace_id, .name = "Ada", .version = "1"};
  rules::PersonaScope all_apps;
  all_apps.workspace_id = workspace_id;
  const rules::Persona persona{.id = base::random_uuid(random),
                               .scope = all_apps,
                               .content = rules::PersonaContent::first(avatar.id),
                               .created_at = now,
                               .updated_at = now};
  for (const auto& made : {catalog.create_workspace(workspace_id, "First workspace", now),
                           catalog.create_app(app, now), catalog.create_avatar(avatar, now),
                           catalog.create_persona(persona)})
    if (!made) return base::fail(made.error());

  const auto create = [&](const char* name) {
    actions::CreateApiKey::Request request;
    request.app_id = app.id;
    request.environment = rules::Environment::test;
    request.wish.name = name;
    return workspace.key_verbs->create(actions::KeyManager::of_operator(), request);
  };
  auto first = create("first key");
  if (!first) return base::fail(first.error());
  auto page = create("the page at /");
  if (!page) return base::fail(page.error());
  if (auto written = store::write_private_line(folder.page_key(), page->text.secret()); !written)
    return base::fail(written.error());
  return FirstThings{.workspace_id = workspace_id,
                     .app_id = app.id,
                     .avatar_id = avatar.id,
                     .persona_id = persona.id,
                     .api_key = std::move(first->text)};
}

base::Result<std::string> first_id(const DataFolder& folder, std::string_view sql,
                                   base::Error none) {
  auto database = SqliteDatabase::open(folder.database(), SqliteDatabase::Mode::must_exist);
  if (!database) return base::fail(database.error());
  auto read = database->prepare(sql);
  if (!read) return base::fail(read.error());
  if (read->step() != store::SqliteStatement::Step::row) return base::fail(std::move(none));
  return std::string(read->text(0));
}

}  // namespace

std::string server_secret_path(const DataFolder& folder, const Config& config) {
  return config.server_secret_file.empty() ? folder.server_secret() : config.server_secret_file;
}

std::string issuer_of_people(const Config& config) {
  if (!config.accounts_issuer.empty()) return config.accounts_issuer;
  return config.public_url.empty() ? "http://" + config.listen : config.public_url;
}

base::Result<base::Done> Workspace::read_secrets(const DataFolder& folder, const Config& config) {
  const auto secrets = store::read_secret_file(server_secret_path(folder, config),
                                               rules::server_secret_generations_max);
  if (!secrets) return base::fail(secrets.error());
  std::vector<crypto::HmacKey> key_hashing;
  std::vector<crypto::HmacKey> client_marking, share_token_hashing;
  std::vector<base::Secret> token_secrets, people_seeds, sealing_keys;
  for (const auto& bytes : *secrets) {
    const rules::ServerSecret secret(bytes);
    key_hashing.push_back(secret.api_key_hashing());
    client_marking.push_back(secret.client_marking());
    token_secrets.push_back(secret.token_secret());
    people_seeds.push_back(secret.people_token_seed());
    sealing_keys.push_back(secret.sealing_secret());
    share_token_hashing.push_back(secret.share_token_hashing());
    if (!refresh_key) refresh_key.emplace(secret.refresh_tokens());
    if (!snapshot_key) snapshot_key.emplace(secret.snapshot_addressing());
  }
  secret_keeper.emplace(sealing_keys, random);
  share_token_hasher.emplace(std::move(share_token_hashing));
  people_keys.emplace(people_seeds, issuer_of_people(config));
  for (const auto& file : config.trusted_token_key_files) {
    auto trusted = store::read_secret_file(file, trusted_regions_max);
    if (!trusted) return base::fail(trusted.error());
    for (auto& secret : *trusted) token_secrets.push_back(std::move(secret));
  }
  hasher.emplace(std::move(key_hashing));
  client_marker.emplace(std::move(client_marking));
  token_keys.emplace(token_secrets, config.token_algorithm == "EdDSA"
                                        ? rules::TokenAlgorithm::eddsa
                                        : rules::TokenAlgorithm::hs256);
  return base::Done{};
}

base::Result<std::unique_ptr<Workspace>> Workspace::open(const DataFolder& folder,
                                                         const Config& config) {
  if (!std::filesystem::exists(folder.database())) {
    return base::fail(ErrorCode::not_found, "no workspace",
                      "There is no workspace in " + folder.path +
                          "; make one with: stagedoor init --data " + folder.path);
  }
  std::unique_ptr<Workspace> made(new Workspace);
  if (auto read = made->read_secrets(folder, config); !read) return base::fail(read.error());
  auto database = open_database(folder, SqliteDatabase::Mode::must_exist);
  if (!database) return base::fail(database.error());
  auto sealer = store::open_audit_key(*database, folder.audit_key(), made->random);
  if (!sealer) return base::fail(sealer.error());
  made->writer = std::make_unique<store::SqliteWriter>(*std::move(database));
  made->audit =
      std::make_unique<store::SqliteAuditLog>(*made->writer, *std::move(sealer), made->clock);
  made->readers = std::make_unique<store::SqliteReaders>(folder.database());
  made->audit_trail = std::make_unique<store::SqliteAuditTrail>(*made->readers);
  made->key_usage = std::make_unique<store::SqliteKeyUsage>(*made->writer, *made->readers);
  made->catalog = std::make_unique<store::SqliteCatalog>(*made->writer);
  made->keys = std::make_unique<store::SqliteApiKeys>(*made->writer, *made->catalog);
  made->key_records =
      std::make_unique<store::SqliteApiKeyRecords>(*made->writer, *made->readers, *made->audit);
  const auto append = [&audit = *made->audit](store::SqliteDatabase& open,
                                              rules::AuditEntry entry) {
    return audit.append(open, std::move(entry));
  };
  made->apps = std::make_unique<store::SqliteApps>(*made->writer, *made->catalog, append);
  made->end_user_limits =
      std::make_unique<store::SqliteEndUserLimits>(*made->writer, append, made->clock);
  made->avatars = std::make_unique<store::SqliteAvatars>(*made->writer, *made->readers, append);
  made->ledger = std::make_unique<store::SqliteSessionLedger>(*made->writer, append, made->clock);
  made->redemptions =
      std::make_unique<store::SqliteRedemptions>(*made->writer, *made->ledger, made->clock);
  made->revocations =
      std::make_unique<store::SqliteTokenRevocations>(*made->writer, append, made->clock);
  made->personas = std::make_unique<store::SqlitePersonas>(*made->writer, *made->readers,
                                                           *made->audit, made->clock);
  made->persona_snapshots = std::make_unique<store::SqlitePersonaSnapshots>(
      *made->writer, *made->readers, *made->secret_keeper);
  made->passage_words = std::make_unique<store::PassageWords>(*made->writer);
  made->items = std::make_unique<store::SqliteCatalogItems>(
      store::SqliteCatalogItems::Parts{.writer = *made->writer,
                                       .readers = *made->readers,
                                       .audit = *made->audit,
                                       .keeper = *made->secret_keeper,
                                       .words = *made->passage_words});
  made->session_records = std::make_unique<store::SqliteSessionRecords>(*made->readers);
  made->session_reports = std::make_unique<store::SqliteSessionReports>(
      *made->writer, *made->readers, *made->audit,
      store::SqliteSessionReports::Options{.kept_for = config.live.reports_kept_for});
  made->knowledge = std::make_unique<store::SqliteKnowledge>(*made->writer, *made->readers,
                                                             *made->audit, *made->passage_words);
  made->share_links = std::make_unique<store::SqliteShareLinks>(
      store::SqliteShareLinks::Parts{.writer = *made->writer,
                                     .readers = *made->readers,
                                     .audit = *made->audit,
                                     .keeper = *made->secret_keeper,
                                     .hasher = *made->share_token_hasher,
                                     .clock = made->clock});
  made->people = std::make_unique<store::KnownPeople>(made->people_keys->issuer());
  made->accounts = std::make_unique<store::SqliteAccounts>(*made->writer, *made->readers,
                                                           *made->audit, *made->people);
  made->members =
      std::make_unique<store::SqliteMembers>(*made->writer, *made->readers, *made->audit);
  if (auto started = made->writer->start(); !started) return base::fail(started.error());

  made->authenticate.emplace(
      actions::AuthenticateApiKey::Parts{
          .keys = *made->keys, .hasher = *made->hasher, .clock = made->clock},
      actions::AuthenticateApiKey::Options{.accepts_live = config.accepts_live_keys,
                                           .accepts_test = config.accepts_test_keys});
  made->limiter = std::make_unique<store::MemoryRateLimits>(config.limit_tables, made->random);
  made->rate_tiers = config.limits.tiers;
  made->key_verbs.emplace(actions::KeyMaking{.catalog = *made->catalog,
                                             .records = *made->key_records,
                                             .hasher = *made->hasher,
                                             .tiers = made->rate_tiers,
                                             .clock = made->clock,
                                             .random = made->random});
  made->keep_app.emplace(actions::KeepApp::Parts{.catalog = *made->catalog,
                                                 .apps = *made->apps,
                                                 .clock = made->clock,
                                                 .random = made->random},
                         actions::KeepApp::Options{.end_user_limit = config.end_user_limit});
  made->keep_end_user_limit.emplace(
      actions::KeepEndUserLimit::Parts{.apps = *made->keep_app,
                                       .catalog = *made->catalog,
                                       .records = *made->end_user_limits,
                                       .clock = made->clock},
      actions::KeepEndUserLimit::Options{.end_user_limit = config.end_user_limit});
  made->keep_avatar.emplace(actions::KeepAvatar::Parts{
      .avatars = *made->avatars, .clock = made->clock, .random = made->random});
  made->limit_end_user.emplace(actions::LimitEndUser::Parts{.own = *made->end_user_limits,
                                                            .limiter = *made->limiter,
                                                            .audit = *made->audit,
                                                            .clock = made->clock},
                               actions::LimitEndUser::Options{.limit = config.end_user_limit});
  made->mint.emplace(actions::MintSessionToken::Parts{.catalog = *made->catalog,
                                                      .keys = *made->token_keys,
                                                      .limit_end_user = *made->limit_end_user,
                                                      .minutes = made->minutes,
                                                      .clock = made->clock,
                                                      .random = made->random},
                     actions::MintSessionToken::Options{.issuer = config.issuer,
                                                        .region = config.region,
                                                        .connect_within = config.connect_within});
  made->mint_persona.emplace(actions::MintPersonaToken::Parts{.mint = *made->mint,
                                                              .references = made->references(),
                                                              .snapshots = *made->persona_snapshots,
                                                              .personas = *made->personas,
                                                              .address_key = *made->snapshot_key,
                                                              .clock = made->clock});
  return made;
}

Workspace::~Workspace() {
  if (audit) audit->finish();
  // Before the catalog and the keys, which the writer's thread tells of changes.
  if (writer) writer->stop();
}

rules::AuditEntry Workspace::by_operator(rules::AuditAction action, std::string subject,
                                         std::string detail) const {
  rules::AuditEntry entry;
  entry.at = clock.now();
  entry.actor = "operator";
  entry.action = name_of(action);
  entry.subject = std::move(subject);
  entry.detail = std::move(detail);
  return entry;
}

base::Result<base::Done> Workspace::record_by_operator(rules::AuditAction action,
                                                       std::string subject, std::string detail) {
  return audit->record(by_operator(action, std::move(subject), std::move(detail)));
}

base::Result<FirstThings> Workspace::initialise(const DataFolder& folder, const Config& config) {
  if (std::filesystem::exists(folder.database())) {
    return base::fail(ErrorCode::forbidden, "init over a workspace",
                      "There is a workspace in " + folder.path + " already; nothing was changed.");
  }
  if (auto made = make_private_folder(folder.path); !made) return base::fail(made.error());
  if (auto made = make_server_secret(server_secret_path(folder, config)); !made)
    return base::fail(made.error());

  const DataFolder unfinished{.path = folder.path, .database_name = "stagedoor.db.new"};
  for (const auto* end : {"", "-wal", "-shm"}) std::filesystem::remove(unfinished.database() + end);
  // Of an attempt that died: a log without entries needs no key.
  for (const auto* end : {"", ".new"}) std::filesystem::remove(folder.audit_key() + end);
  if (auto database = open_database(unfinished, SqliteDatabase::Mode::create); !database)
    return base::fail(database.error());
  ::chmod(unfinished.database().c_str(), S_IRUSR | S_IWUSR);
  auto workspace = open(unfinished, config);
  if (!workspace) return base::fail(workspace.error());
  auto made = make_first_things(**workspace, folder);
  // Closing the last connection brings everything into the one file.
  workspace->reset();
  if (!made) return made;
  if (auto named = store::rename_durably(unfinished.database(), folder.database()); !named)
    return base::fail(named.error());
  return made;
}

base::Result<std::string> first_avatar(const DataFolder& folder) {
  return first_id(folder,
                  "SELECT id FROM avatars WHERE removed_at IS NULL AND app_id IS NULL "
                  "ORDER BY created_at LIMIT 1",
                  {ErrorCode::avatar_unknown, "no avatar", "There is no avatar yet."});
}

base::Result<std::string> first_workspace(const DataFolder& folder) {
  return first_id(folder, "SELECT id FROM workspaces ORDER BY created_at, id LIMIT 1",
                  {ErrorCode::not_found, "no workspace", "There is no workspace yet."});
}

base::Result<base::Done> rotate_server_secret(const DataFolder& folder, const Config& config) {
  const auto workspace = Workspace::open(folder, config);
  if (!workspace) return base::fail(workspace.error());
  const auto path = server_secret_path(folder, config);
  auto secrets = store::read_secret_file(path, rules::server_secret_generations_max);
  if (!secrets) return base::fail(secrets.error());
  // Rule kept-secret-survives-rotation: what the older generation sealed would be lost with it.
  if (auto sealed = (*workspace)->items->seal_anew(); !sealed) return sealed;
  if (auto sealed = (*workspace)->share_links->seal_anew(); !sealed) return sealed;
  crypto::SystemRandom random;
  std::vector<base::Secret> rotated;
  rotated.push_back(store::new_server_secret(random));
  rotated.push_back(std::move(secrets->front()));
  if (auto recorded =
          (*workspace)->record_by_operator(rules::AuditAction::server_secret_rotate, path, "");
      !recorded)
    return recorded;
  return store::write_secret_file(path, rotated);
}

base::Result<base::Done> export_token_key(const DataFolder& folder, const Config& config,
                                          const std::string& out) {
  if (std::filesystem::exists(out))
    return base::fail(ErrorCode::forbidden, "token key over a file",
                      out + " exists already; nothing was written.");
  const auto workspace = Workspace::open(folder, config);
  if (!workspace) return base::fail(workspace.error());
  const auto secrets = store::read_secret_file(server_secret_path(folder, config),
                                               rules::server_secret_generations_max);
  if (!secrets) return base::fail(secrets.error());
  if (auto recorded =
          (*workspace)->record_by_operator(rules::AuditAction::token_key_export, out, "");
      !recorded)
    return recorded;
  std::vector<base::Secret> keys;
  for (const auto& secret : *secrets) keys.push_back(rules::ServerSecret(secret).token_secret());
  return store::write_secret_file(out, keys);
}

}  // namespace stagedoor::server
