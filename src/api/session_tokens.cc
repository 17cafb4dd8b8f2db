#include "api/session_tokens.h"

#include <algorithm>
#include <array>
#include <string>

#include "api/problem.h"
#include "base/json_fields.h"
#include "base/json_writer.h"
#include "rules/session_token.h"

namespace stagedoor::api {
namespace {

using base::JsonFields;
using rules::RevokedSubject;
using std::chrono::seconds;
using Wanted = actions::MintSessionToken::Request;

constexpr std::int64_t year_9999 = 253402300799;
constexpr std::int64_t day = 86400;
constexpr std::size_t id_bytes_max = 128;
constexpr seconds lifetime_default{600};

std::optional<rules::Environment> environment_of(JsonFields& fields) {
  const auto name = fields.choice("environment", {"live", "test"});
  if (!name) return std::nullopt;
  return *name == "live" ? rules::Environment::live : rules::Environment::test;
}

// A time by itself or as seconds from now, but not both.
std::optional<base::Instant> time_of(JsonFields& fields, std::string_view at_name,
                                     std::string_view in_name, base::Instant now) {
  const auto at = fields.integer(at_name, 0, year_9999);
  const auto in = fields.integer(in_name, 1, day);
  if (at && in) fields.refuse(in_name, "and " + std::string(at_name) + " exclude each other.");
  if (at) return base::from_unix_seconds(*at);
  if (in) return now + seconds(*in);
  return std::nullopt;
}

std::optional<seconds> seconds_of(JsonFields& fields, std::string_view name, std::int64_t least) {
  const auto number = fields.integer(name, least, std::int64_t{1} << 31);
  return number ? std::optional(seconds(*number)) : std::nullopt;
}

base::Result<base::Done> read_leash(const base::Json& object, Wanted& wanted) {
  JsonFields leash(object, "leash.");
  wanted.length_max = seconds_of(leash, "length_max_seconds", 1);
  wanted.idle_max = seconds_of(leash, "idle_max_seconds", 1);
  wanted.warning_before = seconds_of(leash, "warning_seconds", 0);
  if (const auto most = leash.integer("sessions_max", 1, 1 << 30))
    wanted.sessions_max = static_cast<int>(*most);
  return leash.finish();
}

void write_leash(std::string& out, const rules::Leash& leash) {
  base::JsonWriter(out)
      .number("length_max_seconds", leash.length_max.count())
      .number("idle_max_seconds", leash.idle_max.count())
      .number("warning_seconds", leash.warning_before.count())
      .number("sessions_max", leash.sessions_max)
      .end();
}

void write_minted(std::string& out, const actions::MintSessionToken::Minted& minted,
                  std::string_view persona_id) {
  const auto& applied = minted.applied;
  base::JsonWriter writer(out);
  writer.text("session_token", minted.token.expose())
      .text("id", rules::text_of(applied.id))
      .text("app_id", applied.app_id)
      .text("environment", rules::name_of(applied.environment))
      .text_or_null("avatar_id", applied.avatar_id)
      .text_or_null("persona_id", persona_id)
      .text_or_null("end_user_id", applied.end_user_id())
      .number("issued_at", base::unix_seconds(applied.issued_at))
      .number("expires_at", base::unix_seconds(applied.expires_at))
      .number("connect_by", base::unix_seconds(applied.leash.connect_by))
      .number("uses_max", applied.uses_max)
      .text("region", applied.region)
      .texts("regions", applied.regions)
      .texts("allowed_origins", applied.allowed_origins)
      .json("metadata", applied.metadata.empty() ? "{}" : applied.metadata);
  write_leash(writer.begin("leash"), applied.leash);
  writer.end();
}

}  // namespace

base::Result<Revocation> read_revocation(std::string_view body) {
  thread_local base::JsonReader reader;
  const auto json = reader.read(body);
  if (!json) return base::fail(json.error());
  JsonFields fields(*json);
  // `minted_by` and `api_key_id` mean the same: a key's id or an account's.
  constexpr std::array<std::pair<std::string_view, RevokedSubject>, 6> subjects = {
      {{"session_token", RevokedSubject::token},
       {"end_user_id", RevokedSubject::end_user},
       {"minted_by", RevokedSubject::api_key},
       {"api_key_id", RevokedSubject::api_key},
       {"app_id", RevokedSubject::app},
       {"avatar_id", RevokedSubject::avatar}}};
  std::optional<Revocation> revocation;
  bool is_one = true;
  for (const auto& [name, subject] : subjects) {
    const bool is_token = subject == RevokedSubject::token;
    auto value = fields.text(
        name, is_token ? rules::session_token_bytes_max : rules::session_token_subject_bytes_max);
    if (!value) continue;
    is_one = is_one && !revocation && !value->empty();
    revocation.emplace(subject, *std::move(value), std::nullopt);
  }
  const auto environment = environment_of(fields);
  if (auto read = fields.finish(); !read) return base::fail(read.error());
  if (!revocation || !is_one)
    return base::fail(base::ErrorCode::malformed, "revocation of none or several",
                      "Name exactly one of session_token, end_user_id, minted_by, api_key_id, "
                      "app_id and avatar_id.");
  revocation->environment = environment;
  return *std::move(revocation);
}

base::Result<MintBody> read_mint_body(std::string_view body, base::Instant now) {
  thread_local base::JsonReader reader;
  const auto json = reader.read(body.empty() ? "{}" : body);
  if (!json) return base::fail(json.error());
  JsonFields fields(*json);
  MintBody mint;
  auto& wanted = mint.token;
  mint.persona_id = fields.text("persona_id", id_bytes_max).value_or("");
  wanted.app_id = fields.text("app_id", id_bytes_max).value_or("");
  wanted.environment = environment_of(fields);
  wanted.avatar_id = fields.text("avatar_id", id_bytes_max).value_or("");
  wanted.end_user_id =
      fields.text("end_user_id", rules::session_token_subject_bytes_max).value_or("");
  wanted.expires_at =
      time_of(fields, "expires_at", "expires_in_seconds", now).value_or(now + lifetime_default);
  wanted.connect_by = time_of(fields, "connect_by", "connect_within_seconds", now);
  if (const auto uses = fields.integer("uses_max", 1, 1'000'000))
    wanted.uses_max = static_cast<int>(*uses);
  wanted.regions = fields.texts("regions", rules::session_token_regions_max,
                                rules::session_token_region_bytes_max);
  wanted.allowed_origins = fields.texts("allowed_origins", rules::session_token_origins_max,
                                        rules::session_token_origin_bytes_max);
  wanted.metadata =
      fields.object_text("metadata", rules::session_token_metadata_bytes_max).value_or("");
  const auto leash = fields.object("leash");
  if (auto read = fields.finish(); !read) return base::fail(read.error());
  if (leash) {
    if (auto read = read_leash(*leash, wanted); !read) return base::fail(read.error());
  }
  return mint;
}

namespace {

base::Result<MintBody> minting_of(const http::Request& request, base::Instant now) {
  auto body = read_mint_body(request.body(), now);
  if (!body) return body;
  body->token.peer = request.peer();
  body->token.request_id = request.id();
  return body;
}

}  // namespace

void SessionTokens::add_to(http::Router& router, const front::Guard& guard) const {
  using rules::Permission;
  const auto bound = [this](auto method) {
    return [this, method](const rules::Caller& caller, const http::Request& request,
                          http::Response& response) { (this->*method)(caller, request, response); };
  };
  router.add({"POST", "/v1/session-tokens",
              guard.quick_or_slow(
                  Permission::tokens_mint,
                  [this](const rules::Caller& caller, const http::Request& in,
                         http::Response& out) { return mint_at_once(caller, in, out); },
                  bound(&SessionTokens::mint))});
  router.add({"POST", "/v1/session-tokens/revoke",
              guard.slow_to_revoke(Permission::tokens_revoke, bound(&SessionTokens::revoke))});
}

front::Guard::Attempt SessionTokens::mint_at_once(const rules::Caller& caller,
                                                  const http::Request& request,
                                                  http::Response& response) const {
  const auto wanted = minting_of(request, parts_.clock.now());
  if (wanted && !wanted->persona_id.empty()) return front::Guard::Attempt::needs_time;
  if (wanted) {
    answer(response, parts_.mint(caller, wanted->token), {});
  } else {
    reply_problem(response, wanted.error());
  }
  return front::Guard::Attempt::answered;
}

void SessionTokens::mint(const rules::Caller& caller, const http::Request& request,
                         http::Response& response) const {
  auto wanted = minting_of(request, parts_.clock.now());
  if (!wanted) return reply_problem(response, wanted.error());
  if (wanted->persona_id.empty()) return answer(response, parts_.mint(caller, wanted->token), {});
  actions::MintPersonaToken::Request persona;
  persona.persona_id = wanted->persona_id;
  persona.id_member = "persona_id";
  persona.token = std::move(wanted->token);
  auto minted = parts_.mint_persona(caller, persona);
  if (!minted) return answer(response, base::fail(minted.error().error), {});
  answer(response, *std::move(minted), persona.persona_id);
}

void SessionTokens::answer(http::Response& response,
                           const base::Result<actions::MintSessionToken::Minted>& minted,
                           std::string_view persona_id) {
  if (!minted) return reply_problem(response, minted.error());
  write_minted(response.start(201, "application/json"), *minted, persona_id);
  response.header("Cache-Control", "no-store");
}

void SessionTokens::revoke(const rules::Caller& caller, const http::Request& request,
                           http::Response& response) const {
  const auto wanted = read_revocation(request.body());
  if (!wanted) return reply_problem(response, wanted.error());
  const auto ended = parts_.revoke(caller, {.subject = wanted->subject,
                                            .value = wanted->value,
                                            .environment = wanted->environment,
                                            .peer = request.peer(),
                                            .request_id = request.id()});
  if (!ended) return reply_problem(response, ended.error());
  base::JsonWriter(response.start(200, "application/json"))
      .number("live_sessions_ended", static_cast<std::int64_t>(*ended))
      .end();
  response.header("Cache-Control", "no-store");
}

}  // namespace stagedoor::api
