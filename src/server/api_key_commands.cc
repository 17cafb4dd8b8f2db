#include "server/api_key_commands.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <fstream>
#include <functional>
#include <sstream>

#include "api/key_json.h"
#include "server/complain.h"
#include "server/workspace.h"

namespace stagedoor::server {
namespace {

using actions::KeyManager;
using base::ErrorCode;

std::string time_text(base::Instant instant) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(instant)));
}

std::string_view state_of(const rules::ApiKey& key, base::Instant now) {
  if (key.revoked_at) return "revoked";
  if (key.frozen_at) return "frozen";
  return key.has_expired(now) ? "expired" : "good";
}

// Runs `work` on the data folder's workspace and complains where it could not.
int on_workspace(const std::string& data, const Config& config,
                 const std::function<base::Result<base::Done>(Workspace&)>& work) {
  const auto workspace = Workspace::open({data}, config);
  if (!workspace) return complain(workspace.error());
  const auto done = work(**workspace);
  return done ? 0 : complain(done.error());
}

base::Result<std::uint64_t> id_of(const std::string& key_id) {
  const auto id = rules::parse_api_key_id(key_id);
  if (id) return *id;
  return base::fail(ErrorCode::malformed, "key id", "A key's id is key_ and 16 hex digits.");
}

base::Result<std::string> app_or_only(const Workspace& workspace, const std::string& app_id) {
  if (!app_id.empty()) return app_id;
  const auto apps = workspace.catalog->apps();
  if (apps.size() == 1) return apps.front().id;
  return base::fail(ErrorCode::malformed, "which app",
                    "There are several apps; say which one with --app.");
}

rules::Environment environment_of(bool is_live) {
  return is_live ? rules::Environment::live : rules::Environment::test;
}

void print_json(const Workspace& workspace, const rules::ApiKey& key) {
  std::string line;
  base::JsonWriter writer(line);
  api::write_key(writer, key, workspace.clock.now());
  api::write_last_use(writer, workspace.key_usage->last_use(key.id));
  writer.end();
  fmt::print("{}\n", line);
}

void print_created(const Workspace& workspace, const actions::CreatedApiKey& created, bool json) {
  if (json) {
    std::string line;
    api::write_created_key(line, created, workspace.clock.now());
    fmt::print("{}\n", line);
  } else {
    fmt::print("{}\n{}\nThe key is shown this once; keep it on your server.\n",
               rules::api_key_id_text(created.key.id), created.text.secret().expose());
  }
}

using Change = std::function<base::Result<rules::ApiKey>(actions::KeyVerbs&, std::uint64_t)>;
int change_key(const std::string& data, const Config& config, const std::string& key_id, bool json,
               const Change& change) {
  return on_workspace(data, config, [&](Workspace& workspace) -> base::Result<base::Done> {
    const auto id = id_of(key_id);
    if (!id) return base::fail(id.error());
    const auto key = change(*workspace.key_verbs, *id);
    if (!key) return base::fail(key.error());
    if (json) {
      print_json(workspace, *key);
    } else {
      fmt::print("{} ({}) is {}.\n", key_id, key->ends,
                 key->revoked_at  ? "revoked since " + time_text(*key->revoked_at)
                 : key->frozen_at ? "frozen since " + time_text(*key->frozen_at)
                                  : std::string(state_of(*key, workspace.clock.now())));
    }
    return base::Done{};
  });
}

base::Result<actions::KeyWish> wish_of(const NewKey& wanted, base::Instant now) {
  actions::KeyWish wish;
  wish.name = wanted.name;
  if (!wanted.scopes.empty()) wish.scopes = wanted.scopes;
  if (!wanted.networks.empty()) wish.networks = wanted.networks;
  if (wanted.expires_in_seconds)
    wish.expires_at = now + std::chrono::seconds(*wanted.expires_in_seconds);
  wish.tier = wanted.tier;
  if (wanted.rate_limit) {
    auto limit = rules::read_rate_limit(*wanted.rate_limit);
    if (!limit) return base::fail(limit.error());
    wish.own_limit = *limit;
  }
  return wish;
}

}  // namespace

int create_key(const std::string& data, const Config& config, const NewKey& wanted, bool json) {
  return on_workspace(data, config, [&](Workspace& workspace) -> base::Result<base::Done> {
    const auto app_id = app_or_only(workspace, wanted.app_id);
    if (!app_id) return base::fail(app_id.error());
    auto wish = wish_of(wanted, workspace.clock.now());
    if (!wish) return base::fail(wish.error());
    const auto created = workspace.key_verbs->create(
        KeyManager::of_operator(), {*app_id, environment_of(wanted.live), *std::move(wish)});
    if (!created) return base::fail(created.error());
    print_created(workspace, *created, json);
    return base::Done{};
  });
}

int import_keys(const std::string& data, const Config& config, const std::string& file, bool json) {
  return on_workspace(data, config, [&](Workspace& workspace) -> base::Result<base::Done> {
    std::ifstream in(file, std::ios::binary);
    std::ostringstream content;
    content << in.rdbuf();
    if (!in || !content)
      return base::fail(ErrorCode::unavailable, "import", file + " can't be read.");
    auto wanted = api::read_key_import(content.str());
    if (!wanted) return base::fail(wanted.error());
    const auto app_id = app_or_only(workspace, wanted->app_id);
    if (!app_id) return base::fail(app_id.error());
    wanted->app_id = *app_id;
    const auto keys = workspace.key_verbs->import(KeyManager::of_operator(), *wanted);
    if (!keys) return base::fail(keys.error());
    for (const auto& key : *keys)
      if (json) print_json(workspace, key);
    if (!json) fmt::print("Imported {} keys.\n", keys->size());
    return base::Done{};
  });
}

int list_keys(const std::string& data, const Config& config, const std::string& app_id, bool json) {
  return on_workspace(data, config, [&](Workspace& workspace) -> base::Result<base::Done> {
    if (!json)
      fmt::print("{:<22}{:<20}{:<22}{:<22}{:<10}{}\n", "ID", "KEY", "CREATED", "LAST USED", "STATE",
                 "NAME");
    rules::ApiKeyQuery query;
    query.app_id = app_id;
    do {
      const auto page = workspace.key_records->list(query);
      if (!page) return base::fail(page.error());
      for (const auto& key : page->keys) {
        if (json) {
          print_json(workspace, key);
          continue;
        }
        const auto use = workspace.key_usage->last_use(key.id);
        fmt::print("{:<22}{:<20}{:<22}{:<22}{:<10}{}\n", rules::api_key_id_text(key.id), key.ends,
                   time_text(key.created_at), use ? time_text(use->last_at) : "never used",
                   state_of(key, workspace.clock.now()), key.name);
      }
      query.after = page->next;
    } while (query.after);
    return base::Done{};
  });
}

int freeze_key(const std::string& data, const Config& config, const std::string& key_id,
               const std::string& reason, bool json) {
  return change_key(data, config, key_id, json, [&](actions::KeyVerbs& verbs, std::uint64_t id) {
    return verbs.freeze(KeyManager::of_operator(), id, reason);
  });
}

int unfreeze_key(const std::string& data, const Config& config, const std::string& key_id,
                 bool json) {
  return change_key(data, config, key_id, json, [&](actions::KeyVerbs& verbs, std::uint64_t id) {
    return verbs.unfreeze(KeyManager::of_operator(), id);
  });
}

int revoke_key(const std::string& data, const Config& config, const std::string& key_id,
               const std::string& reason, bool json) {
  return change_key(data, config, key_id, json, [&](actions::KeyVerbs& verbs, std::uint64_t id) {
    return verbs.revoke(KeyManager::of_operator(), id, reason);
  });
}

int rotate_key(const std::string& data, const Config& config, const KeyRotation& wish, bool json) {
  return on_workspace(data, config, [&](Workspace& workspace) -> base::Result<base::Done> {
    const auto id = id_of(wish.key_id);
    if (!id) return base::fail(id.error());
    actions::RotateApiKey::Request request{};
    request.id = *id;
    request.grace = std::chrono::seconds(wish.grace_seconds);
    if (wish.expires_in_seconds)
      request.expires_at = workspace.clock.now() + std::chrono::seconds(*wish.expires_in_seconds);
    const auto rotated = workspace.key_verbs->rotate(KeyManager::of_operator(), request);
    if (!rotated) return base::fail(rotated.error());
    print_created(workspace, rotated->successor, json);
    if (!json && rotated->old.expires_at && !rotated->old.revoked_at)
      fmt::print("The old key works until {}.\n", time_text(*rotated->old.expires_at));
    return base::Done{};
  });
}

int rotate_app_keys(const std::string& data, const Config& config, const AppRotation& wish,
                    bool json) {
  return on_workspace(data, config, [&](Workspace& workspace) -> base::Result<base::Done> {
    const auto app_id = app_or_only(workspace, wish.app_id);
    if (!app_id) return base::fail(app_id.error());
    actions::RotateAppKeys::Request request;
    request.app_id = *app_id;
    request.environment = environment_of(wish.live);
    request.grace = std::chrono::seconds(wish.grace_seconds);
    const auto rotated = workspace.key_verbs->rotate_app(KeyManager::of_operator(), request);
    if (!rotated) return base::fail(rotated.error());
    for (const auto& successor : rotated->successors) print_created(workspace, successor, json);
    if (!json)
      fmt::print(
          "{} keys were rotated; {} frozen ones retire without a successor; {} are left that "
          "nobody "
          "rotated.\n",
          rotated->old_and_new.size(), rotated->frozen.size(), rotated->left);
    return base::Done{};
  });
}

int show_blast_radius(const std::string& data, const Config& config, const std::string& key_id,
                      bool json) {
  return on_workspace(data, config, [&](Workspace& workspace) -> base::Result<base::Done> {
    const auto id = id_of(key_id);
    if (!id) return base::fail(id.error());
    const auto touched = workspace.key_verbs->read.blast_radius(KeyManager::of_operator(), *id);
    if (!touched) return base::fail(touched.error());
    const auto& radius = touched->radius;
    if (json) {
      std::string line;
      api::write_blast_radius(line, touched->key, radius, workspace.clock.now());
      fmt::print("{}\n", line);
      return base::Done{};
    }
    fmt::print("{} ({}) of app {}\n{} calls{}\n", key_id, touched->key.ends, touched->key.app_id,
               radius.calls,
               radius.last_call_at ? ", the last at " + time_text(*radius.last_call_at) : "");
    fmt::print("{} networks\n", radius.network_count);
    for (const auto& network : radius.networks)
      fmt::print("  {:<40}{:>10} calls, {} to {}\n", network.address, network.calls,
                 time_text(network.first_at), time_text(network.last_at));
    fmt::print("{} sessions, {} of them live\n", radius.session_count, radius.live_session_count);
    for (const auto& session : radius.sessions)
      fmt::print("  {}  {}  {}  {}\n", session.id, time_text(session.began_at), session.peer,
                 session.is_live ? "live" : "ended");
    fmt::print("{} keys made with it\n", radius.keys_made_count);
    for (const auto made : radius.keys_made) fmt::print("  {}\n", rules::api_key_id_text(made));
    fmt::print("{} room tokens\n", radius.room_token_count);
    for (const auto& token : radius.room_tokens)
      fmt::print("  {}  {}  {}\n", time_text(token.minted_at), token.peer, token.room);
    return base::Done{};
  });
}

}  // namespace stagedoor::server
