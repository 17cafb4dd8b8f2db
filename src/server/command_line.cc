#include "server/command_line.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "api/problem.h"
#include "server/api_key_commands.h"
#include "server/audit_commands.h"
#include "server/avatar_commands.h"
#include "server/complain.h"
#include "server/config.h"
#include "server/end_user_commands.h"
#include "server/face_picture.h"
#include "server/key_commands.h"
#include "server/key_scan.h"
#include "server/member_commands.h"
#include "server/serve.h"
#include "server/speak.h"
#include "server/usage_commands.h"
#include "server/workspace.h"

namespace stagedoor::server {
namespace {

constexpr const char* data_help = "data folder of the workspace (a path)";

int init(const std::string& data, const Config& config, bool json) {
  auto made = Workspace::initialise({data}, config);
  if (!made) return complain(made.error());
  const auto key = made->api_key.secret().expose();
  if (json) {
    fmt::print(
        "{{\"workspace_id\":\"{}\",\"app_id\":\"{}\",\"avatar_id\":\"{}\",\"persona_id\":\"{}\","
        "\"api_key\":\"{}\"}}\n",
        made->workspace_id, made->app_id, made->avatar_id, made->persona_id, key);
    return 0;
  }
  fmt::print(
      "Workspace made in {}\n\n  App ID      {}\n  Avatar ID   {}\n  Persona ID  {}\n"
      "  API key     {}\n\nThe key is shown this once; keep it on your server.\n",
      data, made->app_id, made->avatar_id, made->persona_id, key);
  return 0;
}

// The words, each with its options; `run` is what the chosen one does.
class Words {
 public:
  explicit Words(CLI::App& top) : top_(top) {
    add_init();
    add_serve();
    add_routes();
    add_key();
    add_app();
    add_avatar();
    add_token();
    add_member();
    add_secret();
    add_speak();
    add_face();
    add_backup();
    add_audit();
    add_usage();
    add_config();
  }
  int run() const { return run_ ? run_() : 2; }

 private:
  CLI::App* word(CLI::App& parent, const std::string& name, const std::string& help,
                 std::function<int()> run) {
    auto* sub = parent.add_subcommand(name, help);
    sub->callback([this, run = std::move(run)] { run_ = run; });
    return sub;
  }
  CLI::App* group(const std::string& name, const std::string& help) {
    auto* sub = top_.add_subcommand(name, help);
    sub->require_subcommand(1);
    return sub;
  }
  // A word that works on a data folder: --data, --config, and the settings read before it runs.
  CLI::App* data_word(CLI::App& parent, const std::string& name, const std::string& help,
                      std::function<int(Config)> run) {
    auto* sub = word(parent, name, help, [this, run = std::move(run)] {
      auto config = read_config(config_file_);
      return config ? run(*std::move(config)) : complain(config.error());
    });
    sub->add_option("--data", data_, data_help)->required();
    wants_config(sub);
    return sub;
  }
  void wants_config(CLI::App* sub) {
    sub->add_option("--config", config_file_,
                    "settings, a TOML file (default: none, the defaults hold)");
  }
  void wants_json(CLI::App* sub, const char* help) { sub->add_flag("--json", json_, help); }

  void wants_key_id(CLI::App* sub) {
    sub->add_option("key_id", key_id_, "the key's id, key_...")->required();
  }

  void add_init();
  void add_serve();
  void add_routes();
  void add_key();
  void add_key_changes(CLI::App& key);
  void add_key_rotation(CLI::App& key);
  void add_app();
  void add_end_users(CLI::App& app);
  void add_avatar();
  void add_token();
  void add_member();
  void add_secret();
  void add_speak();
  void add_face();
  void add_backup();
  void add_audit();
  void add_usage();
  void add_config();

  CLI::App& top_;
  std::function<int()> run_;
  std::string data_, config_file_, listen_, file_;
  bool json_ = false;
  NewKey new_key_;
  KeyRotation rotation_;
  AppRotation app_rotation_;
  std::string key_id_, reason_, app_id_;
  TokenWish token_;
  AppWish app_wish_;
  EndUserWish end_user_;
  AvatarWish avatar_wish_;
  MemberWish member_;
  SpeakOptions speak_;
  FaceOptions face_;
  AuditProof audit_proof_;
  AuditExport audit_export_;
};

void Words::add_init() {
  auto* sub = data_word(top_, "init",
                        "make a workspace: first app, avatar, persona and test key, shown once",
                        [this](const Config& config) { return init(data_, config, json_); });
  wants_json(sub, "print one JSON object");
}

void Words::add_serve() {
  auto* sub = data_word(top_, "serve", "open the doors", [this](Config config) {
    if (!listen_.empty()) config.listen = listen_;
    if (auto address = parse_address(config.listen); !address) return complain(address.error());
    return serve({.folder = {data_}, .config = std::move(config), .json = json_});
  });
  sub->add_option("--listen", listen_,
                  "HOST:PORT to listen on (default: 127.0.0.1:8700; port 0: any free one)");
  wants_json(sub, "the first line on stdout is {\"listening\":\"HOST:PORT\"}");
}

void Words::add_routes() {
  auto* sub = data_word(
      top_, "routes", "print every method and path that this server would answer",
      [this](Config config) {
        config.listen = "127.0.0.1:0";
        return print_routes({.folder = {data_}, .config = std::move(config), .json = json_});
      });
  wants_json(sub, "print one JSON list");
}

void Words::add_key() {
  auto* key = group("key", "API keys");
  auto* create = data_word(
      *key, "create", "make an API key; it is shown this once",
      [this](const Config& config) { return create_key(data_, config, new_key_, json_); });
  create->add_option("--app", new_key_.app_id, "App ID (default: the only app)");
  create->add_option("--name", new_key_.name, "what it is for, 1 to 100 bytes (default: \"key\")");
  create->add_flag("--live", new_key_.live, "a live key, av_live_ (default: a test key, av_test_)");
  create->add_option("--scope", new_key_.scopes,
                     "what it may do, such as tokens:mint or read-only; may be given several times "
                     "(default: all that keys may do)");
  create->add_option("--network", new_key_.networks,
                     "from where it may be used, such as 192.0.2.0/24; may be given several times "
                     "(default: from anywhere)");
  create
      ->add_option("--expires-in", new_key_.expires_in_seconds,
                   "seconds until it expires (default: never)")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{3'000'000'000}));
  create->add_option("--tier", new_key_.tier, "its tier of rate limits (default: free)");
  create->add_option("--rate-limit", new_key_.rate_limit,
                     "a limit of its own, such as \"300/min burst 600\" (default: its tier's)");
  wants_json(create, "print one JSON object");
  auto* list =
      data_word(*key, "list", "list API keys by their first and last four characters",
                [this](const Config& config) { return list_keys(data_, config, app_id_, json_); });
  list->add_option("--app", app_id_, "only those of this App ID (default: of all apps)");
  wants_json(list, "print one JSON object a line");
  add_key_changes(*key);
  add_key_rotation(*key);
  auto* scan =
      word(*key, "scan", "find our API keys in files, offline, by prefix and checksum", [this] {
        const auto config = read_config(config_file_);
        if (!config) return complain(config.error());
        return scan_for_keys({file_, data_, json_}, *config);
      });
  scan->add_option("path", file_, "a file, or a folder with all that is below it")->required();
  scan->add_option("--data", data_, "a data folder: say how each key stands there (default: none)");
  wants_config(scan);
  wants_json(scan, "print one JSON object a line");
  auto* import = data_word(
      *key, "import", "import keys whose SHA-256 comes from elsewhere; all of the file or nothing",
      [this](const Config& config) { return import_keys(data_, config, file_, json_); });
  import->add_option("file", file_, "a JSON file, as POST /v1/keys/import takes it")->required();
  wants_json(import, "print one JSON object a line");
  auto* radius = data_word(
      *key, "blast-radius", "list what a key has touched: networks, sessions, keys made with it",
      [this](const Config& config) { return show_blast_radius(data_, config, key_id_, json_); });
  wants_key_id(radius);
  wants_json(radius, "print one JSON object");
}

void Words::add_key_changes(CLI::App& key) {
  auto* freeze = data_word(
      key, "freeze", "refuse an API key and end its sessions until it is unfrozen",
      [this](const Config& config) { return freeze_key(data_, config, key_id_, reason_, json_); });
  auto* unfreeze = data_word(
      key, "unfreeze", "accept a frozen API key again",
      [this](const Config& config) { return unfreeze_key(data_, config, key_id_, json_); });
  auto* revoke = data_word(
      key, "revoke", "revoke an API key for good; a running server follows within 100 ms",
      [this](const Config& config) { return revoke_key(data_, config, key_id_, reason_, json_); });
  for (auto* word : {freeze, unfreeze, revoke}) {
    wants_key_id(word);
    wants_json(word, "print one JSON object");
  }
  for (auto* word : {freeze, revoke})
    word->add_option("--reason", reason_, "why, for the record (default: none)");
}

void Words::add_key_rotation(CLI::App& key) {
  const auto wants_grace = [](CLI::App* word, std::int64_t& seconds) {
    word->add_option("--grace", seconds,
                     "seconds in which the old key works too (0 to 2592000; default: 0)")
        ->check(CLI::Range(0, 2'592'000));
  };
  auto* rotate = data_word(key, "rotate", "make a successor of an API key; it is shown this once",
                           [this](const Config& config) {
                             rotation_.key_id = key_id_;
                             return rotate_key(data_, config, rotation_, json_);
                           });
  wants_key_id(rotate);
  wants_grace(rotate, rotation_.grace_seconds);
  rotate
      ->add_option("--expires-in", rotation_.expires_in_seconds,
                   "seconds until the new key expires (default: when the old one would have)")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{3'000'000'000}));
  wants_json(rotate, "print one JSON object");
  auto* all = data_word(key, "rotate-all", "make successors of all API keys of an app that work",
                        [this](const Config& config) {
                          return rotate_app_keys(data_, config, app_rotation_, json_);
                        });
  all->add_option("--app", app_rotation_.app_id, "App ID (default: the only app)");
  all->add_flag("--live", app_rotation_.live, "its live keys (default: its test keys)");
  wants_grace(all, app_rotation_.grace_seconds);
  wants_json(all, "print one JSON object a line");
}

void Words::add_app() {
  auto* app = group("app", "apps and what their sessions may do");
  auto* list = data_word(*app, "list", "list apps with their limits",
                         [this](const Config& config) { return list_apps(data_, config, json_); });
  wants_json(list, "print one JSON object a line");
  const auto wants_limits = [this](CLI::App* word) {
    word->add_option("--token-uses", app_wish_.token_uses,
                     "sessions that one token may open (1 to 1000; at first 1)")
        ->check(CLI::Range(1, rules::app_token_uses_max));
    word->add_option("--length", app_wish_.length_seconds,
                     "longest session in seconds (1 to 604800; at first 7200)")
        ->check(CLI::Range(std::int64_t{1}, rules::app_length_seconds_max));
    word->add_option("--idle", app_wish_.idle_seconds,
                     "longest silence in seconds (1 to 86400; at first 300)")
        ->check(CLI::Range(std::int64_t{1}, rules::app_idle_seconds_max));
    word->add_option("--sessions", app_wish_.sessions,
                     "live sessions at a time (1 to 10000000; at first 1000)")
        ->check(CLI::Range(1, rules::app_sessions_max));
    word->add_option("--rate-limit", app_wish_.rate_limit,
                     "of calls over all keys of the app, such as '300/min burst 600'; none: no "
                     "limit beside those of its keys (at first)");
    word->add_option("--end-user-limit", app_wish_.end_user_limit,
                     "of each end user's tokens, and of their sessions, such as '10/hour'; none: "
                     "that of the settings (at first)");
    word->add_option("--monthly-minutes", app_wish_.monthly_minutes,
                     "of live sessions in a calendar month (0 to 1000000000); none: no such limit "
                     "(at first)")
        ->check(CLI::Range(std::int64_t{0}, rules::monthly_minutes_max) | CLI::IsMember({"none"}));
  };
  auto* create = data_word(*app, "create", "make a further app", [this](const Config& config) {
    return create_app(data_, config, app_wish_, json_);
  });
  create->add_option("--name", app_wish_.name, "for people; 1 to 100 bytes")->required();
  create->add_option("--workspace", app_wish_.workspace_id, "workspace id (default: the only one)");
  wants_limits(create);
  wants_json(create, "print one JSON object");
  auto* set = data_word(
      *app, "set",
      "change the name or the limits of an app; those of tokens hold for tokens minted from then "
      "on",
      [this](const Config& config) { return change_app(data_, config, app_id_, app_wish_); });
  set->add_option("app_id", app_id_, "App ID")->required();
  set->add_option("--name", app_wish_.name, "for people; 1 to 100 bytes");
  wants_limits(set);
  add_end_users(*app);
}

void Words::add_end_users(CLI::App& app) {
  auto* limit = data_word(
      app, "limit-end-user",
      "give one end user of an app a limit of their own; a running server follows within 100 ms",
      [this](const Config& config) { return limit_end_user(data_, config, end_user_); });
  limit->add_option("app_id", end_user_.app_id, "App ID")->required();
  limit->add_option("end_user_id", end_user_.end_user_id, "whom tokens are minted for")->required();
  limit
      ->add_option("limit", end_user_.rate_limit,
                   "of their tokens, and of their sessions, such as '10/hour', or unlimited; none: "
                   "that of the app")
      ->required();
  auto* list = data_word(
      app, "end-users", "list the end users of an app that have a limit of their own",
      [this](const Config& config) { return list_end_users(data_, config, app_id_, json_); });
  list->add_option("app_id", app_id_, "App ID")->required();
  wants_json(list, "print one JSON object a line");
}

void Words::add_avatar() {
  auto* avatar = group("avatar", "avatars and which character each is drawn as");
  auto* list = data_word(
      *avatar, "list", "list the avatars of a workspace",
      [this](const Config& config) { return list_avatars(data_, config, avatar_wish_, json_); });
  auto* create = data_word(
      *avatar, "create", "make an avatar; a running server follows within 100 ms",
      [this](const Config& config) { return create_avatar(data_, config, avatar_wish_, json_); });
  create->add_option("--name", avatar_wish_.name, "for people; 3 to 50 characters")->required();
  create->add_option("--character", avatar_wish_.character,
                     "whom it is drawn as (default: ada; stagedoor face draws them)");
  for (auto* word : {list, create})
    word->add_option("--workspace", avatar_wish_.workspace_id,
                     "workspace id (default: the only one)");
  wants_json(list, "print one JSON object a line");
  wants_json(create, "print one JSON object");
}

void Words::add_token() {
  auto* token = group("token", "session tokens");
  auto* mint = data_word(*token, "mint", "mint a session token", [this](const Config& config) {
    return mint_token(data_, config, token_, json_);
  });
  mint->add_option("--key-file", token_.key_file,
                   "a file that holds the API key, private (mode 600)")
      ->required();
  mint->add_option("--expires-in", token_.expires_in_seconds,
                   "seconds until it expires (1 to 86400; default 600)")
      ->check(CLI::Range(1, 86400));
  mint->add_option("--avatar", token_.avatar_id, "Avatar ID that it is bound to (default: any)");
  mint->add_option("--end-user", token_.end_user_id, "who it is for (default: nobody named)");
  mint->add_option("--uses", token_.uses,
                   "sessions that it may open (1 to 1000; default: the app's limit)")
      ->check(CLI::Range(1, 1000));
  mint->add_option("--connect-within", token_.connect_within_seconds,
                   "seconds in which it must be used (1 to 86400; default: its life)")
      ->check(CLI::Range(1, 86400));
  mint->add_option("--length", token_.length_seconds,
                   "longest session in seconds (1 to 604800; default: the app's limit)")
      ->check(CLI::Range(1, 604800));
  mint->add_option("--idle", token_.idle_seconds,
                   "longest silence in seconds (1 to 86400; default: the app's limit)")
      ->check(CLI::Range(1, 86400));
  wants_json(mint, "print one JSON object with what was applied");
}

void Words::add_member() {
  auto* member = group("member", "the people of a workspace");
  const auto of_workspace = [this](CLI::App* sub) {
    sub->add_option("--workspace", member_.workspace_id, "workspace id (default: the only one)");
  };
  auto* invite = data_word(
      *member, "invite", "invite a person by e-mail; the code is shown this once",
      [this](const Config& config) { return invite_member(data_, config, member_, json_); });
  invite->add_option("--email", member_.email, "whom")->required();
  invite->add_option("--role", member_.role, "viewer, developer, admin or owner (default: owner)");
  of_workspace(invite);
  wants_json(invite, "print one JSON object");
  auto* list = data_word(
      *member, "list", "list the members and their roles",
      [this](const Config& config) { return list_members(data_, config, member_, json_); });
  of_workspace(list);
  wants_json(list, "print one JSON object a line");
  auto* remove =
      data_word(*member, "remove", "remove a member; a running server follows within 100 ms",
                [this](const Config& config) { return remove_member(data_, config, member_); });
  remove->add_option("account_id", member_.account_id, "the member's id, acc_...")->required();
  of_workspace(remove);
}

void Words::add_secret() {
  auto* secret = group("secret", "the server secret");
  data_word(*secret, "rotate",
            "put a new server secret before the present one; restart the server at once to use it",
            [this](const Config& config) {
              auto done = rotate_server_secret({data_}, config);
              if (!done) return complain(done.error());
              fmt::print(
                  "Rotated. Restart the server; the previous secret stays valid "
                  "until the next rotation.\n");
              return 0;
            });
  auto* token_key =
      data_word(*secret, "token-key",
                "write the key by which another region's server admits our session tokens",
                [this](const Config& config) {
                  auto done = export_token_key({data_}, config, file_);
                  return done ? 0 : complain(done.error());
                });
  token_key->add_option("file", file_, "the file to write (mode 600)")->required();
}

void Words::add_speak() {
  auto* sub = word(top_, "speak", "a client: sends a recording, writes the motion that comes back",
                   [this] { return speak(speak_); });
  sub->add_option("file", speak_.file, "a sound file: WAV, FLAC, Ogg and others")->required();
  sub->add_option("--server", speak_.server_url, "the server (default: http://127.0.0.1:8700)");
  sub->add_option("--key-file", speak_.api_key_file, "a file that holds the API key")->required();
  sub->add_option("--app", speak_.app_id, "App ID")->required();
  sub->add_option("--avatar", speak_.avatar_id, "Avatar ID")->required();
  sub->add_option("--motion", speak_.motion_json,
                  "write the motion as JSON to this file (default: motion.json)")
      ->default_val("motion.json");
  sub->add_option("--plot", speak_.plot_png,
                  "draw sound and jaw opening into this PNG (default: motion.png)")
      ->default_val("motion.png");
  sub->add_flag("--opus", speak_.opus, "send Ogg Opus instead of PCM");
  sub->add_flag("--quiet", speak_.quiet, "no progress and no figures");
}

void Words::add_face() {
  auto* sub =
      word(top_, "face", "draw a character's face, or a face sheet of your own, as a picture",
           [this] { return draw_face(face_); });
  sub->add_option("character", face_.character, "a character, or a face sheet, FILE.json")
      ->required();
  sub->add_option("--png", face_.png, "the picture to write (default: face.png)")
      ->default_val("face.png");
  sub->add_option("--inputs", face_.inputs,
                  "what the face does, JSON such as {\"jawOpen\":0.6,\"headYaw\":0.1} "
                  "(default: {}, at rest)")
      ->default_val("{}");
  sub->add_option("--width", face_.width, "pixels across (16 to 4096; default: 720)")
      ->check(CLI::Range(16, 4096));
  sub->add_option("--height", face_.height, "pixels down (16 to 4096; default: 480)")
      ->check(CLI::Range(16, 4096));
}

void Words::add_backup() {
  auto* sub =
      data_word(top_, "backup",
                "copy the whole store into one file, also while a server runs; the server secret "
                "is not in it",
                [this](const Config& config) { return backup(data_, config, file_); });
  sub->add_option("file", file_, "the file to write; it must not exist")->required();
}

void Words::add_audit() {
  auto* audit = group("audit", "the audit log");
  auto* verify = data_word(*audit, "verify",
                           "prove that no entry was changed, cut out, put in or moved; also while "
                           "a server runs",
                           [this](const Config&) { return verify_audit(data_, audit_proof_); });
  verify->add_option("--checkpoint", audit_proof_.checkpoint,
                     "N:SEAL that the log must hold, kept elsewhere (default: none)");
  verify->add_option("--from", audit_proof_.from,
                     "begin after the entry N:SEAL (default: with the first entry)");
  auto* take_out = data_word(*audit, "export", "print entries as JSON lines, oldest first",
                             [this](const Config&) { return export_audit(data_, audit_export_); });
  take_out->add_option("--since", audit_export_.since_seconds, "from this time, Unix seconds");
  take_out->add_option("--until", audit_export_.until_seconds, "before this time, Unix seconds");
  take_out->add_option("--workspace", audit_export_.workspace_id, "only of this workspace");
  take_out->add_option("--actor", audit_export_.actor,
                       "only by this one: key_..., acc_..., operator, system");
  take_out->add_option("--action", audit_export_.action,
                       "only this action, or \"api_key.*\" for all that begin so");
  take_out->add_option("--subject", audit_export_.subject, "only what was done to this id");
  take_out->add_option("--outcome", audit_export_.outcome, "done or refused")
      ->check(CLI::IsMember({"done", "refused"}));
  data_word(*audit, "checkpoint", "print number and seal of the newest entry, to be kept elsewhere",
            [this](const Config&) { return print_audit_checkpoint(data_); });
  data_word(*audit, "new-key", "go on with a new key where the audit log's key is lost for good",
            [this](const Config& config) { return renew_audit_key(data_, config); });
}

void Words::add_usage() {
  auto* usage = group("usage", "what was used");
  data_word(*usage, "reconcile",
            "compare the ledger of sessions with the audit log; 1 where they differ",
            [this](const Config&) { return reconcile_usage(data_); });
}

void Words::add_config() {
  auto* config = group("config", "settings");
  auto* check =
      word(*config, "check", "read a settings file and say what is wrong with it", [this] {
        const auto read = read_config(config_file_);
        if (!read) return complain(read.error());
        fmt::print("{} is fine.\n", config_file_.empty() ? "No settings file" : config_file_);
        return 0;
      });
  wants_config(check);
  auto* print = word(*config, "print", "print all settings with the values in force", [this] {
    const auto read = read_config(config_file_);
    if (!read) return complain(read.error());
    fmt::print("{}", print_config(*read));
    return 0;
  });
  wants_config(print);
  word(*config, "reference", "print docs/reference/config.md", [] {
    fmt::print("{}", config_reference());
    return 0;
  });
  word(*config, "problems", "print docs/reference/problems.md", [] {
    fmt::print("{}", api::problems_reference());
    return 0;
  });
}

}  // namespace

int command_line(int argument_count, char** arguments) {
  CLI::App top(
      "Stagedoor issues the credentials of avatar apps, checks them at the door, and "
      "performs the avatar.",
      "stagedoor");
  top.set_version_flag("--version", STAGEDOOR_VERSION);
  top.require_subcommand(1);
  Words words(top);
  try {
    top.parse(argument_count, arguments);
  } catch (const CLI::ParseError& error) {
    return top.exit(error) == 0 ? 0 : 2;
  }
  return words.run();
}

}  // namespace stagedoor::server
