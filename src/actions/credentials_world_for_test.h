// One app, a key for it, and everything that minting and admitting stand on, in memory, for tests.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <algorithm>
#include <deque>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "actions/admit_connection.h"
#include "actions/admit_world_for_test.h"
#include "actions/authenticate_api_key.h"
#include "actions/create_api_key.h"
#include "actions/end_live_session.h"
#include "actions/end_user_limits_for_test.h"
#include "actions/keys_for_test.h"
#include "actions/mint_session_token.h"
#include "actions/revoke_session_tokens.h"
#include "crypto/random.h"

namespace stagedoor::actions::credentials {

using base::ErrorCode;
using namespace std::chrono_literals;

inline const base::Address here = *base::parse_address("192.0.2.7");

class Book : public rules::Catalog {
 public:
  Book() {
    apps["app_1"] = {.id = "app_1", .workspace_id = "ws_1", .name = "one", .limits = {}};
    apps["app_2"] = {.id = "app_2", .workspace_id = "ws_2", .name = "two", .limits = {}};
    avatars["ava_1"] = {.id = "ava_1", .workspace_id = "ws_1", .name = "Ada", .version = "1"};
    avatars["ava_1b"] = {.id = "ava_1b", .workspace_id = "ws_1", .name = "Bo", .version = "1"};
    avatars["ava_2"] = {.id = "ava_2", .workspace_id = "ws_2", .name = "Cy", .version = "1"};
  }
  const rules::App* app(std::string_view id) const override {
    const auto found = apps.find(std::string(id));
    return found == apps.end() ? nullptr : &found->second;
  }
  std::optional<rules::Avatar> avatar(std::string_view id) const override {
    const auto found = avatars.find(std::string(id));
    return found == avatars.end() ? std::nullopt : std::optional(found->second);
  }
  std::map<std::string, rules::App> apps;
  std::map<std::string, rules::Avatar> avatars;
};

using Keys = KeysForTest;

class Spent : public rules::RedemptionStore, public rules::SessionLedger {
 public:
  using Kind = rules::Redeemed::Kind;
  void redeem(const rules::Redemption& redemption, Answer answer) override {
    if (is_broken) return answer(base::fail(ErrorCode::unavailable, "disk"));
    auto& known = known_[redemption.id];
    rules::Redeemed redeemed;
    redeemed.began_at = redemption.session.began_at;
    redeemed.session_id = redemption.session.id;
    bool is_own = false;
    for (const auto& mark : redemption.client_marks) {
      if (!known.marks.contains(mark)) continue;
      is_own = over.contains(known.marks[mark].id);
      if (is_own) continue;
      redeemed.kind = Kind::resumed;
      redeemed.session_id = known.marks[mark].id;
      redeemed.began_at = known.marks[mark].began_at;
      redeemed.connection = ++connections[redeemed.session_id];
      return answer(std::move(redeemed));
    }
    if (redemption.counts == rules::Redemption::Counts::retry_only &&
        known.uses < redemption.uses_max)
      return answer(base::fail(ErrorCode::concurrency_limited, "full"));
    if (known.uses >= redemption.uses_max) {
      redeemed.kind = Kind::spent;
      redeemed.earlier_peer = known.peer;
      redeemed.is_own = is_own;
      return answer(std::move(redeemed));
    }
    redeemed.use = ++known.uses;
    if (known.uses == 1) known.peer = redemption.session.peer;
    for (const auto& mark : redemption.client_marks) known.marks[mark] = redemption.session;
    connections[redeemed.session_id] = 1;
    answer(std::move(redeemed));
  }
  void end(std::string_view session_id, int connection, std::string_view reason,
           base::Instant) override {
    ended.push_back(std::string(session_id) + " " + std::to_string(connection) + " " +
                    std::string(reason));
  }
  base::Result<base::Done> end_for_good(std::string_view session_id, std::string_view reason,
                                        rules::AuditEntry entry) override {
    if (is_broken) return base::fail(ErrorCode::unavailable, "disk");
    ended.push_back(std::string(session_id) + " " + std::string(reason));
    entries.push_back(std::move(entry));
    return base::Done{};
  }
  bool is_broken = false;
  std::vector<rules::AuditEntry> entries;
  std::map<std::string, int> connections;
  std::vector<std::string> ended;
  std::set<std::string> over;  // for good

 private:
  struct Known {
    int uses = 0;
    std::string peer;
    std::map<rules::ClientMark, rules::LiveSession> marks;
  };
  std::map<rules::SessionTokenId, Known> known_;
};

class Minutes : public rules::MinuteMeter {
 public:
  std::int64_t seconds_used(std::string_view, base::Instant) const override { return seconds; }
  void begin(const rules::LiveSession& session, int connection, base::Instant) override {
    begun.push_back(session.id + " " + std::to_string(connection));
  }
  std::int64_t seconds = 0;
  std::vector<std::string> begun;
};

class Events : public rules::EventSink {
 public:
  void send(const rules::Event& event) override { sent.push_back(rules::json_of(event)); }
  std::vector<std::string> sent;
};

class Members : public rules::Members {
 public:
  base::Result<rules::Member> member_of(const rules::Identity&, std::string_view) const override {
    return base::fail(ErrorCode::not_found, "nobody calls by a token");
  }
  std::optional<rules::Role> role_of(const std::string& account_id,
                                     std::string_view workspace_id) const override {
    const auto found = roles.find({account_id, std::string(workspace_id)});
    return found == roles.end() ? std::nullopt : std::optional(found->second);
  }
  std::map<std::pair<std::string, std::string>, rules::Role> roles;
};

class Live : public rules::LiveSessions {
 public:
  base::Result<rules::Place> enter(const rules::PlacesOf& whose, int sessions_max,
                                   std::string_view token_id) override {
    auto& taken = live[key_of(whose)];
    if (taken >= sessions_max) return base::fail(ErrorCode::concurrency_limited, "full");
    auto& of_token = tokens[std::string(token_id)];
    ++taken;
    ++of_token;
    return rules::Place([&taken, &of_token] { --taken, --of_token; });
  }
  std::optional<rules::Place> enter_again(const rules::PlacesOf&,
                                          std::string_view token_id) override {
    auto& of_token = tokens[std::string(token_id)];
    if (of_token == 0) return std::nullopt;
    ++of_token;
    return rules::Place([&of_token] { --of_token; });
  }
  std::size_t count() const override {
    std::size_t all = 0;
    for (const auto& [whose, taken] : live) all += static_cast<std::size_t>(taken);
    return all;
  }
  std::size_t count_of(const rules::PlacesOf& whose) const override {
    const auto found = live.find(key_of(whose));
    return found == live.end() ? 0 : static_cast<std::size_t>(found->second);
  }
  rules::Place announce(rules::LiveSession, End) override { return {}; }
  std::size_t end_where(const IsMeant&, rules::SessionEnd) override { return 0; }
  bool end(std::string_view id, rules::SessionEnd why) override {
    if (are_gone) return false;
    for (const auto& session : known)
      if (session.id == id) {
        ended[session.id] = why;
        return true;
      }
    return false;
  }
  std::optional<rules::LiveSession> find(std::string_view id) const override {
    for (const auto& session : known)
      if (session.id == id) return session;
    return std::nullopt;
  }
  std::vector<rules::LiveSession> list(const IsMeant& is_meant, std::string_view,
                                       std::size_t) const override {
    std::vector<rules::LiveSession> meant;
    std::ranges::copy_if(known, std::back_inserter(meant), is_meant);
    return meant;
  }
  std::vector<rules::LiveSession> known;
  bool are_gone = false;  // each ends between being found and being asked to end
  std::map<std::string, rules::SessionEnd> ended;

 private:
  using Key = std::pair<std::string, rules::Environment>;
  static Key key_of(const rules::PlacesOf& whose) {
    return {std::string(whose.app_id), whose.environment};
  }
  std::map<Key, int> live;
  std::map<std::string, int> tokens;
};

class Revocations : public rules::TokenRevocations {
 public:
  bool is_revoked(const rules::RevocableToken& token) const override {
    return std::ranges::any_of(kept, [&](const auto& one) { return one.covers(token); });
  }
  base::Result<std::size_t> revoke(const rules::TokenRevocation& revocation,
                                   rules::AuditEntry entry) override {
    kept.push_back(revocation);
    entries.push_back(std::move(entry));
    return std::size_t{0};
  }
  std::vector<rules::TokenRevocation> kept;
  std::vector<rules::AuditEntry> entries;
};

class Audit : public rules::AuditLog {
 public:
  base::Result<base::Done> record(rules::AuditEntry entry) override {
    if (is_broken) return base::fail(ErrorCode::unavailable, "disk");
    entries.push_back(std::move(entry));
    return base::Done{};
  }
  void note(rules::AuditEntry entry) override { entries.push_back(std::move(entry)); }
  void note_later(rules::AuditEntry entry, Complete complete) override {
    complete(entry);
    note(std::move(entry));
  }
  bool is_broken = false;
  std::vector<rules::AuditEntry> entries;
};

class Written : public base::Log {
 public:
  bool writes(base::LogLevel) const override { return true; }
  void write(base::LogLevel, std::string_view event,
             std::initializer_list<base::LogField> fields) override {
    events.emplace_back(event);
    for (const auto& field : fields)
      if (const auto* text = std::get_if<std::string_view>(&field.value))
        texts += std::string(*text) + "\n";
  }
  std::deque<std::string> events;
  std::string texts;
};

inline std::vector<crypto::HmacKey> hashing(std::initializer_list<std::string_view> secrets) {
  std::vector<crypto::HmacKey> keys;
  for (const auto secret : secrets) keys.emplace_back(base::Secret(secret));
  return keys;
}

// A world with one app, a key for it, and everything that minting and admitting stand on.
struct World {
  World() {
    const auto created = make_key("app_1", rules::Environment::test);
    key = std::string(created->text.secret().expose());
  }
  base::Result<CreatedApiKey> make_key(std::string app_id, rules::Environment environment) {
    CreateApiKey::Request request{std::move(app_id), environment, {}};
    request.wish.name = "k";
    return create(KeyManager::of_operator(), request);
  }
  rules::Caller caller() { return *authenticate(key, here); }
  MintSessionToken::Request wish() {
    MintSessionToken::Request request{};
    request.expires_at = clock.now() + 10min;
    return request;
  }
  std::string mint(const MintSessionToken::Request& request) {
    return std::string(mint_token(caller(), request)->token.expose());
  }
  AdmitConnection::Admitted show(std::string_view token, std::string app = "app_1",
                                 std::string avatar = "ava_1") {
    std::optional<AdmitConnection::Admitted> outcome;
    admit({.token = base::Secret(token),
           .opens = opens,
           .app_id = std::move(app),
           .avatar_id = std::move(avatar),
           .origin = origin,
           .client_nonce = nonce.empty() ? std::nullopt : std::optional(base::Secret(nonce)),
           .request_id = "req-1",
           .peer = peer,
           .no_room = no_room,
           .dialect = "spatius",
           .action = "GET /socket"},
          [&](AdmitConnection::Admitted answer) { outcome.emplace(std::move(answer)); });
    return *std::move(outcome);
  }
  ErrorCode refusal(std::string_view token, std::string app = "app_1",
                    std::string avatar = "ava_1") {
    const auto grant = show(token, std::move(app), std::move(avatar));
    return grant ? ErrorCode::not_found : grant.error().code;
  }

  Book book;
  Keys keys{book};
  Spent spent;
  Live live;
  Written log;
  base::ManualClock clock{base::from_unix_seconds(1'795'000'000)};
  crypto::SystemRandom random;
  rules::ApiKeyHasher hasher{hashing({"pepper"})};
  std::vector<base::Secret> token_secrets = [] {
    std::vector<base::Secret> list;
    list.emplace_back(std::string(32, 's'));
    return list;
  }();
  rules::TokenKeys token_keys{token_secrets, rules::TokenAlgorithm::hs256};
  AuthenticateApiKey authenticate{{keys, hasher, clock}, {}};
  rules::RateTiers tiers{{"free", {}}};
  CreateApiKey create{{book, keys, hasher, tiers, clock, random}};
  Audit audit;
  for_test::Limiter limiter;
  Minutes minutes;
  for_test::EndUserLimits end_user_limits;
  LimitEndUser limit_end_user{{end_user_limits, limiter, audit, clock}, {}};
  MintSessionToken mint_token{{book, token_keys, limit_end_user, minutes, clock, random}, {}};
  Revocations revocations;
  Events events;
  rules::ClientMarker marker{hashing({"marks"})};
  Members members;
  AdmitConnection admit{{book, keys, token_keys, spent, live, revocations, members, limit_end_user,
                         limiter, minutes, marker, spent, audit, events, clock, random, log},
                        {}};
  RevokeSessionTokens revoke{{book, token_keys, revocations, clock}};
  EndLiveSession end{{live, spent, clock}};
  // Of whoever shows a token.
  AdmitConnection::Opens opens = AdmitConnection::Opens::motion;
  std::optional<std::string> origin;
  std::optional<base::Error> no_room;
  std::string nonce, peer = "192.0.2.7";
  std::string key;
};

}  // namespace stagedoor::actions::credentials
