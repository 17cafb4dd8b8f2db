#include "actions/verified_tokens.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace stagedoor::actions {

std::size_t VerifiedTokens::FirstBytes::operator()(const crypto::Digest& hash) const {
  std::size_t first;
  std::memcpy(&first, hash.data(), sizeof first);
  return first;
}

VerifiedTokens::VerifiedTokens(std::size_t entries_max)
    : slots_max_(std::max<std::size_t>(entries_max / shards, 1)) {}

std::optional<VerifiedTokens::Entry> VerifiedTokens::find(const crypto::Digest& hash) {
  auto& shard = shard_of(hash);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.where.find(hash);
  if (found == shard.where.end()) return std::nullopt;
  auto& slot = shard.slots[found->second];
  slot.was_shown_again = true;
  return slot.entry;
}

VerifiedTokens::Slot& VerifiedTokens::room_in(Shard& shard) const {
  if (shard.slots.size() < slots_max_) return shard.slots.emplace_back();
  while (true) {
    auto& slot = shard.slots[shard.hand];
    shard.hand = (shard.hand + 1) % shard.slots.size();
    if (!slot.was_shown_again) return slot;
    slot.was_shown_again = false;
  }
}

void VerifiedTokens::keep(const crypto::Digest& hash, Entry entry) {
  auto& shard = shard_of(hash);
  const std::lock_guard lock(shard.mutex);
  if (const auto found = shard.where.find(hash); found != shard.where.end()) {
    // The later keys win: whoever verified with earlier ones may only have been slower.
    auto& kept = shard.slots[found->second].entry;
    if (entry.generation >= kept.generation) kept = std::move(entry);
    return;
  }
  auto& slot = room_in(shard);
  shard.where.erase(slot.hash);
  slot = {.hash = hash, .entry = std::move(entry)};
  shard.where.emplace(hash, static_cast<std::size_t>(&slot - shard.slots.data()));
}

std::size_t VerifiedTokens::size() const {
  std::size_t all = 0;
  for (const auto& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    all += shard.where.size();
  }
  return all;
}

}  // namespace stagedoor::actions
