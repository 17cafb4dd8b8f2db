#include "server/issuer_settings.h"

#include <fmt/format.h>

#include <algorithm>

namespace stagedoor::server {
namespace {

using rules::IssuerPolicy;

constexpr std::size_t issuers_max = 32;

std::unexpected<base::Error> wrong(const IssuerSettings& settings, std::string_view what) {
  const auto& name = settings.issuer.empty() ? settings.project : settings.issuer;
  return base::fail(base::ErrorCode::malformed, "issuer settings",
                    fmt::format("people.issuers \"{}\": {}", name, what));
}

base::Result<IssuerPolicy> preset_of(const IssuerSettings& settings) {
  if (settings.preset != "firebase") return wrong(settings, "preset must be firebase or absent");
  if (!settings.issuer.empty() || !settings.audiences.empty() || !settings.algorithms.empty() ||
      settings.access_tokens)
    return wrong(settings, "with preset firebase only project and jwks_url may be said");
  auto policy = rules::firebase_policy(settings.project);
  if (!policy) return wrong(settings, policy.error().hint);
  return policy;
}

base::Result<IssuerPolicy> said_in_full(const IssuerSettings& settings) {
  if (!settings.project.empty()) return wrong(settings, "project needs preset = \"firebase\"");
  IssuerPolicy policy;
  policy.issuer = settings.issuer;
  policy.audiences = settings.audiences;
  policy.takes_access_tokens = settings.access_tokens;
  if (settings.algorithms.empty()) return policy;
  policy.algorithms.clear();
  for (const auto& name : settings.algorithms) {
    const auto algorithm = crypto::parse_signature_algorithm(name);
    if (!algorithm)
      return wrong(settings,
                   fmt::format("algorithms may hold RS256, RS384, RS512, PS256, ES256, ES384 and "
                               "EdDSA, and not {}",
                               name));
    policy.algorithms.push_back(*algorithm);
  }
  return policy;
}

}  // namespace

base::Result<std::vector<IssuerPolicy>> policies_of(const std::vector<IssuerSettings>& issuers,
                                                    bool allows_private_issuers) {
  std::vector<IssuerPolicy> policies;
  if (issuers.size() > issuers_max) return wrong(issuers.back(), "there may be at most 32 issuers");
  for (const auto& settings : issuers) {
    auto policy = settings.preset.empty() ? said_in_full(settings) : preset_of(settings);
    if (!policy) return base::fail(policy.error());
    if (!settings.jwks_url.empty()) policy->jwks_url = settings.jwks_url;
    if (auto fit = rules::check_policy(*policy); !fit) return wrong(settings, fit.error().hint);
    const auto& asked = policy->jwks_url.empty() ? policy->issuer : policy->jwks_url;
    const bool is_plain = asked.starts_with("http://");
    if (!asked.starts_with("https://") && !(is_plain && allows_private_issuers))
      return wrong(settings, policy->jwks_url.empty()
                                 ? "issuer must be an https URL, or jwks_url must be said"
                                 : "jwks_url must be an https URL");
    if (std::ranges::find(policies, policy->issuer, &IssuerPolicy::issuer) != policies.end())
      return wrong(settings, "this issuer is named twice");
    policies.push_back(*std::move(policy));
  }
  return policies;
}

}  // namespace stagedoor::server
