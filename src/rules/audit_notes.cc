#include "rules/audit_notes.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace stagedoor::rules {
namespace {

// In the order of Kind: of whoever has no party of their own.
constexpr std::array<std::string_view, 4> shared_names = {"strangers", "callers", "alarms",
                                                          "others"};
// Beyond what may wait, for the entries that tell what was folded.
constexpr std::size_t telling_max = 64;

}  // namespace

AuditNotes::Kind AuditNotes::kind_of(const AuditEntry& entry) {
  if (entry.outcome == AuditOutcome::done) return Kind::others;
  if (is_alarm(entry.action)) return Kind::alarm;
  return entry.actor.empty() ? Kind::strangers : Kind::caller;
}

std::size_t AuditNotes::kept_max(Kind kind) const {
  switch (kind) {
    case Kind::strangers:
      return options_.strangers_max;
    case Kind::caller:
      return options_.caller_max;
    case Kind::alarm:
      return options_.alarm_max;
    case Kind::others:
      return options_.waiting_max;
  }
  std::unreachable();
}

AuditNotes::Party& AuditNotes::party_of(const AuditEntry& entry) {
  const auto kind = kind_of(entry);
  std::string key(1, static_cast<char>('0' + static_cast<int>(kind)));
  if (kind == Kind::caller || kind == Kind::alarm) {
    const auto& name = kind == Kind::alarm ? entry.subject : entry.actor;
    auto own_key = key + entry.workspace_id + '\0' + name;
    if (const auto known = parties_.find(own_key); known != parties_.end()) return known->second;
    if (parties_.size() < options_.parties_max) {
      Party own{.kind = kind, .workspace_id = entry.workspace_id, .name = name};
      return parties_.emplace(std::move(own_key), std::move(own)).first->second;
    }
  }
  // Shared by all of its kind, and so of no workspace.
  Party shared{.kind = kind, .name = std::string(shared_names[static_cast<std::size_t>(kind)])};
  return parties_.try_emplace(std::move(key), std::move(shared)).first->second;
}

void AuditNotes::add(AuditEntry entry) {
  // What was folded is told before its window is forgotten.
  if (entry.at - began_ >= options_.window) {
    end_window(entry.at);
    began_ = entry.at;
  }
  auto& party = party_of(entry);
  if (party.kept < kept_max(party.kind) && held() < options_.waiting_max) {
    ++party.kept;
    waiting_.push_back(std::move(entry));
    return;
  }
  if (party.folded++ == 0) party.first_folded = entry.at;
  party.last_folded = std::max(party.first_folded, entry.at);
}

bool AuditNotes::tell_folded(Party& party, base::Instant now) {
  if (party.folded == 0) return true;
  // Where nothing can be kept for long, the count goes on.
  if (held() >= options_.waiting_max + telling_max) return false;
  AuditEntry entry;
  entry.at = now;
  entry.workspace_id = party.workspace_id;
  entry.actor = "system";
  entry.action = name_of(AuditAction::audit_fold);
  entry.subject = party.name;
  entry.outcome = party.kind == Kind::others ? AuditOutcome::done : AuditOutcome::refused;
  entry.detail = "{\"count\":" + std::to_string(party.folded) +
                 ",\"first_at\":" + std::to_string(base::unix_seconds(party.first_folded)) +
                 ",\"last_at\":" + std::to_string(base::unix_seconds(party.last_folded)) + "}";
  waiting_.push_back(std::move(entry));
  party.folded = 0;
  return true;
}

void AuditNotes::end_window(base::Instant now) {
  for (auto known = parties_.begin(); known != parties_.end();) {
    known->second.kept = 0;
    known = tell_folded(known->second, now) ? parties_.erase(known) : std::next(known);
  }
}

std::vector<AuditEntry> AuditNotes::take(base::Instant now, Until until) {
  if (now - began_ >= options_.window) {
    end_window(now);
    began_ = now;
  } else if (until == Until::everything) {
    for (auto& [key, party] : parties_) tell_folded(party, now);
  }
  taken_ += waiting_.size();
  return std::exchange(waiting_, {});
}

void AuditNotes::give_back(std::vector<AuditEntry> entries) {
  taken_ -= entries.size();
  std::ranges::move(waiting_, std::back_inserter(entries));
  waiting_ = std::move(entries);
}

}  // namespace stagedoor::rules
