#include "rules/leak_report.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "base/text.h"

namespace stagedoor::rules {
namespace {

using base::ErrorCode;

constexpr std::size_t keys_max = 64;
constexpr std::size_t text_bytes_max = 2048;

std::unexpected<base::Error> malformed(std::string hint) {
  return base::fail(ErrorCode::malformed, "leak report", std::move(hint));
}

std::string text_of(const base::Json& object, std::string_view name) {
  const auto member = object.member(name);
  const auto text = member ? member->text() : std::nullopt;
  return std::string(text.value_or("").substr(0, text_bytes_max));
}

// Standard base64 with its padding.
std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0 || text.find_first_of("-_") != text.npos) return std::nullopt;
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  std::string url(text);
  std::ranges::replace(url, '+', '-');
  std::ranges::replace(url, '/', '_');
  return base::from_base64url(url);
}

}  // namespace

base::Result<std::vector<LeakReport>> read_leak_reports(std::string_view json) {
  base::JsonReader reader;
  const auto root = reader.read(json);
  if (!root) return base::fail(root.error());
  simdjson::dom::array items;
  if (root->element().get(items) != simdjson::SUCCESS)
    return malformed("The body must be a JSON array of matches.");
  if (items.size() > leak_reports_max) return malformed("Send at most 1000 matches at once.");
  std::vector<LeakReport> reports;
  for (const auto element : items) {
    const base::Json item(element);
    const auto token = item.member("token");
    const auto text = token ? token->text() : std::nullopt;
    if (!text) return malformed("Each match is an object with a token.");
    auto& report = reports.emplace_back();
    report.token = base::Secret(*text);
    report.type = text_of(item, "type");
    report.url = text_of(item, "url");
    report.source = text_of(item, "source");
  }
  return reports;
}

base::Result<LeakReporterKeys> LeakReporterKeys::read(std::string_view json) {
  base::JsonReader reader;
  const auto root = reader.read(json);
  if (!root) return base::fail(root.error());
  const auto list = root->member("public_keys");
  simdjson::dom::array items;
  if (!list || list->element().get(items) != simdjson::SUCCESS || items.size() == 0 ||
      items.size() > keys_max)
    return malformed("public_keys must be a list of 1 to 64 keys.");
  LeakReporterKeys keys;
  for (const auto element : items) {
    const base::Json item(element);
    auto identifier = text_of(item, "key_identifier");
    auto key = crypto::PublicKey::from_spki_pem(text_of(item, "key"));
    if (identifier.empty() || !key || key->kind() != crypto::KeyKind::p256)
      return malformed("Each of public_keys has a key_identifier and a key: PEM, of P-256.");
    keys.keys_.insert_or_assign(std::move(identifier), *std::move(key));
  }
  return keys;
}

base::Result<base::Done> LeakReporterKeys::check(std::string_view identifier,
                                                 std::string_view signature_base64,
                                                 std::string_view body) const {
  const auto found = keys_.find(identifier);
  const auto signature = from_base64(signature_base64.substr(0, 256));
  if (found != keys_.end() && signature && found->second.verifies_der(body, *signature))
    return base::Done{};
  return base::fail(ErrorCode::unauthenticated, "leak report without a good signature",
                    "The report is not signed by a key that is known here.");
}

}  // namespace stagedoor::rules
