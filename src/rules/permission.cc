#include "rules/permission.h"

#include <array>
#include <limits>

#include "base/text.h"

namespace stagedoor::rules {
namespace {

struct Named {
  Permission permission;
  std::string_view name;
  bool reads_only;
  bool for_api_keys;
  bool only_by_name = false;  // "*" does not mean it
};

constexpr std::array<Named, permission_count> all = {{
    {Permission::tokens_mint, "tokens:mint", false, true},
    {Permission::tokens_revoke, "tokens:revoke", false, true},
    {Permission::sessions_read, "sessions:read", true, true},
    {Permission::sessions_end, "sessions:end", false, true},
    {Permission::conversations_read, "conversations:read", true, true},
    {Permission::conversations_write, "conversations:write", false, true},
    {Permission::tts_speak, "tts:speak", false, true},
    {Permission::personas_read, "personas:read", true, true},
    {Permission::personas_write, "personas:write", false, true},
    {Permission::keys_read, "keys:read", true, true},
    {Permission::keys_write, "keys:write", false, true},
    {Permission::keys_verify, "keys:verify", true, true},
    {Permission::apps_read, "apps:read", true, true},
    {Permission::apps_write, "apps:write", false, true, true},
    {Permission::rooms_mint, "rooms:mint", false, true, true},
    {Permission::usage_read, "usage:read", true, true},
    {Permission::audit_read, "audit:read", true, true},
    {Permission::members_read, "members:read", true, false},
    {Permission::members_write, "members:write", false, false},
    {Permission::workspace_write, "workspace:write", false, false},
}};

std::string_view area_of(std::string_view name) {
  return name.substr(0, name.find(':') + 1);
}

// The permissions that one scope names; empty: it names none.
Permissions named_by(std::string_view scope) {
  const bool is_area = scope.ends_with(":*");
  Permissions set;
  for (const auto& each : all) {
    if (!each.for_api_keys) continue;
    if ((scope == "*" && !each.only_by_name) || (scope == "read-only" && each.reads_only) ||
        scope == each.name || (is_area && area_of(each.name) == scope.substr(0, scope.size() - 1)))
      set.add(each.permission);
  }
  return set;
}

std::string_view nearest_to(std::string_view scope) {
  std::string_view nearest;
  auto least = std::numeric_limits<std::size_t>::max();
  for (const auto& each : all) {
    if (!each.for_api_keys) continue;
    const auto distance = base::edit_distance(scope.substr(0, 64), each.name);
    if (distance < least) {
      least = distance;
      nearest = each.name;
    }
  }
  return nearest;
}

}  // namespace

std::string_view name_of(Permission permission) {
  return all[static_cast<std::size_t>(permission)].name;
}

Permissions Permissions::of_api_keys() {
  Permissions set;
  for (const auto& each : all)
    if (each.for_api_keys) set.add(each.permission);
  return set;
}

Permissions Permissions::usual_of_api_keys() {
  return named_by("*");
}

base::Result<Permissions> read_scopes(const std::vector<std::string>& scopes) {
  Permissions set;
  for (const auto& scope : scopes) {
    const auto named = named_by(scope);
    if (named.is_empty()) {
      return base::fail(base::ErrorCode::malformed, "unknown scope",
                        "There is no scope " + scope.substr(0, 64) + "; did you mean " +
                            std::string(nearest_to(scope)) + "?");
    }
    set = Permissions::of_bits(set.bits() | named.bits());
  }
  return set;
}

Scopes scopes_of(Permissions permissions) {
  Scopes scopes;
  for (const auto& each : all)
    if (permissions.has(each.permission)) scopes.emplace_back(each.name);
  return scopes;
}

}  // namespace stagedoor::rules
