#include "api/key_json.h"

#include <vector>

namespace stagedoor::api {
namespace {

constexpr std::size_t scopes_max = 64;
constexpr std::int64_t seconds_max = 253402300799;  // the year 9999

std::string_view state_of(const rules::ApiKey& key, base::Instant now) {
  if (key.revoked_at) return "revoked";
  if (key.frozen_at) return "frozen";
  return key.has_expired(now) ? "expired" : "good";
}

void write_time(base::JsonWriter& writer, base::JsonName name,
                std::optional<base::Instant> instant) {
  if (instant) {
    writer.number(name, base::unix_seconds(*instant));
  } else {
    writer.json(name, "null");
  }
}

template <class Items, class Write>
void write_list(base::JsonWriter& writer, base::JsonName name, const Items& items,
                const Write& write) {
  auto& out = writer.begin(name);
  out += '[';
  bool is_first = true;
  for (const auto& item : items) {
    if (!is_first) out += ',';
    is_first = false;
    write(out, item);
  }
  out += ']';
}

}  // namespace

std::optional<rules::Environment> read_environment(Members& members) {
  const auto word = members.word_if("environment", {"live", "test"});
  if (!word) return std::nullopt;
  return *word == 0 ? rules::Environment::live : rules::Environment::test;
}

actions::KeyWish read_key_wish(Members& members) {
  actions::KeyWish wish;
  wish.name = members.text("name", {1, rules::api_key_name_bytes_max});
  if (const auto scopes = members.texts_if("scopes", scopes_max, {1, 64}))
    wish.scopes.emplace(scopes->begin(), scopes->end());
  if (const auto seconds = members.number_if("expires_at", {1, seconds_max}))
    wish.expires_at = base::from_unix_seconds(*seconds);
  if (const auto networks = members.texts_if("networks", rules::api_key_networks_max, {1, 64}))
    wish.networks.emplace(networks->begin(), networks->end());
  if (const auto tier = members.text_if("tier", {1, 64})) wish.tier = *tier;
  if (const auto text = members.text_if("rate_limit", {1, 64})) {
    const auto limit = rules::read_rate_limit(*text);
    if (limit) {
      wish.own_limit = *limit;
    } else {
      members.refuse("rate_limit", "must be a limit such as 300/min burst 600");
    }
  }
  return wish;
}

base::Result<actions::CreateApiKey::Request> read_new_key(std::string_view json) {
  Body body(json);
  actions::CreateApiKey::Request wanted;
  wanted.app_id = body.text_if("app_id", {1, 64}).value_or("");
  wanted.environment = read_environment(body);
  wanted.wish = read_key_wish(body);
  if (auto read = body.finish(); !read) return base::fail(read.error());
  return wanted;
}

base::Result<actions::ImportApiKeys::Request> read_key_import(std::string_view json) {
  Body body(json);
  actions::ImportApiKeys::Request wanted;
  wanted.app_id = body.text_if("app_id", {1, 64}).value_or("");
  wanted.environment = read_environment(body);
  for (auto& members : body.objects_if("keys", actions::imported_at_once_max)) {
    auto& item = wanted.items.emplace_back();
    item.sha256 = members.text("sha256", {43, 64});
    item.ends = members.text_if("ends", {1, 32}).value_or("");
    item.wish = read_key_wish(members);
  }
  if (auto read = body.finish(); !read) return base::fail(read.error());
  return wanted;
}

void write_key(base::JsonWriter& writer, const rules::ApiKey& key, base::Instant now) {
  writer.text("id", rules::api_key_id_text(key.id)).text("app_id", key.app_id);
  writer.text("environment", rules::name_of(key.environment));
  writer.text("name", key.name).text("ends", key.ends);
  writer.text("state", state_of(key, now));
  writer.texts("scopes", rules::scopes_of(key.terms.scopes));
  write_time(writer, "expires_at", key.expires_at);
  std::vector<std::string> networks;
  for (const auto& network : key.terms.networks) networks.push_back(base::text_of(network));
  writer.texts("networks", networks).text("tier", key.terms.tier);
  writer.text_or_null("rate_limit",
                      key.terms.own_limit ? rules::text_of(*key.terms.own_limit) : "");
  writer.json("imported", key.hash_kind == rules::ApiKeyHashKind::imported ? "true" : "false");
  writer.text("created_by", key.created_by);
  write_time(writer, "created_at", key.created_at);
  write_time(writer, "frozen_at", key.frozen_at);
  writer.text_or_null("frozen_reason", key.frozen_reason);
  write_time(writer, "revoked_at", key.revoked_at);
  writer.text_or_null("revoked_reason", key.revoked_reason);
  writer.text_or_null("replaced_by",
                      key.replaced_by ? rules::api_key_id_text(*key.replaced_by) : "");
}

void write_created_key(std::string& out, const actions::CreatedApiKey& created, base::Instant now) {
  base::JsonWriter writer(out);
  writer.text("api_key", created.text.secret().expose());
  write_key(writer, created.key, now);
  writer.end();
}

void write_last_use(base::JsonWriter& writer, const std::optional<rules::KeyUse>& use) {
  auto& out = writer.begin("last_use");
  if (!use) {
    out += "null";
    return;
  }
  base::JsonWriter inner(out);
  inner.number("used_at", base::unix_seconds(use->last_at)).text("network", use->last_peer);
  inner.number("count", use->count).end();
}

void write_blast_radius(std::string& out, const rules::ApiKey& key,
                        const rules::BlastRadius& radius, base::Instant now) {
  base::JsonWriter writer(out);
  auto& shown = writer.begin("key");
  base::JsonWriter key_writer(shown);
  write_key(key_writer, key, now);
  key_writer.end();
  writer.texts("app_ids", radius.app_ids).number("calls", radius.calls);
  write_time(writer, "last_call_at", radius.last_call_at);
  writer.number("network_count", radius.network_count);
  write_list(writer, "networks", radius.networks, [](std::string& to, const auto& network) {
    base::JsonWriter item(to);
    item.text("address", network.address).number("calls", network.calls);
    write_time(item, "first_at", network.first_at);
    write_time(item, "last_at", network.last_at);
    item.end();
  });
  writer.number("session_count", radius.session_count);
  writer.number("live_session_count", radius.live_session_count);
  write_list(writer, "sessions", radius.sessions, [](std::string& to, const auto& session) {
    base::JsonWriter item(to);
    item.text("id", session.id).text("avatar_id", session.avatar_id);
    item.text_or_null("end_user_id", session.end_user_id).text("network", session.peer);
    write_time(item, "began_at", session.began_at);
    item.json("is_live", session.is_live ? "true" : "false").end();
  });
  writer.number("keys_made_count", radius.keys_made_count);
  write_list(writer, "keys_made", radius.keys_made, [](std::string& to, std::uint64_t id) {
    base::append_json_string(to, rules::api_key_id_text(id));
  });
  writer.number("room_token_count", radius.room_token_count);
  write_list(writer, "room_tokens", radius.room_tokens, [](std::string& to, const auto& token) {
    base::JsonWriter item(to);
    item.text("room", token.room).text("network", token.peer);
    write_time(item, "minted_at", token.minted_at);
    item.end();
  });
  writer.end();
}

}  // namespace stagedoor::api
