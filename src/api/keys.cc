#include "api/keys.h"

#include <string>
#include <utility>

#include "api/key_json.h"
#include "api/problem.h"
#include "api/query.h"
#include "front/credential.h"

namespace stagedoor::api {
namespace {

using actions::KeyManager;
using base::Error;
using base::ErrorCode;
using base::Result;
using http::Request;
using http::Response;

KeyManager::Call call_of(const Request& request) {
  return {std::string(request.peer()), std::string(request.id())};
}

KeyManager manager_of(const rules::Caller& caller, const Request& request) {
  return KeyManager::of(caller, call_of(request));
}

// A body of our API that may be stored nowhere.
std::string& start(Response& response, int status) {
  response.header("Cache-Control", "no-store");
  return response.start(status, "application/json");
}

Result<std::uint64_t> id_of(const Request& request) {
  const auto id = rules::parse_api_key_id(request.path_part("key_id"));
  if (id) return *id;
  // What can't be an id names nothing, like one that was never given.
  return base::fail(ErrorCode::not_found, "not a key's id", "There is no key with this id.");
}

Error malformed(std::string hint) {
  return {ErrorCode::malformed, "request", std::move(hint)};
}

Result<actions::ReadApiKeys::PageRequest> page_asked(const Request& request) {
  actions::ReadApiKeys::PageRequest page;
  page.app_id = request.query("app_id").value_or("");
  const auto environment = environment_in_query(request);
  if (!environment) return base::fail(environment.error());
  page.environment = *environment;
  const auto limit = limit_in_query(request, 100, rules::api_key_page_max);
  if (!limit) return base::fail(limit.error());
  page.count_max = static_cast<std::size_t>(*limit);
  if (const auto cursor = request.query("cursor")) {
    page.after = rules::read_api_key_cursor(*cursor);
    if (!page.after) return base::fail(malformed("cursor is none that a list has given."));
  }
  return page;
}

// A body with only a reason, or nothing.
Result<std::string> reason_of(const Request& request) {
  Body body(request);
  std::string reason(body.text_if("reason", {0, rules::api_key_reason_bytes_max}).value_or(""));
  if (auto read = body.finish(); !read) return base::fail(read.error());
  return reason;
}

std::chrono::seconds grace_of(Members& members) {
  return std::chrono::seconds(
      members.number_if("grace_seconds", {0, rules::api_key_grace_max.count()}).value_or(0));
}

}  // namespace

void Keys::add_to(http::Router& router, const front::Guard& guard) const {
  using rules::Permission;
  using Method = void (Keys::*)(const Caller&, const Request&, Response&) const;
  const auto bound = [this](Method method) {
    return [this, method](const Caller& caller, const Request& in, Response& out) {
      (this->*method)(caller, in, out);
    };
  };
  const auto add = [&](std::string verb, std::string pattern, std::optional<Permission> needs,
                       Method method) {
    router.add({std::move(verb), std::move(pattern), guard.slow(needs, bound(method))});
  };
  const auto add_to_revoke = [&](std::string pattern, Method method) {
    router.add(
        {"POST", std::move(pattern), guard.slow_to_revoke(Permission::keys_write, bound(method))});
  };
  add("POST", "/v1/keys", Permission::keys_write, &Keys::create);
  add("GET", "/v1/keys", Permission::keys_read, &Keys::list);
  add("POST", "/v1/keys/import", Permission::keys_write, &Keys::import);
  router.add({"POST", "/v1/keys/revoke", guard.slow_for_holders(bound(&Keys::revoke_self))});
  add("GET", "/v1/keys/{key_id}", Permission::keys_read, &Keys::one);
  add_to_revoke("/v1/keys/{key_id}/freeze", &Keys::freeze);
  add("POST", "/v1/keys/{key_id}/unfreeze", Permission::keys_write, &Keys::unfreeze);
  add_to_revoke("/v1/keys/{key_id}/revoke", &Keys::revoke);
  add("POST", "/v1/keys/{key_id}/rotate", Permission::keys_write, &Keys::rotate);
  add("GET", "/v1/keys/{key_id}/blast-radius", Permission::keys_read, &Keys::blast_radius);
  add("POST", "/v1/apps/{app_id}/rotate-keys", Permission::keys_write, &Keys::rotate_app);
}

void Keys::reply_key(Response& response, const Result<rules::ApiKey>& key) const {
  if (!key) return reply_problem(response, key.error());
  base::JsonWriter writer(start(response, 200));
  write_key(writer, *key, parts_.clock.now());
  write_last_use(writer, parts_.uses.last_use(key->id));
  writer.end();
}

void Keys::create(const Caller& caller, const Request& request, Response& response) const {
  const auto wanted = read_new_key(request.body());
  if (!wanted) return reply_problem(response, wanted.error());
  const auto created = parts_.verbs.create(manager_of(caller, request), *wanted);
  if (!created) return reply_problem(response, created.error());
  write_created_key(start(response, 201), *created, parts_.clock.now());
}

void Keys::import(const Caller& caller, const Request& request, Response& response) const {
  const auto wanted = read_key_import(request.body());
  if (!wanted) return reply_problem(response, wanted.error());
  const auto imported = parts_.verbs.import(manager_of(caller, request), *wanted);
  if (!imported) return reply_problem(response, imported.error());
  auto& out = start(response, 201);
  out += "{\"data\":[";
  for (const auto& key : *imported) {
    if (&key != &imported->front()) out += ',';
    base::JsonWriter writer(out);
    write_key(writer, key, parts_.clock.now());
    writer.end();
  }
  out += "]}";
}

void Keys::list(const Caller& caller, const Request& request, Response& response) const {
  const auto asked = page_asked(request);
  if (!asked) return reply_problem(response, asked.error());
  const auto page = parts_.verbs.read.page(manager_of(caller, request), *asked);
  if (!page) return reply_problem(response, page.error());
  auto& out = start(response, 200);
  out += "{\"data\":[";
  for (const auto& key : page->keys) {
    if (&key != &page->keys.front()) out += ',';
    base::JsonWriter writer(out);
    write_key(writer, key, parts_.clock.now());
    write_last_use(writer, parts_.uses.last_use(key.id));
    writer.end();
  }
  out += "],\"next\":";
  if (page->next) {
    base::append_json_string(out, rules::text_of(*page->next));
  } else {
    out += "null";
  }
  out += '}';
}

void Keys::one(const Caller& caller, const Request& request, Response& response) const {
  const auto id = id_of(request);
  if (!id) return reply_problem(response, id.error());
  reply_key(response, parts_.verbs.read.one(manager_of(caller, request), *id));
}

void Keys::freeze(const Caller& caller, const Request& request, Response& response) const {
  const auto id = id_of(request);
  if (!id) return reply_problem(response, id.error());
  const auto reason = reason_of(request);
  if (!reason) return reply_problem(response, reason.error());
  reply_key(response, parts_.verbs.freeze(manager_of(caller, request), *id, *reason));
}

void Keys::unfreeze(const Caller& caller, const Request& request, Response& response) const {
  const auto id = id_of(request);
  if (!id) return reply_problem(response, id.error());
  Body body(request);
  if (auto read = body.finish(); !read) return reply_problem(response, read.error());
  reply_key(response, parts_.verbs.unfreeze(manager_of(caller, request), *id));
}

void Keys::revoke(const Caller& caller, const Request& request, Response& response) const {
  const auto id = id_of(request);
  if (!id) return reply_problem(response, id.error());
  const auto reason = reason_of(request);
  if (!reason) return reply_problem(response, reason.error());
  reply_key(response, parts_.verbs.revoke(manager_of(caller, request), *id, *reason));
}

void Keys::revoke_self(const Caller& caller, const Request& request, Response& response) const {
  Body body(request);
  const base::Secret key(body.text("key", {1, rules::foreign_key_bytes_max}));
  const std::string reason(
      body.text_if("reason", {0, rules::api_key_reason_bytes_max}).value_or(""));
  if (auto read = body.finish(); !read) return reply_problem(response, read.error());
  // Whoever sends both has both: comparing them in plain time tells nobody anything.
  if (caller.kind() != rules::CallerKind::api_key ||
      front::bearer_of(request).value_or("") != key.expose()) {
    return reply_problem(response,
                         {ErrorCode::forbidden, "self-revocation with another credential",
                          "Send the key that is to be revoked as Authorization: Bearer too."});
  }
  reply_key(response, parts_.verbs.revoke.by_holder(caller, call_of(request), reason));
}

void Keys::rotate(const Caller& caller, const Request& request, Response& response) const {
  const auto id = id_of(request);
  if (!id) return reply_problem(response, id.error());
  Body body(request);
  actions::RotateApiKey::Request wanted{};
  wanted.id = *id;
  wanted.grace = grace_of(body);
  if (const auto seconds = body.number_if("expires_at", {1, 253402300799}))
    wanted.expires_at = base::from_unix_seconds(*seconds);
  if (auto read = body.finish(); !read) return reply_problem(response, read.error());
  const auto rotated = parts_.verbs.rotate(manager_of(caller, request), wanted);
  if (!rotated) return reply_problem(response, rotated.error());
  base::JsonWriter writer(start(response, 201));
  auto& old = writer.begin("old");
  base::JsonWriter old_writer(old);
  write_key(old_writer, rotated->old, parts_.clock.now());
  old_writer.end();
  write_created_key(writer.begin("new"), rotated->successor, parts_.clock.now());
  writer.end();
}

void Keys::rotate_app(const Caller& caller, const Request& request, Response& response) const {
  Body body(request);
  actions::RotateAppKeys::Request wanted;
  wanted.app_id = request.path_part("app_id");
  wanted.environment = read_environment(body);
  wanted.grace = grace_of(body);
  if (auto read = body.finish(); !read) return reply_problem(response, read.error());
  const auto rotated = parts_.verbs.rotate_app(manager_of(caller, request), wanted);
  if (!rotated) return reply_problem(response, rotated.error());
  base::JsonWriter writer(start(response, 201));
  auto& pairs = writer.begin("rotated");
  pairs += '[';
  for (const auto& [old_id, new_id] : rotated->old_and_new) {
    if (pairs.back() != '[') pairs += ',';
    base::JsonWriter pair(pairs);
    pair.text("old_id", rules::api_key_id_text(old_id));
    pair.text("new_id", rules::api_key_id_text(new_id)).end();
  }
  pairs += ']';
  auto& frozen = writer.begin("frozen");
  frozen += '[';
  for (const auto id : rotated->frozen) {
    if (frozen.back() != '[') frozen += ',';
    base::append_json_string(frozen, rules::api_key_id_text(id));
  }
  frozen += ']';
  auto& made = writer.begin("new");
  made += '[';
  for (const auto& successor : rotated->successors) {
    if (&successor != &rotated->successors.front()) made += ',';
    write_created_key(made, successor, parts_.clock.now());
  }
  made += ']';
  writer.number("left", rotated->left).end();
}

void Keys::blast_radius(const Caller& caller, const Request& request, Response& response) const {
  const auto id = id_of(request);
  if (!id) return reply_problem(response, id.error());
  const auto touched = parts_.verbs.read.blast_radius(manager_of(caller, request), *id);
  if (!touched) return reply_problem(response, touched.error());
  write_blast_radius(start(response, 200), touched->key, touched->radius, parts_.clock.now());
}

}  // namespace stagedoor::api
