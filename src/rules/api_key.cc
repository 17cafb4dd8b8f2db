#include "rules/api_key.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "rules/jwt.h"

namespace stagedoor::rules {
namespace {

constexpr std::string_view live_prefix = "av_live_";
constexpr std::string_view test_prefix = "av_test_";

std::array<char, api_key_checksum_length> checksum_of(std::string_view text) {
  auto sum = base::crc32(text);
  std::array<char, api_key_checksum_length> digits;
  for (auto at = digits.rbegin(); at != digits.rend(); ++at, sum /= 62)
    *at = base::base62_digits[sum % 62];
  return digits;
}

// As in the "C" locale, whatever locale the process is in.
constexpr bool is_white_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

// One look per character and no branch: keys are read by the million.
constexpr std::array<bool, 256> base62_table = [] {
  std::array<bool, 256> table{};
  for (const char c : base::base62_digits) table[static_cast<unsigned char>(c)] = true;
  return table;
}();
bool is_all_base62(std::string_view text) {
  bool all = true;
  for (const char c : text) all &= base62_table[static_cast<unsigned char>(c)];
  return all;
}

using base::has_no_control;

std::unexpected<base::Error> not_a_key(std::string hint) {
  return base::fail(base::ErrorCode::unauthenticated, "text is not in the form of an API key",
                    std::move(hint));
}

}  // namespace

base::Result<ReadApiKey> ReadApiKey::of(std::string_view text) {
  if (text.empty()) return not_a_key("The API key is empty.");
  const auto after_prefix = text.substr(std::min(live_prefix.size(), text.size()));
  const bool is_base62 = is_all_base62(after_prefix);
  if (!is_base62 && std::ranges::any_of(text, is_white_space))
    return not_a_key("The API key contains white space; copy it without any.");
  const bool is_live = text.starts_with(live_prefix);
  if (!is_live && !text.starts_with(test_prefix))
    return not_a_key("An API key begins with av_live_ or av_test_.");
  if (text.size() != api_key_length)
    return not_a_key("An API key has 45 characters; this text has " + std::to_string(text.size()) +
                     ".");
  if (!is_base62) return not_a_key("After its prefix an API key has only digits and letters.");
  const auto body = text.substr(0, text.size() - api_key_checksum_length);
  const auto checksum = checksum_of(body);
  if (!crypto::equal({checksum.data(), checksum.size()}, text.substr(body.size()))) {
    return base::fail(base::ErrorCode::mistyped_key, "checksum of an API key fails",
                      "The API key's checksum fails: it was mistyped, cut or made up.");
  }
  return ReadApiKey(is_live ? Environment::live : Environment::test, text);
}

base::Result<ApiKeyText> ApiKeyText::parse(std::string_view text) {
  const auto read = ReadApiKey::of(text);
  if (!read) return base::fail(read.error());
  return ApiKeyText(read->environment(), base::Secret(text));
}

ApiKeyText ApiKeyText::make(Environment environment, base::Random& random) {
  std::string text(environment == Environment::live ? live_prefix : test_prefix);
  text.reserve(api_key_length);
  text += base::random_base62(random, api_key_random_length);
  const auto checksum = checksum_of(text);
  text.append(checksum.data(), checksum.size());
  return ApiKeyText(environment, base::Secret(std::move(text)));
}

std::string ApiKeyText::ends() const {
  const auto text = secret_.expose();
  return std::string(text.substr(0, live_prefix.size() + 4)) + "…" +
         std::string(text.substr(text.size() - 4));
}

ApiKeyHasher::ApiKeyHasher(std::vector<crypto::HmacKey> generations)
    : generations_(std::move(generations)) {}

ApiKeyHash ApiKeyHasher::of_generation(std::size_t index, const ReadApiKey& key) const {
  return generations_[index].mac(key.expose());
}

ApiKeyHash ApiKeyHasher::of_generation(std::size_t index, const ForeignKeyHash& key) const {
  return generations_[index].mac(base::as_text(key.sha256));
}

std::optional<ForeignKeyHash> foreign_hash_of(std::string_view key_text) {
  if (key_text.empty() || key_text.size() > foreign_key_bytes_max) return std::nullopt;
  if (key_text.starts_with(live_prefix) || key_text.starts_with(test_prefix)) return std::nullopt;
  if (std::ranges::any_of(key_text, is_white_space) || has_jwt_form(key_text)) return std::nullopt;
  return ForeignKeyHash{crypto::sha256(key_text)};
}

std::optional<ForeignKeyHash> read_foreign_hash(std::string_view text) {
  ForeignKeyHash hash{};
  if (text.size() == 2 * hash.sha256.size()) {
    std::string lower(text);
    for (auto& c : lower)
      if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
    const auto bytes = base::from_hex(lower);
    if (!bytes) return std::nullopt;
    std::ranges::copy(*bytes, hash.sha256.begin());
    return hash;
  }
  if (text.size() != 43 && text.size() != 44) return std::nullopt;
  if (text.size() == 44 && text.back() != '=') return std::nullopt;
  std::string url(text.substr(0, 43));
  std::ranges::replace(url, '+', '-');
  std::ranges::replace(url, '/', '_');
  const auto bytes = base::from_base64url(url);
  if (!bytes || bytes->size() != hash.sha256.size()) return std::nullopt;
  std::ranges::copy(*bytes, hash.sha256.begin());
  return hash;
}

bool ApiKeyTerms::allows(const base::Address& client) const {
  return networks.empty() || std::ranges::any_of(networks, [&](const base::Network& network) {
           return network.contains(client);
         });
}

base::Result<base::Done> check_key_name(std::string_view name) {
  if (!name.empty() && name.size() <= api_key_name_bytes_max && has_no_control(name))
    return base::Done{};
  return base::fail(base::ErrorCode::malformed, "name of a key",
                    "A key's name has 1 to 100 bytes, without control characters.");
}

base::Result<base::Done> check_key_reason(std::string_view reason) {
  if (reason.size() <= api_key_reason_bytes_max && has_no_control(reason)) return base::Done{};
  return base::fail(base::ErrorCode::malformed, "reason about a key",
                    "A reason has at most 200 bytes, without control characters.");
}

std::string api_key_id_text(std::uint64_t id) {
  std::array<std::uint8_t, 8> bytes;
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<std::uint8_t>(id >> (56 - 8 * i));
  return "key_" + base::hex(bytes);
}

std::optional<std::uint64_t> parse_api_key_id(std::string_view text) {
  if (text.size() != 20 || !text.starts_with("key_")) return std::nullopt;
  const auto bytes = base::from_hex(text.substr(4));
  if (!bytes) return std::nullopt;
  std::uint64_t id = 0;
  for (const auto byte : *bytes) id = id << 8 | byte;
  return id;
}

}  // namespace stagedoor::rules
