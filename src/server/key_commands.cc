#include "server/key_commands.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/json.h"
#include "server/complain.h"
#include "server/member_commands.h"
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

std::string text_of(const std::optional<rules::RateLimit>& limit) {
  return limit ? rules::text_of(*limit) : "none";
}

void print_app(const rules::App& app, bool json) {
  const auto& limits = app.limits;
  const auto limit = [&](const std::optional<rules::RateLimit>& rate) {
    return rate ? json_text(rules::text_of(*rate)) : "null";
  };
  if (json) {
    fmt::print(
        "{{\"id\":\"{}\",\"name\":{},\"token_uses_max\":{},\"length_max_seconds\":{},"
        "\"idle_max_seconds\":{},\"sessions_max\":{},\"rate_limit\":{},\"end_user_limit\":{},"
        "\"monthly_minutes\":{}}}\n",
        app.id, json_text(app.name), limits.token_uses_max, limits.length_max.count(),
        limits.idle_max.count(), limits.sessions_max, limit(limits.rate_limit),
        limit(limits.end_user_limit),
        limits.monthly_minutes ? std::to_string(*limits.monthly_minutes) : "null");
  } else {
    fmt::print(
        "{}  {}\n  a token opens {} session(s); a session lasts {} s, {} s in silence; {} at "
        "a time\n  rate limit over all keys: {}; of an end user: {}; live minutes a month: "
        "{}\n",
        app.id, app.name, limits.token_uses_max, limits.length_max.count(), limits.idle_max.count(),
        limits.sessions_max, text_of(limits.rate_limit),
        limits.end_user_limit ? rules::text_of(*limits.end_user_limit) : "that of the settings",
        limits.monthly_minutes ? std::to_string(*limits.monthly_minutes) : "no limit");
  }
}

base::Result<std::optional<std::optional<rules::RateLimit>>> read_limit(
    const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  if (*text == "none") return std::optional<rules::RateLimit>();
  const auto limit = rules::read_rate_limit(*text);
  if (!limit) return base::fail(limit.error());
  return std::optional(*limit);
}

base::Result<rules::AppChange> change_of(const AppWish& wish) {
  rules::AppChange change;
  if (!wish.name.empty()) change.name = wish.name;
  change.token_uses_max = wish.token_uses;
  change.sessions_max = wish.sessions;
  if (wish.length_seconds) change.length_max = std::chrono::seconds(*wish.length_seconds);
  if (wish.idle_seconds) change.idle_max = std::chrono::seconds(*wish.idle_seconds);
  const auto rate_limit = read_limit(wish.rate_limit);
  if (!rate_limit) return base::fail(rate_limit.error());
  change.rate_limit = *rate_limit;
  const auto end_user_limit = read_limit(wish.end_user_limit);
  if (!end_user_limit) return base::fail(end_user_limit.error());
  change.end_user_limit = *end_user_limit;
  if (wish.monthly_minutes) {
    change.monthly_minutes = std::optional<std::int64_t>();
    if (*wish.monthly_minutes != "none") change.monthly_minutes = std::stoll(*wish.monthly_minutes);
  }
  return change;
}

}  // namespace

int list_apps(const std::string& data, const Config& config, bool json) {
  const auto workspace = Workspace::open({data}, config);
  if (!workspace) return complain(workspace.error());
  for (const auto& app : (*workspace)->catalog->apps()) print_app(app, json);
  return 0;
}

int create_app(const std::string& data, const Config& config, const AppWish& wish, bool json) {
  const auto workspace = Workspace::open({data}, config);
  if (!workspace) return complain(workspace.error());
  const auto change = change_of(wish);
  if (!change) return complain(change.error());
  const auto of = meant_workspace(**workspace, wish.workspace_id);
  if (!of) return complain(of.error());
  const auto made = (*workspace)->keep_app->create(actions::Actor::of_operator(), *of, *change);
  if (!made) return complain(made.error());
  print_app(*made, json);
  return 0;
}

int change_app(const std::string& data, const Config& config, const std::string& app_id,
               const AppWish& wish) {
  const auto workspace = Workspace::open({data}, config);
  if (!workspace) return complain(workspace.error());
  const auto change = change_of(wish);
  if (!change) return complain(change.error());
  const auto changed =
      (*workspace)->keep_app->change(actions::Actor::of_operator(), app_id, *change);
  if (!changed) return complain(changed.error());
  return list_apps(data, config, false);
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
    const auto recorded =
        (*workspace)->record_by_operator(rules::AuditAction::store_back_up, file, "");
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
