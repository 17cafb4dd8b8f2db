#include "engines/circuit_breakers.h"

#include <algorithm>

namespace stagedoor::engines {
namespace {

// A URL has no NUL; behind it stands what tells keys apart and gives none away.
std::string endpoint_of(std::string_view url, std::string_view key) {
  std::string endpoint(url);
  endpoint += '\0';
  endpoint += std::to_string(std::hash<std::string_view>()(key));
  return endpoint;
}

// Without a user and password that may stand before it.
std::string_view host_in(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme != url.npos) url.remove_prefix(scheme + 3);
  url = url.substr(0, std::min(url.find_first_of("/?#"), url.find('\0')));
  const auto user = url.rfind('@');
  return user == url.npos ? url : url.substr(user + 1);
}

}  // namespace

CircuitBreakers::Pass::~Pass() {
  if (breakers_ != nullptr && is_trial_) breakers_->give_back(endpoint_);
}
void CircuitBreakers::Pass::succeeded() {
  if (auto* breakers = std::exchange(breakers_, nullptr)) breakers->succeed(endpoint_);
}
void CircuitBreakers::Pass::failed() {
  if (auto* breakers = std::exchange(breakers_, nullptr)) breakers->fail(endpoint_, is_trial_);
}

std::optional<CircuitBreakers::Pass> CircuitBreakers::enter(std::string_view url,
                                                            std::string_view key) {
  auto endpoint = endpoint_of(url, key);
  const auto now = clock_.now();
  const std::lock_guard lock(mutex_);
  const auto found = circuits_.find(endpoint);
  if (found == circuits_.end() || !found->second.is_open)
    return Pass(this, std::move(endpoint), false);
  if (is_closed_to(found->second, now)) {
    ++counts_.passed_over;
    return std::nullopt;
  }
  found->second.is_being_tried = true;
  return Pass(this, std::move(endpoint), true);
}

// A clock that was set back does not close it for longer.
bool CircuitBreakers::is_closed_to(Circuit& circuit, base::Instant now) const {
  circuit.failed_at = std::min(circuit.failed_at, now);
  return circuit.is_being_tried || now - circuit.failed_at < options_.open_for;
}

void CircuitBreakers::succeed(const std::string& endpoint) {
  bool was_open = false;
  {
    const std::lock_guard lock(mutex_);
    const auto found = circuits_.find(endpoint);
    if (found == circuits_.end()) return;
    was_open = found->second.is_open;
    circuits_.erase(found);
  }
  if (was_open) tell(Change::closed, endpoint);
}

void CircuitBreakers::fail(const std::string& endpoint, bool is_trial) {
  {
    const std::lock_guard lock(mutex_);
    if (!circuits_.contains(endpoint)) make_room();
    auto& circuit = circuits_[endpoint];
    if (circuit.is_open) {
      // One that was asked before it was passed over says nothing new.
      if (!is_trial) return;
      circuit.is_being_tried = false;
      circuit.failed_at = clock_.now();
      return;
    }
    circuit.failed_at = clock_.now();
    circuit.is_open = ++circuit.failures >= options_.failures_max;
    if (!circuit.is_open) return;
    ++counts_.opened;
  }
  tell(Change::opened, endpoint);
}

void CircuitBreakers::give_back(const std::string& endpoint) {
  const std::lock_guard lock(mutex_);
  const auto found = circuits_.find(endpoint);
  if (found != circuits_.end()) found->second.is_being_tried = false;
}

void CircuitBreakers::make_room() {
  if (circuits_.size() < options_.endpoints_max) return;
  circuits_.erase(std::ranges::min_element(
      circuits_, {}, [](const auto& circuit) { return circuit.second.failed_at; }));
}

void CircuitBreakers::tell(Change change, const std::string& endpoint) const {
  if (told_) told_(change, host_in(endpoint));
}

CircuitBreakers::Counts CircuitBreakers::counts() const {
  const std::lock_guard lock(mutex_);
  auto counts = counts_;
  counts.watched = circuits_.size();
  return counts;
}

}  // namespace stagedoor::engines
