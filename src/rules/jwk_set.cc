#include "rules/jwk_set.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "rules/jwt.h"

namespace stagedoor::rules {
namespace {

using base::Json;
using crypto::KeyKind;
using crypto::PublicKey;

std::unexpected<base::Error> no_set(std::string detail) {
  return base::fail(base::ErrorCode::malformed, "JWK set: " + std::move(detail));
}

std::string_view text_of(Json object, std::string_view name) {
  const auto member = object.member(name);
  return member ? member->text().value_or("") : "";
}

// RFC 7518 6: numbers and coordinates are base64url. Empty: not there, or not in that form.
std::string bytes_of(Json object, std::string_view name) {
  return base::from_base64url(text_of(object, name)).value_or("");
}

// RFC 7517 4.2 and 4.3: what the key says that it is for.
bool is_for_verifying(Json object) {
  if (object.member("use") && text_of(object, "use") != "sig") return false;
  const auto operations = object.member("key_ops");
  if (!operations) return true;
  simdjson::dom::array names;
  if (operations->element().get(names) != simdjson::SUCCESS) return false;
  for (const auto name : names)
    if (Json(name).text() == "verify") return true;
  return false;
}

base::Result<PublicKey> key_of(Json object) {
  const auto type = text_of(object, "kty");
  const auto curve = text_of(object, "crv");
  if (type == "RSA") return PublicKey::rsa(bytes_of(object, "n"), bytes_of(object, "e"));
  if (type == "EC" && curve == "P-256")
    return PublicKey::p256(bytes_of(object, "x"), bytes_of(object, "y"));
  if (type == "EC" && curve == "P-384")
    return PublicKey::p384(bytes_of(object, "x"), bytes_of(object, "y"));
  if (type == "OKP" && curve == "Ed25519") return PublicKey::ed25519(bytes_of(object, "x"));
  return no_set("a key of a kind that is not used here");
}

crypto::Digest material_of(Json object) {
  std::string all;
  for (const auto* name : {"kty", "crv", "n", "e", "x", "y"}) {
    all += text_of(object, name);
    all += '\0';
  }
  return crypto::sha256(all);
}

// nullopt: rule jwks-unusable-ignored.
std::optional<Jwk> usable(Json object) {
  // "d" is the private part of every kind (RFC 7518 6.2.2, 6.3.2, RFC 8037 2).
  if (!object.is_object() || object.member("d") || !is_for_verifying(object)) return std::nullopt;
  const auto key_id = object.member("kid");
  if (key_id && (!key_id->text() || key_id->text()->size() > jwt_key_id_bytes_max))
    return std::nullopt;
  std::optional<crypto::SignatureAlgorithm> algorithm;
  if (object.member("alg")) {
    algorithm = crypto::parse_signature_algorithm(text_of(object, "alg"));
    if (!algorithm) return std::nullopt;
  }
  auto key = key_of(object);
  if (!key || (algorithm && crypto::kind_for(*algorithm) != key->kind())) return std::nullopt;
  return Jwk{.key_id = std::string(text_of(object, "kid")),
             .algorithm = algorithm,
             .material = material_of(object),
             .key = *std::move(key)};
}

bool are_alike(const Jwk& a, const Jwk& b) {
  return a.key_id == b.key_id && a.key.kind() == b.key.kind();
}

// Rule jwks-ambiguous-ignored. The same key twice is one key.
bool is_kept(const std::vector<Jwk>& keys, std::size_t i) {
  if (keys[i].key_id.empty()) return true;
  for (std::size_t j = 0; j < keys.size(); ++j) {
    if (i == j || !are_alike(keys[i], keys[j])) continue;
    const bool is_same =
        keys[i].material == keys[j].material && keys[i].algorithm == keys[j].algorithm;
    if (!is_same || j < i) return false;
  }
  return true;
}

crypto::Digest fingerprint_of(const std::vector<Jwk>& keys) {
  std::vector<std::string> each;
  for (const auto& key : keys) {
    std::string one(base::as_text(key.material));
    one += key.algorithm ? crypto::name_of(*key.algorithm) : "";
    one += '\0';
    one += key.key_id;
    each.emplace_back(base::as_text(crypto::sha256(one)));
  }
  std::ranges::sort(each);
  std::string all;
  for (const auto& one : each) all += one;
  return crypto::sha256(all);
}

}  // namespace

base::Result<JwkSet> JwkSet::parse(std::string_view json) {
  if (json.size() > jwk_set_bytes_max) return no_set("longer than 256 KiB");
  base::JsonReader reader;
  const auto root = reader.read(json);
  if (!root) return no_set(root.error().hint);
  const auto list = root->member("keys");
  simdjson::dom::array items;
  if (!list || list->element().get(items) != simdjson::SUCCESS) return no_set("no list of keys");
  if (items.size() > jwk_set_keys_max) return no_set("more than 64 keys");
  std::vector<Jwk> keys;
  for (const auto item : items)
    if (auto key = usable(Json(item))) keys.push_back(*std::move(key));
  std::vector<bool> kept;
  for (std::size_t i = 0; i < keys.size(); ++i) kept.push_back(is_kept(keys, i));
  JwkSet set;
  for (std::size_t i = 0; i < keys.size(); ++i)
    if (kept[i]) set.keys_.push_back(std::move(keys[i]));
  if (set.keys_.empty()) return no_set("no key that can be used here");
  set.fingerprint_ = fingerprint_of(set.keys_);
  return set;
}

const PublicKey* JwkSet::find(const std::optional<std::string>& key_id,
                              crypto::SignatureAlgorithm algorithm) const {
  const PublicKey* found = nullptr;
  for (const auto& key : keys_) {
    if (key_id && key.key_id != *key_id) continue;
    if (key.key.kind() != crypto::kind_for(algorithm)) continue;
    if (key.algorithm && *key.algorithm != algorithm) continue;
    if (found != nullptr) return nullptr;
    found = &key.key;
  }
  return found;
}

}  // namespace stagedoor::rules
