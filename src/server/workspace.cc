#include "server/workspace.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

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

base::Result<base::Done> write_private_text(const std::string& path, const base::Secret& text) {
  const auto old_mask = ::umask(077);
  std::ofstream file(path, std::ios::trunc);
  ::umask(old_mask);
  file << text.expose() << '\n';
  file.close();
  if (!file) return base::fail(ErrorCode::unavailable, "write " + path);
  return base::Done{};
}

}  // namespace

base::Result<base::Done> Workspace::read_secrets(const DataFolder& folder, const Config& config) {
  const auto path =
      config.server_secret_file.empty() ? folder.server_secret() : config.server_secret_file;
  const auto secrets = store::read_secret_file(path, rules::server_secret_generations_max);
  if (!secrets) return base::fail(secrets.error());
  std::vector<crypto::HmacKey> key_hashing;
  std::vector<base::Secret> token_secrets;
  for (const auto& bytes : *secrets) {
    const rules::ServerSecret secret(bytes);
    key_hashing.push_back(secret.api_key_hashing());
    token_secrets.push_back(secret.token_secret());
  }
  for (const auto& file : config.trusted_token_key_files) {
    auto trusted = store::read_secret_file(file, trusted_regions_max);
    if (!trusted) return base::fail(trusted.error());
    for (auto& secret : *trusted) token_secrets.push_back(std::move(secret));
  }
  hasher.emplace(std::move(key_hashing));
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
  made->writer = std::make_unique<store::SqliteWriter>(*std::move(database));
  made->catalog = std::make_unique<store::SqliteCatalog>(*made->writer);
  made->keys = std::make_unique<store::SqliteApiKeys>(*made->writer, *made->catalog);
  made->redemptions = std::make_unique<store::SqliteRedemptions>(*made->writer, made->clock);
  if (auto started = made->writer->start(); !started) return base::fail(started.error());

  made->authenticate.emplace(
      actions::AuthenticateApiKey::Parts{.keys = *made->keys, .hasher = *made->hasher},
      actions::AuthenticateApiKey::Options{.accepts_live = config.accepts_live_keys,
                                           .accepts_test = config.accepts_test_keys});
  made->create_api_key.emplace(actions::CreateApiKey::Parts{.catalog = *made->catalog,
                                                            .keys = *made->keys,
                                                            .hasher = *made->hasher,
                                                            .clock = made->clock,
                                                            .random = made->random});
  made->mint.emplace(actions::MintSessionToken::Parts{.catalog = *made->catalog,
                                                      .keys = *made->token_keys,
                                                      .clock = made->clock,
                                                      .random = made->random},
                     actions::MintSessionToken::Options{.issuer = config.issuer,
                                                        .region = config.region,
                                                        .connect_within = config.connect_within});
  return made;
}

Workspace::~Workspace() {
  // Before the catalog and the keys, which the writer's thread tells of changes.
  if (writer) writer->stop();
}

base::Result<FirstThings> Workspace::initialise(const DataFolder& folder) {
  if (std::filesystem::exists(folder.database())) {
    return base::fail(ErrorCode::forbidden, "init over a workspace",
                      "There is a workspace in " + folder.path + " already; nothing was changed.");
  }
  if (auto made = make_private_folder(folder.path); !made) return base::fail(made.error());
  crypto::SystemRandom random;
  if (!std::filesystem::exists(folder.server_secret())) {
    std::vector<base::Secret> secrets;
    secrets.push_back(store::new_server_secret(random));
    if (auto written = store::write_secret_file(folder.server_secret(), secrets); !written)
      return base::fail(written.error());
  }
  if (auto database = open_database(folder, SqliteDatabase::Mode::create); !database)
    return base::fail(database.error());
  ::chmod(folder.database().c_str(), S_IRUSR | S_IWUSR);

  auto workspace = open(folder, Config{});
  if (!workspace) return base::fail(workspace.error());
  auto& catalog = *(*workspace)->catalog;
  const auto now = (*workspace)->clock.now();
  const std::string workspace_id = "ws_" + base::random_base62(random, 20);
  const rules::App app{.id = "app_" + base::random_base62(random, 20),
                       .workspace_id = workspace_id,
                       .name = "First app",
                       .limits = {}};
  const rules::Avatar avatar{
      .id = base::random_uuid(random), .workspace_id = workspace_id, .name = "Ada", .version = "1"};
  const rules::Persona persona{.id = base::random_uuid(random),
                               .workspace_id = workspace_id,
                               .avatar_id = avatar.id,
                               .name = "Ada",
                               .system_prompt = "You are Ada, a friendly guide."};
  if (auto done = catalog.create_workspace(workspace_id, "First workspace", now); !done)
    return base::fail(done.error());
  if (auto done = catalog.create_app(app, now); !done) return base::fail(done.error());
  if (auto done = catalog.create_avatar(avatar, now); !done) return base::fail(done.error());
  if (auto done = catalog.create_persona(persona, now); !done) return base::fail(done.error());

  using Request = actions::CreateApiKey::Request;
  const auto& create = *(*workspace)->create_api_key;
  auto first = create(Request{app.id, rules::Environment::test, "first key"});
  if (!first) return base::fail(first.error());
  auto page = create(Request{app.id, rules::Environment::test, "the page at /"});
  if (!page) return base::fail(page.error());
  if (auto written = write_private_text(folder.page_key(), page->text.secret()); !written)
    return base::fail(written.error());
  return FirstThings{.workspace_id = workspace_id,
                     .app_id = app.id,
                     .avatar_id = avatar.id,
                     .persona_id = persona.id,
                     .api_key = std::move(first->text)};
}

base::Result<std::string> first_avatar(const DataFolder& folder) {
  auto database = SqliteDatabase::open(folder.database(), SqliteDatabase::Mode::must_exist);
  if (!database) return base::fail(database.error());
  auto read = database->prepare("SELECT id FROM avatars ORDER BY created_at LIMIT 1");
  if (!read) return base::fail(read.error());
  if (read->step() != store::SqliteStatement::Step::row)
    return base::fail(ErrorCode::avatar_unknown, "no avatar", "There is no avatar yet.");
  return std::string(read->text(0));
}

base::Result<base::Done> rotate_server_secret(const std::string& path) {
  auto secrets = store::read_secret_file(path, rules::server_secret_generations_max);
  if (!secrets) return base::fail(secrets.error());
  crypto::SystemRandom random;
  std::vector<base::Secret> rotated;
  rotated.push_back(store::new_server_secret(random));
  rotated.push_back(std::move(secrets->front()));
  return store::write_secret_file(path, rotated);
}

base::Result<base::Done> export_token_key(const std::string& secret_path, const std::string& out) {
  const auto secrets = store::read_secret_file(secret_path, rules::server_secret_generations_max);
  if (!secrets) return base::fail(secrets.error());
  std::vector<base::Secret> keys;
  for (const auto& secret : *secrets) keys.push_back(rules::ServerSecret(secret).token_secret());
  return store::write_secret_file(out, keys);
}

}  // namespace stagedoor::server
