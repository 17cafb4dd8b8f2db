#include "store/api_key_row.h"

#include "store/list_number.h"

namespace stagedoor::store {
namespace {

constexpr std::int64_t all_scopes = -1;  // the usual ones

std::string networks_text(const std::vector<base::Network>& networks) {
  std::string text;
  for (const auto& network : networks) {
    if (!text.empty()) text += ' ';
    text += base::text_of(network);
  }
  return text;
}

std::optional<base::Instant> instant_or_none(const SqliteStatement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return instant_of(row.integer(column));
}

void bind_instant(SqliteStatement& statement, int at, std::optional<base::Instant> instant) {
  if (instant) {
    statement.bind(at, base::unix_millis(*instant));
  } else {
    statement.bind_null(at);
  }
}

}  // namespace

std::optional<rules::ApiKeyTerms> read_terms(std::int64_t scopes, std::string_view networks,
                                             std::string_view tier, std::string_view own_limit) {
  rules::ApiKeyTerms terms;
  if (scopes != all_scopes) {
    terms.scopes = rules::Permissions::of_bits(static_cast<std::uint32_t>(scopes))
                       .both(rules::Permissions::of_api_keys());
  }
  while (!networks.empty()) {
    const auto space = networks.find(' ');
    const auto network = base::parse_network(networks.substr(0, space));
    if (!network) return std::nullopt;
    terms.networks.push_back(*network);
    networks = space == networks.npos ? std::string_view() : networks.substr(space + 1);
  }
  terms.tier = tier;
  if (!own_limit.empty()) {
    const auto limit = rules::read_rate_limit(own_limit);
    if (!limit) return std::nullopt;
    terms.own_limit = *limit;
  }
  return terms;
}

rules::ApiKey api_key_of(const SqliteStatement& row) {
  rules::ApiKey key;
  key.id = static_cast<std::uint64_t>(row.integer(0));
  key.app_id = row.text(1);
  key.environment = static_cast<rules::Environment>(row.integer(2));
  key.name = row.text(3);
  key.ends = row.text(4);
  key.created_at = instant_of(row.integer(5));
  key.revoked_at = instant_or_none(row, 6);
  key.revoked_reason = row.text(7);
  auto terms = read_terms(row.integer(8), row.text(9), row.text(10), row.text(11));
  if (terms) {
    key.terms = *std::move(terms);
  } else {
    key.terms.scopes = {};
  }
  key.expires_at = instant_or_none(row, 12);
  key.created_by = row.text(13);
  key.frozen_at = instant_or_none(row, 14);
  key.frozen_reason = row.text(15);
  if (!row.is_null(16)) key.replaced_by = static_cast<std::uint64_t>(row.integer(16));
  key.hash_kind = static_cast<rules::ApiKeyHashKind>(row.integer(17));
  return key;
}

base::Result<base::Done> insert_api_key(SqliteDatabase& database, const rules::ApiKey& key,
                                        const rules::ApiKeyHash& hash) {
  auto insert = database.prepare(
      "INSERT INTO api_keys (id, app_id, environment, hash, name, ends, created_at, scopes, "
      "expires_at, networks, tier, own_limit, created_by, hash_kind, change, number) VALUES (?1, "
      "?2, "
      "?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, "
      "(SELECT ifnull(max(change), 0) + 1 FROM api_keys), " +
      next_number("api_keys", "app_id = ?2 AND environment = ?3") + ")");
  if (!insert) return base::fail(insert.error());
  const auto& terms = key.terms;
  insert->bind(1, static_cast<std::int64_t>(key.id)).bind(2, key.app_id);
  insert->bind(3, static_cast<std::int64_t>(key.environment)).bind_blob(4, hash);
  insert->bind(5, key.name).bind(6, key.ends).bind(7, base::unix_millis(key.created_at));
  const bool has_all = terms.scopes == rules::Permissions::usual_of_api_keys();
  insert->bind(8, has_all ? all_scopes : static_cast<std::int64_t>(terms.scopes.bits()));
  bind_instant(*insert, 9, key.expires_at);
  insert->bind(10, networks_text(terms.networks)).bind(11, terms.tier);
  insert->bind(12, terms.own_limit ? rules::text_of(*terms.own_limit) : std::string());
  insert->bind(13, key.created_by).bind(14, static_cast<std::int64_t>(key.hash_kind));
  if (!insert->run()) return database.trouble("create API key");
  return base::Done{};
}

}  // namespace stagedoor::store
