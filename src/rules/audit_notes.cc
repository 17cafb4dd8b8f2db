#include "rules/audit_notes.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

namespace stagedoor::rules {
namespace {

constexpr std::array<std::string_view, 3> kind_names = {"strangers", "callers", "others"};
// Beyond what may wait, for the entries that tell what was folded.
constexpr std::size_t telling_max = 64;

}  // namespace

std::size_t AuditNotes::kept_max(Kind kind) const {
  if (kind == told_after) return options_.waiting_max;
  return kind == of_strangers ? options_.strangers_max : options_.known_max;
}

void AuditNotes::add(AuditEntry entry) {
  const auto kind = entry.outcome == AuditOutcome::done ? told_after
                    : entry.actor.empty()               ? of_strangers
                                                        : of_known;
  auto& window = windows_[kind];
  // What was folded is told before its window is forgotten.
  if (entry.at - window.began >= options_.window) {
    tell_folded(kind, entry.at);
    window.began = entry.at;
    window.kept = 0;
  }
  if (window.kept < kept_max(kind) && held() < options_.waiting_max) {
    ++window.kept;
    waiting_.push_back(std::move(entry));
    return;
  }
  if (window.folded++ == 0) window.first_folded = entry.at;
  window.last_folded = std::max(window.first_folded, entry.at);
}

void AuditNotes::tell_folded(Kind kind, base::Instant now) {
  auto& window = windows_[kind];
  // Where nothing can be kept for long, the count goes on.
  if (window.folded == 0 || held() >= options_.waiting_max + telling_max) return;
  AuditEntry entry;
  entry.at = now;
  entry.actor = "system";
  entry.action = name_of(AuditAction::audit_fold);
  entry.subject = kind_names[kind];
  entry.outcome = kind == told_after ? AuditOutcome::done : AuditOutcome::refused;
  entry.detail = "{\"count\":" + std::to_string(window.folded) +
                 ",\"first_at\":" + std::to_string(base::unix_seconds(window.first_folded)) +
                 ",\"last_at\":" + std::to_string(base::unix_seconds(window.last_folded)) + "}";
  waiting_.push_back(std::move(entry));
  window.folded = 0;
}

std::vector<AuditEntry> AuditNotes::take(base::Instant now, Until until) {
  for (const auto kind : {of_strangers, of_known, told_after}) {
    const bool is_over = now - windows_[kind].began >= options_.window;
    if (is_over || until == Until::everything) tell_folded(kind, now);
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
