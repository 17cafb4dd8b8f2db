#include "server/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <sstream>
#include <stdexcept>

#include "base/json.h"
#include "base/text.h"
#include "server/toml.h"
#include "server/toml_issuers.h"

namespace stagedoor::server {
namespace {

using base::ErrorCode;

// One setting: its name in the file, what it means, and how it gets in and out.
struct Setting {
  std::string_view name;  // "table.key"
  std::string_view unit;  // or the form of the text
  std::string_view help;
  // An explanation where the value is not right.
  std::function<std::optional<std::string>(Config&, const toml::node&)> set;
  std::function<std::string(const Config&)> show;  // as TOML
};

template <class Get>
Setting number(std::string_view name, std::string_view unit, std::string_view help,
               std::int64_t least, std::int64_t most, Get get) {
  using Value = std::remove_reference_t<std::invoke_result_t<Get, Config&>>;
  return {name, unit, help,
          [=](Config& config, const toml::node& node) -> std::optional<std::string> {
            const auto value = node.value_exact<std::int64_t>();
            if (!value || *value < least || *value > most)
              return fmt::format("must be a whole number from {} to {}", least, most);
            get(config) = static_cast<Value>(*value);
            return std::nullopt;
          },
          [=](const Config& config) {
            return std::to_string(static_cast<std::int64_t>(get(const_cast<Config&>(config))));
          }};
}

template <class Get>
Setting seconds(std::string_view name, std::string_view help, std::int64_t least, std::int64_t most,
                Get get) {
  return {name, "seconds", help,
          [=](Config& config, const toml::node& node) -> std::optional<std::string> {
            const auto value = node.value_exact<std::int64_t>();
            if (!value || *value < least || *value > most)
              return fmt::format("must be a whole number of seconds from {} to {}", least, most);
            get(config) = std::chrono::seconds(*value);
            return std::nullopt;
          },
          [=](const Config& config) {
            return std::to_string(get(const_cast<Config&>(config)).count());
          }};
}

template <class Get>
Setting text(std::string_view name, std::string_view form, std::string_view help, Get get,
             std::vector<std::string_view> choices = {}) {
  return {name, form, help,
          [=](Config& config, const toml::node& node) -> std::optional<std::string> {
            const auto value = node.value_exact<std::string>();
            if (!value) return "must be a text in quotes";
            if (!choices.empty() && std::ranges::find(choices, *value) == choices.end())
              return fmt::format("must be one of {}", fmt::join(choices, ", "));
            get(config) = *value;
            return std::nullopt;
          },
          [=](const Config& config) { return toml_string(get(const_cast<Config&>(config))); }};
}

template <class Get>
Setting yes_or_no(std::string_view name, std::string_view help, Get get) {
  return {name, "true or false", help,
          [=](Config& config, const toml::node& node) -> std::optional<std::string> {
            const auto value = node.value_exact<bool>();
            if (!value) return "must be true or false";
            get(config) = *value;
            return std::nullopt;
          },
          [=](const Config& config) {
            return std::string(get(const_cast<Config&>(config)) ? "true" : "false");
          }};
}

template <class Get>
Setting texts(std::string_view name, std::string_view form, std::string_view help, Get get) {
  return {name, form, help,
          [=](Config& config, const toml::node& node) -> std::optional<std::string> {
            const auto* array = node.as_array();
            if (array == nullptr) return "must be a list of texts";
            std::vector<std::string> values;
            for (const auto& item : *array) {
              const auto value = item.value_exact<std::string>();
              if (!value) return "must be a list of texts";
              values.push_back(*value);
            }
            get(config) = std::move(values);
            return std::nullopt;
          },
          [=](const Config& config) {
            std::string list;
            for (const auto& value : get(const_cast<Config&>(config)))
              list += (list.empty() ? "" : ", ") + toml_string(value);
            return "[" + list + "]";
          }};
}

// A list of texts that `read` turns into values; `read` gives nullopt for what is none.
template <class Get, class Read, class Write>
Setting list(std::string_view name, std::string_view form, std::string_view help,
             std::string_view wrong, Get get, Read read, Write write) {
  using Values = std::remove_reference_t<std::invoke_result_t<Get, Config&>>;
  return {name, form, help,
          [=](Config& config, const toml::node& node) -> std::optional<std::string> {
            const auto* array = node.as_array();
            if (array == nullptr) return std::string(wrong);
            Values values;
            for (const auto& item : *array) {
              const auto text = item.value_exact<std::string>();
              const auto value = text ? read(*text) : std::nullopt;
              if (!value) return std::string(wrong);
              values.insert(values.end(), *value);
            }
            get(config) = std::move(values);
            return std::nullopt;
          },
          [=](const Config& config) {
            std::string all;
            for (const auto& value : get(const_cast<Config&>(config)))
              all += (all.empty() ? "" : ", ") + toml_string(write(value));
            return "[" + all + "]";
          }};
}

template <class Get>
Setting rate(std::string_view name, std::string_view help, Get get) {
  return {name, "limit", help,
          [=](Config& config, const toml::node& node) -> std::optional<std::string> {
            const auto text = node.value_exact<std::string>();
            const auto limit = rules::read_rate_limit(text.value_or(""));
            if (!limit) return limit.error().hint;
            get(config) = *limit;
            return std::nullopt;
          },
          [=](const Config& config) {
            return toml_string(rules::text_of(get(const_cast<Config&>(config))));
          }};
}

std::vector<Setting> limit_settings() {
  return {
      rate("limits.api_key_free", "of API keys of the tier free, and of tiers without a limit here",
           [](Config& c) -> auto& { return c.limits.tiers["free"]; }),
      rate("limits.api_key_creator", "of API keys of the tier creator",
           [](Config& c) -> auto& { return c.limits.tiers["creator"]; }),
      rate("limits.api_key_pro", "of API keys of the tier pro",
           [](Config& c) -> auto& { return c.limits.tiers["pro"]; }),
      rate("limits.person", "of a person with a JWT",
           [](Config& c) -> auto& { return c.limits.person; }),
      rate(
          "limits.end_user",
          "of an end user of an app without an end_user_limit: for minting tokens, and for opening "
          "sessions, each",
          [](Config& c) -> auto& { return c.end_user_limit; }),
      rate("limits.stranger", "of calls without a credential that is accepted, per network",
           [](Config& c) -> auto& { return c.limits.stranger; }),
      rate("limits.password", "of tries of one account's password, per network",
           [](Config& c) -> auto& { return c.limits.password; }),
      rate("limits.password_of_account",
           "of tries of one account's password, from all networks together",
           [](Config& c) -> auto& { return c.limits.password_of_account; }),
      rate("limits.login", "of logins, per network",
           [](Config& c) -> auto& { return c.limits.login; }),
      rate("limits.account_creation", "of new accounts, per network",
           [](Config& c) -> auto& { return c.limits.account_creation; }),
      list(
          "limits.shadow", "kinds",
          "limits that only watch: api-key, person, stranger, password, login, account-creation, "
          "app, end-user",
          "must be a list of api-key, person, stranger, password, login, account-creation, app, "
          "end-user",
          [](Config& c) -> auto& { return c.limit_tables.shadow; },
          [](const std::string& text) { return rules::rate_kind_of(text); },
          [](rules::RateKind kind) { return rules::name_of(kind); }),
      yes_or_no("limits.keys_count_per_network",
                "whether an API key has its limit per network, so that a thief elsewhere can't use "
                "up its owner's",
                [](Config& c) -> auto& { return c.limits.keys_count_per_network; }),
      number(
          "limits.callers_max", "callers",
          "API keys, apps, people and end users that are told apart; more share what is left; 43 "
          "bytes each",
          1, 100'000'000, [](Config& c) -> auto& { return c.limit_tables.callers_max; }),
      number("limits.strangers_max", "networks",
             "strangers that are told apart; more share what is left; 43 bytes each", 1,
             100'000'000, [](Config& c) -> auto& { return c.limit_tables.strangers_max; }),
  };
}

std::vector<Setting> other_settings() {
  return {
      text("server.listen", "HOST:PORT", "where to listen; port 0 takes any free one",
           [](Config& c) -> auto& { return c.listen; }),
      text("server.public_url", "URL",
           "how clients reach this server; empty: the listening address",
           [](Config& c) -> auto& { return c.public_url; }),
      number("server.threads", "threads", "event loops; 0: one per core", 0, 256,
             [](Config& c) -> auto& { return c.http.threads; }),
      number("server.connections_max", "connections", "more are closed at once", 1, 10'000'000,
             [](Config& c) -> auto& { return c.http.connections_max; }),
      number("server.connections_per_peer_max", "connections",
             "per network address, IPv6 by /64; more are closed at once", 1, 10'000'000,
             [](Config& c) -> auto& { return c.http.connections_per_peer_max; }),
      seconds("server.shutdown_grace_seconds", "how long utterances may take to end at a shutdown",
              0, 3600, [](Config& c) -> auto& { return c.shutdown_grace; }),
      list(
          "server.trusted_proxies", "networks",
          "proxies whose X-Forwarded-For is believed, such as 10.0.0.0/8; empty: nobody's",
          "must be a list of networks such as \"10.0.0.0/8\" or \"fd00::/8\", without bits beyond "
          "the prefix",
          [](Config& c) -> auto& { return c.http.trusted_proxies; },
          [](const std::string& text) { return base::parse_network(text); },
          [](const base::Network& network) { return base::text_of(network); }),
      number("http.head_bytes_max", "bytes", "a longer request head is refused with 431", 1024,
             1 << 20, [](Config& c) -> auto& { return c.http.head_bytes_max; }),
      number("http.body_bytes_max", "bytes", "a longer body is refused with 413", 1024, 1 << 26,
             [](Config& c) -> auto& { return c.http.body_bytes_max; }),
      seconds("http.head_timeout_seconds", "from a request's first byte to the end of its head", 1,
              3600, [](Config& c) -> auto& { return c.http.head_timeout; }),
      seconds("http.body_timeout_seconds", "for the body", 1, 3600,
              [](Config& c) -> auto& { return c.http.body_timeout; }),
      seconds("http.idle_timeout_seconds", "between two requests on one connection", 1, 3600,
              [](Config& c) -> auto& { return c.http.idle_timeout; }),
      text("secrets.server_secret_file", "path",
           "the server secret, newest first; empty: server-secret in the data folder",
           [](Config& c) -> auto& { return c.server_secret_file; }),
      texts("secrets.trusted_token_key_files", "paths",
            "token keys of other regions whose session tokens are admitted here",
            [](Config& c) -> auto& { return c.trusted_token_key_files; }),
      text("tokens.algorithm", "HS256 or EdDSA", "what new session tokens are signed with",
           [](Config& c) -> auto& { return c.token_algorithm; }, {"HS256", "EdDSA"}),
      text("tokens.issuer", "text", "the iss claim of session tokens",
           [](Config& c) -> auto& { return c.issuer; }),
      text("tokens.region", "text", "which region this server says it is",
           [](Config& c) -> auto& { return c.region; }),
      seconds("tokens.connect_within_seconds",
              "a session token must be used this soon after it was minted; 0: before it expires", 0,
              86400, [](Config& c) -> auto& { return c.connect_within; }),
      text("tokens.unlisted_origins", "any or none",
           "who may use a session token that lists no allowed origins: any client, or none that is "
           "a browser's page",
           [](Config& c) -> auto& { return c.unlisted_origins; }, {"any", "none"}),
      text(
          "accounts.sign_up", "nobody, invited or open",
          "who may make an account: nobody, who holds an invitation, or everybody, who then gets a "
          "workspace of their own",
          [](Config& c) -> auto& { return c.sign_up; }, {"nobody", "invited", "open"}),
      text("accounts.issuer", "URL",
           "the iss claim of people's tokens; empty: server.public_url, or http:// and "
           "server.listen",
           [](Config& c) -> auto& { return c.accounts_issuer; }),
      number("accounts.password_memory_kib", "KiB", "memory of one password hash (Argon2id)",
             19 * 1024, 4 << 20,
             [](Config& c) -> auto& { return c.password_cost.memory_kibibytes; }),
      number("accounts.password_passes", "passes", "over that memory", 2, 100,
             [](Config& c) -> auto& { return c.password_cost.passes; }),
      number("accounts.password_lanes", "lanes", "of that memory", 1, 16,
             [](Config& c) -> auto& { return c.password_cost.lanes; }),
      number("accounts.passwords_at_once", "hashes",
             "that run at one time; as many may wait, and more are refused with 503", 1, 64,
             [](Config& c) -> auto& { return c.password_cost.at_once; }),
      yes_or_no("keys.accept_live", "whether av_live_ keys are accepted",
                [](Config& c) -> auto& { return c.accepts_live_keys; }),
      yes_or_no("keys.accept_test", "whether av_test_ keys are accepted",
                [](Config& c) -> auto& { return c.accepts_test_keys; }),
      text(
          "leaks.github_public_keys_file", "path",
          "the public keys of GitHub's secret scanning, as its meta endpoint gives them; empty: no "
          "reports of leaked keys are taken",
          [](Config& c) -> auto& { return c.leak_reporter_keys_file; }),
      seconds("motion.configure_within_seconds", "from the upgrade to the first message", 1, 600,
              [](Config& c) -> auto& { return c.configure_within; }),
      number("motion.message_bytes_max", "bytes", "a longer message closes the session with 1009",
             1 << 16, 1 << 26, [](Config& c) -> auto& { return c.message_bytes_max; }),
      number("motion.message_memory_max", "bytes",
             "what all sessions together may hold of incoming messages; more closes with 1013",
             1 << 20, std::int64_t{1} << 40,
             [](Config& c) -> auto& { return c.message_memory_max; }),
      {"people.issuers", "list of tables",
       "who may vouch for people, each a [[people.issuers]] (docs/guide/people-and-issuers.md)",
       [](Config& c, const toml::node& node) { return read_issuers(node, c.people_issuers); },
       [](const Config& c) { return show_issuers(c.people_issuers); }},
      yes_or_no("people.allow_private_issuers",
                "whether issuers may have private addresses, and http on this machine: for "
                "development",
                [](Config& c) -> auto& { return c.people_allow_private_issuers; }),
      text("page.open_to", "nobody, loopback or everyone",
           "who may open sessions from the page at /; loopback means nobody once server.public_url "
           "is "
           "set, since a proxy on this machine makes everybody look local",
           [](Config& c) -> auto& { return c.page_open_to; }, {"nobody", "loopback", "everyone"}),
      text("page.api_key_file", "path",
           "the API key of the page's own backend; empty: page-key in the data folder",
           [](Config& c) -> auto& { return c.page_api_key_file; }),
      text("page.sample_file", "path",
           "a WAV that the page offers; empty: sample.wav in the data folder",
           [](Config& c) -> auto& { return c.page_sample_file; }),
      text("rooms.livekit_url", "URL",
           "the LiveKit server that room tokens are for; told to clients",
           [](Config& c) -> auto& { return c.rooms.livekit_url; }),
      text("rooms.livekit_api_key", "text", "the API key of its project, the iss of room tokens",
           [](Config& c) -> auto& { return c.rooms.livekit_api_key; }),
      text("rooms.livekit_secret_file", "path", "the API secret of its project, in a private file",
           [](Config& c) -> auto& { return c.rooms.livekit_secret_file; }),
      yes_or_no(
          "rooms.livekit_grants_for_all_rooms",
          "whether room_create, room_list, room_record and ingress_admin may be granted: they "
          "reach all rooms of the project",
          [](Config& c) -> auto& { return c.rooms.livekit_grants_for_all_rooms; }),
      text("rooms.agora_app_id", "32 hex digits", "the Agora project that room tokens are for",
           [](Config& c) -> auto& { return c.rooms.agora_app_id; }),
      text("rooms.agora_certificate_file", "path", "its app certificate, in a private file",
           [](Config& c) -> auto& { return c.rooms.agora_certificate_file; }),
      yes_or_no("rooms.accept_test_keys", "whether test keys may mint room tokens",
                [](Config& c) -> auto& { return c.rooms.accept_test_keys; }),
      texts("rooms.workspaces", "list of ids",
            "whose apps may mint room tokens; with rooms.apps also empty: the first workspace",
            [](Config& c) -> auto& { return c.rooms.workspaces; }),
      texts("rooms.apps", "list of App IDs", "further apps that may mint room tokens",
            [](Config& c) -> auto& { return c.rooms.apps; }),
      yes_or_no("rooms.rooms_by_app",
                "whether an app mints only for rooms whose names begin with its App ID and a "
                "hyphen: for several apps in one project",
                [](Config& c) -> auto& { return c.rooms.rooms_by_app; }),
      number("live.threads", "threads", "loops that live faces are drawn on; 0: one per core", 0,
             256, [](Config& c) -> auto& { return c.live.threads; }),
      number("live.faces_max", "faces", "live faces at once; a core draws about eight", 1, 100'000,
             [](Config& c) -> auto& { return c.live.faces_max; }),
      text("live.udp_address", "address",
           "where media come in; empty: the host of server.listen, or every address where that is "
           "loopback and live.public_addresses names others",
           [](Config& c) -> auto& { return c.live.udp_address; }),
      number("live.udp_first_port", "port", "the first UDP port; 0: the system chooses", 0, 65535,
             [](Config& c) -> auto& { return c.live.udp_first_port; }),
      number("live.udp_last_port", "port",
             "the last one; each loop takes one, and 0 is as many as there are loops", 0, 65535,
             [](Config& c) -> auto& { return c.live.udp_last_port; }),
      texts("live.public_addresses", "addresses",
            "where clients send media to, for a machine behind NAT; empty: the machine's own",
            [](Config& c) -> auto& { return c.live.public_addresses; }),
      texts("live.stun_urls", "URLs", "STUN servers that clients are told of",
            [](Config& c) -> auto& { return c.live.stun_urls; }),
      texts("live.turn_urls", "URLs", "TURN servers that clients are told of, with credentials",
            [](Config& c) -> auto& { return c.live.turn_urls; }),
      text("live.turn_secret_file", "path",
           "the secret shared with the TURN server (coturn: use-auth-secret), in a private file",
           [](Config& c) -> auto& { return c.live.turn_secret_file; }),
      number("live.turn_credential_seconds", "seconds", "how long a TURN credential lasts", 60,
             86'400, [](Config& c) -> auto& { return c.live.turn_credential_seconds; }),
      {"live.reports_kept_days", "days",
       "how long the reports of live faces are kept; 0: none is kept at all",
       [](Config& config, const toml::node& node) -> std::optional<std::string> {
         const auto value = node.value_exact<std::int64_t>();
         if (!value || *value < 0 || *value > 3650) return "must be a whole number from 0 to 3650";
         config.live.reports_kept_for = std::chrono::days(*value);
         return std::nullopt;
       },
       [](const Config& config) { return std::to_string(config.live.reports_kept_for.count()); }},
      yes_or_no("live.keep_transcripts",
                "whether reports hold what was said and what tools were given and gave",
                [](Config& c) -> auto& { return c.live.keep_transcripts; }),
      texts("live.voices", "ID=NAME", "what voice ids mean to the speech engine",
            [](Config& c) -> auto& { return c.live.voices; }),
      texts("live.models", "ID=NAME", "what llm ids mean to the chat engine",
            [](Config& c) -> auto& { return c.live.models; }),
      text("engines.speech_url", "URL",
           "an OpenAI-compatible /v1/audio/speech; empty: the built-in voices",
           [](Config& c) -> auto& { return c.live.speech.url; }),
      text("engines.speech_key_file", "path", "its API key, in a private file",
           [](Config& c) -> auto& { return c.live.speech.key_file; }),
      text("engines.speech_model", "text", "its model",
           [](Config& c) -> auto& { return c.live.speech.model; }),
      text("engines.speech_voice", "text", "its voice where a persona's means nothing to it",
           [](Config& c) -> auto& { return c.live.speech_voice; }),
      text("engines.chat_url", "URL",
           "an OpenAI-compatible /v1/chat/completions, for which the built-in scripted partner "
           "stands in where it fails; empty: that partner alone",
           [](Config& c) -> auto& { return c.live.chat.url; }),
      text("engines.chat_key_file", "path", "its API key, in a private file",
           [](Config& c) -> auto& { return c.live.chat.key_file; }),
      text("engines.chat_model", "text", "its model where a persona's means nothing to it",
           [](Config& c) -> auto& { return c.live.chat.model; }),
      text("engines.recognizer_url", "URL",
           "an OpenAI-compatible /v1/audio/transcriptions, for which pocketsphinx stands in where "
           "it fails; empty: pocketsphinx alone",
           [](Config& c) -> auto& { return c.live.recognizer.url; }),
      text("engines.recognizer_key_file", "path", "its API key, in a private file",
           [](Config& c) -> auto& { return c.live.recognizer.key_file; }),
      text("engines.recognizer_model", "text", "its model",
           [](Config& c) -> auto& { return c.live.recognizer.model; }),
      text("engines.pocketsphinx_model", "path",
           "the built-in recognizer's model folder; empty: it is left out, with its 100 MB",
           [](Config& c) -> auto& { return c.live.pocketsphinx_model; }),
      text("engines.espeak_program", "path", "speaks the languages that the built-in voices don't",
           [](Config& c) -> auto& { return c.live.espeak_program; }),
      yes_or_no("engines.allow_private", "whether engines may stand at private addresses",
                [](Config& c) -> auto& { return c.live.allow_private_engines; }),
      yes_or_no("engines.allow_private_webhooks",
                "whether the webhooks of personas and the language models that workspaces bring "
                "may stand at "
                "private addresses",
                [](Config& c) -> auto& { return c.live.allow_private_webhooks; }),
      text("log.level", "debug, info, warning or error",
           "the least that is logged; debug has every request",
           [](Config& c) -> auto& { return c.log_level; }, {"debug", "info", "warning", "error"}),
  };
}

// All settings, in the order in which they are printed. Tables stand together.
const std::vector<Setting>& settings() {
  static const std::vector<Setting> all = [] {
    auto list = other_settings();
    std::ranges::move(limit_settings(), std::back_inserter(list));
    return list;
  }();
  return all;
}

std::string_view nearest_name(std::string_view name) {
  std::string_view nearest;
  std::size_t least = std::string_view::npos;
  for (const auto& setting : settings()) {
    const auto distance = base::edit_distance(name.substr(0, 100), setting.name);
    if (distance < least) {
      least = distance;
      nearest = setting.name;
    }
  }
  return nearest;
}

std::unexpected<base::Error> refuse(std::string_view file, const toml::source_region& where,
                                    std::string what) {
  auto hint = fmt::format("{}:{}: {}", file, where.begin.line, what);
  return base::fail(ErrorCode::malformed, "config", std::move(hint));
}

base::Result<base::Done> apply(Config& config, const std::string& name, const toml::node& node,
                               std::string_view file) {
  const auto found = std::ranges::find(settings(), std::string_view(name), &Setting::name);
  if (found == settings().end())
    return refuse(file, node.source(),
                  fmt::format("unknown setting {}; did you mean {}?", name, nearest_name(name)));
  if (const auto wrong = found->set(config, node))
    return refuse(file, node.source(), fmt::format("{} {}", name, *wrong));
  return base::Done{};
}

std::string_view table_of(std::string_view name) {
  return name.substr(0, name.find('.'));
}
std::string_view key_of(std::string_view name) {
  return name.substr(name.find('.') + 1);
}

}  // namespace

std::string toml_string(std::string_view text) {
  std::string json;
  base::append_json_string(json, text);
  std::string out;
  for (std::size_t at = 0; at < json.size();) {
    const auto first = static_cast<unsigned char>(json[at++]);
    if (first < 0x7f) {
      out += static_cast<char>(first);
      continue;
    }
    // UTF-8 that append_json_string has made valid.
    char32_t character = first < 0x80 ? first : first < 0xe0 ? first & 0x1fu : first & 0x0fu;
    if (first >= 0xf0) character = first & 0x07u;
    while (at < json.size() && (static_cast<unsigned char>(json[at]) & 0xc0) == 0x80)
      character = character << 6 | (static_cast<unsigned char>(json[at++]) & 0x3fu);
    out += fmt::format("\\U{:08x}", static_cast<std::uint32_t>(character));
  }
  return out;
}

base::Result<Config> parse_config(std::string_view toml_text, std::string_view name) {
  Config config;
  // toml++ 3.3 asserts on a control character and takes an undefined branch on some characters
  // outside ASCII; both come from the corpus of config_fuzz.
  const auto is_foreign = [](char c) {
    return (static_cast<signed char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f;
  };
  if (std::ranges::any_of(toml_text, is_foreign)) {
    return base::fail(
        ErrorCode::malformed, "config",
        std::string(name) + ": only ASCII is read; write other characters in texts as \\uXXXX.");
  }
  toml::table root;
  // toml++ reports by exception; here they end.
  try {
    root = toml::parse(toml_text, name);
  } catch (const toml::parse_error& error) {
    return refuse(name, error.source(), std::string(error.description()));
  } catch (const std::runtime_error&) {
    return base::fail(ErrorCode::malformed, "config", std::string(name) + ": it is not TOML.");
  }
  for (const auto& [table_name, node] : root) {
    const auto* table = node.as_table();
    if (table == nullptr) {
      if (auto done = apply(config, std::string(table_name.str()), node, name); !done)
        return base::fail(done.error());
      continue;
    }
    for (const auto& [key, value] : *table) {
      const auto full = std::string(table_name.str()) + "." + std::string(key.str());
      if (auto done = apply(config, full, value, name); !done) return base::fail(done.error());
    }
  }
  if (auto address = parse_address(config.listen); !address) return base::fail(address.error());
  const auto policies = policies_of(config.people_issuers, config.people_allow_private_issuers);
  if (!policies)
    return base::fail(ErrorCode::malformed, "config",
                      std::string(name) + ": " + policies.error().hint);
  return config;
}

base::Result<Config> read_config(const std::string& path) {
  if (path.empty()) return parse_config({}, "defaults");
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return base::fail(ErrorCode::unavailable, "config can't be read",
                      "The settings file " + path + " can't be read.");
  }
  std::ostringstream content;
  content << file.rdbuf();
  return parse_config(content.str(), path);
}

std::string print_config(const Config& config) {
  std::string out =
      "# Settings of stagedoor with the values in force. Secrets come by file path.\n";
  std::string_view table;
  for (const auto& setting : settings()) {
    if (table_of(setting.name) != table) {
      table = table_of(setting.name);
      out += fmt::format("\n[{}]\n", table);
    }
    out += fmt::format("# {} ({})\n{} = {}\n", setting.help, setting.unit, key_of(setting.name),
                       setting.show(config));
  }
  return out;
}

std::string config_reference() {
  std::string out =
      "# Settings\n\n"
      "One TOML file, given with `--config`. Written from the table in the program by\n"
      "`stagedoor config reference`; `./dev check` compares. An unknown key stops the start.\n\n"
      "| Setting | Default | Unit or form | Meaning |\n|---|---|---|---|\n";
  const Config defaults;
  for (const auto& setting : settings())
    out += fmt::format("| `{}` | `{}` | {} | {} |\n", setting.name, setting.show(defaults),
                       setting.unit, setting.help);
  return out;
}

base::Result<Address> parse_address(std::string_view text) {
  const auto colon = text.rfind(':');
  const auto port_text = colon == text.npos ? "" : text.substr(colon + 1);
  unsigned port = 0;
  const auto [end, error] =
      std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  if (port_text.empty() || error != std::errc() || end != port_text.data() + port_text.size() ||
      port > 65535) {
    return base::fail(
        ErrorCode::malformed, "address",
        "An address is HOST:PORT, such as 127.0.0.1:8700; got " + std::string(text) + ".");
  }
  auto host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return Address{.host = std::string(host), .port = static_cast<std::uint16_t>(port)};
}

}  // namespace stagedoor::server
