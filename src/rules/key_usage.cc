#include "rules/key_usage.h"

#include <algorithm>

namespace stagedoor::rules {

void KeyCounts::add(const base::Address& client, CallOutcome outcome, base::Instant now) {
  ++calls;
  last_at = std::max(last_at, now);
  last_client = client;
  auto& hour = hour_of(std::chrono::floor<std::chrono::hours>(now).time_since_epoch().count());
  ++hour.calls;
  if (outcome == CallOutcome::refused) ++hour.refusals;
  auto& network = network_of(base::party_of(client), now);
  ++network.calls;
  network.last_at = std::max(network.last_at, now);
}

void KeyCounts::add(const KeyCounts& others) {
  calls += others.calls;
  if (others.last_at >= last_at) last_client = others.last_client;
  last_at = std::max(last_at, others.last_at);
  for (const auto& other : others.hours) {
    auto& hour = hour_of(other.hour);
    hour.calls += other.calls;
    hour.refusals += other.refusals;
  }
  for (const auto& other : others.networks) {
    auto& network = network_of(other.party, other.first_at);
    network.calls += other.calls;
    network.first_at = std::min(network.first_at, other.first_at);
    network.last_at = std::max(network.last_at, other.last_at);
  }
}

KeyCounts::Hour& KeyCounts::hour_of(std::int64_t hour) {
  if (!hours.empty() && hours.back().hour == hour) return hours.back();
  const auto found = std::ranges::find(hours, hour, &Hour::hour);
  if (found != hours.end()) return *found;
  return hours.emplace_back(Hour{.hour = hour});
}

KeyCounts::Network& KeyCounts::network_of(const base::Address& party, base::Instant first_at) {
  if (last_network_ < networks.size() && networks[last_network_].party == party)
    return networks[last_network_];
  auto found = std::ranges::find(networks, party, &Network::party);
  // The one of all others is there from the moment that it is needed.
  if (found == networks.end() && networks.size() >= networks_per_key_max &&
      party != base::Address{})
    return network_of({}, first_at);
  if (found == networks.end()) {
    networks.push_back({.party = party, .first_at = first_at, .last_at = first_at});
    found = networks.end() - 1;
  }
  last_network_ = static_cast<std::size_t>(found - networks.begin());
  return *found;
}

}  // namespace stagedoor::rules
