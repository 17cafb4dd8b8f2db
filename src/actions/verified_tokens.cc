#include "actions/verified_tokens.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace stagedoor::actions {

// Single bits of sums of products are not as good as random: all are stirred together (the last
// steps of MurmurHash3).
std::uint64_t VerifiedTokens::folded(const Hash& hash) {
  auto bits = hash.words[0] ^ std::rotl(hash.words[1], 16) ^ std::rotl(hash.words[2], 32) ^
              std::rotl(hash.words[3], 48);
  bits = (bits ^ bits >> 33) * 0xff51afd7ed558ccd;
  bits = (bits ^ bits >> 33) * 0xc4ceb9fe1a85ec53;
  return bits ^ bits >> 33;
}

VerifiedTokens::VerifiedTokens(std::size_t entries_max, std::size_t token_bytes_max,
                               base::Random& random)
    : hash_(token_bytes_max, random), slots_max_(std::max<std::size_t>(entries_max / shards, 1)) {}

std::optional<VerifiedTokens::Entry> VerifiedTokens::find(std::string_view token) {
  const auto hash = hash_(token);
  if (!hash) return std::nullopt;
  auto& shard = shard_of(*hash);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.where.find(*hash);
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

void VerifiedTokens::keep(std::string_view token, Entry entry) {
  const auto hash = hash_(token);
  if (!hash) return;
  auto& shard = shard_of(*hash);
  const std::lock_guard lock(shard.mutex);
  if (const auto found = shard.where.find(*hash); found != shard.where.end()) {
    // The later keys win: whoever verified with earlier ones may only have been slower.
    auto& kept = shard.slots[found->second].entry;
    if (entry.generation >= kept.generation) kept = std::move(entry);
    return;
  }
  auto& slot = room_in(shard);
  shard.where.erase(slot.hash);
  slot = {.hash = *hash, .entry = std::move(entry)};
  shard.where.emplace(*hash, static_cast<std::size_t>(&slot - shard.slots.data()));
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
