// SPDX-License-Identifier: Apache-2.0

#include "media/sent_packets.h"

namespace stagedoor::media {

void SentPackets::forget_oldest() {
  first_ = (first_ + 1) % packets_max;
  --count_;
}

MutableBytes SentPackets::reserve(std::size_t size) {
  if (!bytes_) bytes_ = std::make_unique_for_overwrite<std::uint8_t[]>(bytes_max);
  if (head_ + size > bytes_max) {
    // Those at the end of the ring are the oldest.
    while (count_ > 0 && oldest().offset >= head_) forget_oldest();
    head_ = 0;
  }
  while (count_ > 0 && oldest().offset >= head_ && oldest().offset < head_ + size) forget_oldest();
  return {bytes_.get() + head_, size};
}

void SentPackets::keep(std::uint16_t sequence_number, std::size_t size) {
  if (count_ == packets_max) forget_oldest();
  entries_[(first_ + count_) % packets_max] = {.offset = static_cast<std::uint32_t>(head_),
                                               .size = static_cast<std::uint16_t>(size),
                                               .sequence_number = sequence_number,
                                               .resent_at = {}};
  ++count_;
  head_ += (size + 3) & ~std::size_t{3};  // headers stay aligned
}

const SentPackets::Entry* SentPackets::entry_of(std::uint16_t sequence_number) const {
  if (count_ == 0) return nullptr;
  const std::size_t distance =
      static_cast<std::uint16_t>(sequence_number - oldest().sequence_number);
  return distance < count_ ? &entries_[(first_ + distance) % packets_max] : nullptr;
}

Bytes SentPackets::find(std::uint16_t sequence_number) const {
  const auto* const entry = entry_of(sequence_number);
  if (!entry) return {};
  return {bytes_.get() + entry->offset, entry->size};
}

Bytes SentPackets::find_to_resend(std::uint16_t sequence_number, Moment now,
                                  std::chrono::milliseconds pause) {
  auto* const entry = const_cast<Entry*>(entry_of(sequence_number));
  if (!entry) return {};
  if (entry->resent_at != Moment{} && now - entry->resent_at < pause) return {};
  entry->resent_at = now;
  return find(sequence_number);
}

void SentPackets::clear() {
  first_ = count_ = head_ = 0;
}

}  // namespace stagedoor::media
