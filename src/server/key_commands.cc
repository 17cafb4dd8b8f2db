#include "server/key_commands.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/json.h"
#include "server/complain.h"
#include "server/workspace.h"
#include "store/secret_file.h"
#include "store/sqlite_database.h"

namespace stagedoor::server {
namespace {

std::string json_text(std::string_view text) {
  std::string out;
  base::append_json_string(out, text);
  return out;
}

std::string text_of(const rules::AppLimits& limits) {
  return fmt::format(
      R"({{"token_uses_max":{},"length_max_seconds":{},"idle_max_seconds":{},"sessions_max":{}}})",
      limits.token_uses_max, limits.length_max.count(), limits.idle_max.count(),
      limits.sessions_max);
}

}  // namespace

int list_apps(const std::string& data, const Config& config, bool json) {
  const auto workspace = Workspace::open({data}, config);
  if (!workspace) return complain(workspace.error());
  for (const auto& app : (*workspace)->catalog->apps()) {
    const auto& limits = app.limits;
    if (json) {
      fmt::print(
          "{{\"id\":\"{}\",\"name\":{},\"token_uses_max\":{},\"length_max_seconds\":{},"
          "\"idle_max_seconds\":{},\"sessions_max\":{}}}\n",
          app.id, json_text(app.name), limits.token_uses_max, limits.length_max.count(),
          limits.idle_max.count(), limits.sessions_max);
    } else {
      fmt::print(
          "{}  {}\n  a token opens {} session(s); a session lasts {} s, {} s in silence; {} at "
          "a time\n",
          app.id, app.name, limits.token_uses_max, limits.length_max.count(),
          limits.idle_max.count(), limits.sessions_max);
    }
  }
  return 0;
}

int set_limits(const std::string& data, const Config& config, const std::string& app_id,
               const LimitsWish& wish) {
  const auto workspace = Workspace::open({data}, config);
  if (!workspace) return complain(workspace.error());
  const auto* app = (*workspace)->catalog->app(app_id);
  auto limits = app == nullptr ? rules::AppLimits{} : app->limits;
  if (wish.token_uses) limits.token_uses_max = *wish.token_uses;
  if (wish.sessions) limits.sessions_max = *wish.sessions;
  if (wish.length_seconds) limits.length_max = std::chrono::seconds(*wish.length_seconds);
  if (wish.idle_seconds) limits.idle_max = std::chrono::seconds(*wish.idle_seconds);
  auto& audit = *(*workspace)->audit;
  auto entry = (*workspace)->by_operator("app.change_limits", app_id, text_of(limits));
  if (app != nullptr) entry.workspace_id = app->workspace_id;
  const auto done = (*workspace)
                        ->catalog->set_limits(
                            app_id, limits, entry,
                            [&](store::SqliteDatabase& database, const rules::AuditEntry& kept) {
                              return audit.append(database, kept);
                            });
  return done ? list_apps(data, config, false) : complain(done.error());
}

int mint_token(const std::string& data, const Config& config, const TokenWish& wish, bool json) {
  const auto workspace = Workspace::open({data}, config);
  if (!workspace) return complain(workspace.error());
  const auto key = store::read_private_line(wish.key_file);
  if (!key) return complain(key.error());
  const auto caller = (*(*workspace)->authenticate)(key->expose(), base::Address{});
  if (!caller) {
    auto error = caller.error();
    if (error.hint.empty()) error.hint = "The API key is unknown here or has been revoked.";
    return complain(error);
  }
  const auto seconds = [](std::optional<std::int64_t> number) {
    return number ? std::optional(std::chrono::seconds(*number)) : std::nullopt;
  };
  actions::MintSessionToken::Request request{};
  request.expires_at = (*workspace)->clock.now() + std::chrono::seconds(wish.expires_in_seconds);
  request.avatar_id = wish.avatar_id;
  request.end_user_id = wish.end_user_id;
  request.uses_max = wish.uses;
  request.connect_within = seconds(wish.connect_within_seconds);
  request.length_max = seconds(wish.length_seconds);
  request.idle_max = seconds(wish.idle_seconds);
  const auto minted = (*(*workspace)->mint)(*caller, request);
  if (!minted) return complain(minted.error());
  const auto& applied = minted->applied;
  if (!json) {
    fmt::print("{}\n", minted->token.expose());
    return 0;
  }
  fmt::print(
      "{{\"session_token\":\"{}\",\"app_id\":\"{}\",\"expires_at\":{},\"uses_max\":{},"
      "\"connect_by\":{},\"length_max_seconds\":{},\"idle_max_seconds\":{},"
      "\"sessions_max\":{}}}\n",
      minted->token.expose(), applied.app_id, base::unix_seconds(applied.expires_at),
      applied.uses_max, base::unix_seconds(applied.leash.connect_by),
      applied.leash.length_max.count(), applied.leash.idle_max.count(), applied.leash.sessions_max);
  return 0;
}

int backup(const std::string& data, const Config& config, const std::string& file) {
  if (std::filesystem::exists(file))
    return complain({base::ErrorCode::forbidden, "backup over a file",
                     file + " exists already; nothing was written."});
  {
    const auto workspace = Workspace::open({data}, config);
    if (!workspace) return complain(workspace.error());
    const auto recorded = (*workspace)->record_by_operator("store.back_up", file, "");
    if (!recorded) return complain(recorded.error());
  }
  auto database = store::SqliteDatabase::open(DataFolder{data}.database(),
                                              store::SqliteDatabase::Mode::must_exist);
  if (!database) return complain(database.error());
  const auto old_mask = ::umask(077);
  const auto copied = database->copy_to(file);
  ::umask(old_mask);
  if (!copied) return complain(copied.error());
  fmt::print(
      "Copied into {}. Keep copies of the server secret ({}) and of the audit log's key ({}) "
      "elsewhere: without the first the keys in the backup are of no use, without the second the "
      "backup does not open.\n",
      file, server_secret_path({data}, config), DataFolder{data}.audit_key());
  return 0;
}

}  // namespace stagedoor::server
