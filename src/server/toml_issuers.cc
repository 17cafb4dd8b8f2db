#include "server/toml_issuers.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "base/text.h"

namespace stagedoor::server {
namespace {

using Where = std::variant<std::string IssuerSettings::*,
                           std::vector<std::string> IssuerSettings::*, bool IssuerSettings::*>;
struct Member {
  std::string_view name;
  Where where;
};
const Member members[] = {{"preset", &IssuerSettings::preset},
                          {"project", &IssuerSettings::project},
                          {"issuer", &IssuerSettings::issuer},
                          {"audiences", &IssuerSettings::audiences},
                          {"algorithms", &IssuerSettings::algorithms},
                          {"jwks_url", &IssuerSettings::jwks_url},
                          {"access_tokens", &IssuerSettings::access_tokens}};

std::string_view nearest_member(std::string_view name) {
  return std::ranges::min_element(members, {},
                                  [&](const Member& member) {
                                    return base::edit_distance(name.substr(0, 100), member.name);
                                  })
      ->name;
}

// Each takes the value, or says what it must be.
const char* take(std::string& to, const toml::node& node) {
  const auto value = node.value_exact<std::string>();
  if (!value) return "must be a text in quotes";
  to = *value;
  return nullptr;
}
const char* take(bool& to, const toml::node& node) {
  const auto value = node.value_exact<bool>();
  if (!value) return "must be true or false";
  to = *value;
  return nullptr;
}
const char* take(std::vector<std::string>& to, const toml::node& node) {
  const auto* array = node.as_array();
  if (array == nullptr) return "must be a list of texts";
  for (const auto& item : *array) {
    const auto value = item.value_exact<std::string>();
    if (!value) return "must be a list of texts";
    to.push_back(*value);
  }
  return nullptr;
}

std::string show(const std::string& value) {
  return value.empty() ? "" : toml_string(value);
}
std::string show(bool value) {
  return value ? "true" : "";
}
std::string show(const std::vector<std::string>& values) {
  std::string list;
  for (const auto& value : values) list += (list.empty() ? "" : ", ") + toml_string(value);
  return list.empty() ? "" : "[" + list + "]";
}

std::optional<std::string> read_issuer(const toml::table& table, IssuerSettings& issuer) {
  for (const auto& [key, value] : table) {
    const std::string_view name = key.str();
    const auto found = std::ranges::find(members, name, &Member::name);
    if (found == std::end(members))
      return fmt::format("has an unknown member {}; did you mean {}?", name, nearest_member(name));
    const char* wrong = std::visit(
        [&, &node = value](auto where) { return take(issuer.*where, node); }, found->where);
    if (wrong != nullptr) return fmt::format("has a member {} that {}", name, wrong);
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> read_issuers(const toml::node& node,
                                        std::vector<IssuerSettings>& issuers) {
  const auto* array = node.as_array();
  if (array == nullptr) return "must be a list of tables, each a [[people.issuers]]";
  for (const auto& item : *array) {
    const auto* table = item.as_table();
    if (table == nullptr) return "must be a list of tables, each a [[people.issuers]]";
    if (auto wrong = read_issuer(*table, issuers.emplace_back())) return wrong;
  }
  return std::nullopt;
}

std::string show_issuers(const std::vector<IssuerSettings>& issuers) {
  std::string all;
  for (const auto& issuer : issuers) {
    std::string one;
    for (const auto& member : members) {
      const auto value = std::visit([&](auto where) { return show(issuer.*where); }, member.where);
      if (value.empty()) continue;
      one += fmt::format("{}{} = {}", one.empty() ? "" : ", ", member.name, value);
    }
    all += (all.empty() ? "{" : ", {") + one + "}";
  }
  return "[" + all + "]";
}

}  // namespace stagedoor::server
