#include "actions/import_api_keys.h"

#include <algorithm>
#include <utility>

namespace stagedoor::actions {
namespace {

constexpr std::size_t ends_bytes_max = 32;

std::unexpected<base::Error> malformed(std::string hint) {
  return base::fail(base::ErrorCode::malformed, "import of keys", std::move(hint));
}

// Ends that hold no more than ends: a whole key must not come to be listed.
bool are_ends(std::string_view text) {
  return text.size() <= ends_bytes_max && std::ranges::none_of(text, [](char c) {
           return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
         });
}

}  // namespace

base::Result<rules::NewApiKey> ImportApiKeys::made_of(const KeyManager& manager,
                                                      const ChosenApp& place, const Item& item,
                                                      base::Instant now) const {
  const auto foreign = rules::read_foreign_hash(item.sha256);
  if (!foreign)
    return malformed("sha256 must be the SHA-256 of a key's text: 64 hex digits, or base64.");
  if (!are_ends(item.ends))
    return malformed("ends has at most 32 bytes, without control characters.");
  auto key = key_of_wish(manager, place, item.wish, now, parts_.tiers);
  if (!key) return base::fail(key.error());
  key->id = new_key_id(parts_.random);
  key->ends = item.ends.empty() ? "…" : item.ends;
  key->hash_kind = rules::ApiKeyHashKind::imported;
  auto entry = manager.entry(now, rules::AuditAction::api_key_import,
                             rules::api_key_id_text(key->id), place.app->workspace_id);
  entry.detail = key->ends;
  return rules::NewApiKey{*std::move(key), parts_.hasher.current(*foreign), std::move(entry)};
}

base::Result<std::vector<rules::ApiKey>> ImportApiKeys::operator()(const KeyManager& manager,
                                                                   const Request& request) const {
  if (request.items.empty() || request.items.size() > imported_at_once_max)
    return malformed("keys must hold 1 to 1000 of them.");
  const auto place = manager.choose(parts_.catalog, request.app_id, request.environment);
  if (!place) return base::fail(place.error());
  const auto now = parts_.clock.now();
  std::vector<rules::NewApiKey> made;
  for (const auto& item : request.items) {
    auto one = made_of(manager, *place, item, now);
    if (!one) {
      auto error = one.error();
      error.hint = "Key number " + std::to_string(made.size() + 1) + ": " + error.hint;
      return base::fail(std::move(error));
    }
    made.push_back(*std::move(one));
  }
  std::vector<rules::ApiKey> keys;
  for (const auto& one : made) keys.push_back(one.key);
  if (auto saved = parts_.records.create(manager.maker(), std::move(made)); !saved)
    return base::fail(saved.error());
  return keys;
}

}  // namespace stagedoor::actions
