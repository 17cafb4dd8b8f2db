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

AuditNotes::Party& AuditNotes::party_of(const AuditEntry& entry, Kind kind, Share& share) {
  std::string key(1, static_cast<char>('0' + static_cast<int>(kind)));
  const std::string shared_name(shared_names[static_cast<std::size_t>(kind)]);
  if (kind == Kind::caller || kind == Kind::alarm) {
    const auto& name = kind == Kind::alarm ? entry.subject : entry.actor;
    const auto of_workspace = key + entry.workspace_id;
    auto own_key = of_workspace + '\0' + name;
    if (const auto known = parties_.find(own_key); known != parties_.end()) return known->second;
    const bool has_room = parties_.size() < options_.parties_max;
    if (has_room && share.parties < options_.parties_of_workspace_max) {
      ++share.parties;
      Party own{.kind = kind, .workspace_id = entry.workspace_id, .name = name};
      return parties_.emplace(std::move(own_key), std::move(own)).first->second;
    }
    // Whoever is left over in this workspace. No other key is as short as this one.
    if (const auto left = parties_.find(of_workspace); left != parties_.end()) return left->second;
    if (has_room && !entry.workspace_id.empty()) {
      Party left{.kind = kind, .workspace_id = entry.workspace_id, .name = shared_name};
      return parties_.emplace(of_workspace, std::move(left)).first->second;
    }
  }
  // Shared by all of its kind, and so of no workspace.
  return parties_.try_emplace(std::move(key), Party{.kind = kind, .name = shared_name})
      .first->second;
}

void AuditNotes::add(AuditEntry entry) {
  // What was folded is told before its window is forgotten.
  if (entry.at - began_ >= options_.window) {
    end_window(entry.at);
    began_ = entry.at;
  }
  const auto kind = kind_of(entry);
  // The strangers are one party, in no workspace.
  const bool is_of_strangers = kind == Kind::strangers;
  Share none;
  auto& share = is_of_strangers || shares_.size() >= options_.parties_max
                    ? none
                    : shares_[std::to_string(static_cast<int>(kind)) + entry.workspace_id];
  auto& party = party_of(entry, kind, share);
  const bool has_room = share.kept < options_.workspace_max && held() < options_.waiting_max;
  if (party.kept < kept_max(kind) && has_room) {
    ++party.kept;
    ++share.kept;
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
  shares_.clear();
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
