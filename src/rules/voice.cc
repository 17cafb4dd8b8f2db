#include "rules/voice.h"

#include <utility>

#include "base/text.h"
#include "crypto/hash.h"
#include "rules/built_in.h"

namespace stagedoor::rules {

std::string voice_id_of(std::string_view engine, std::string_view engine_name) {
  auto digest = crypto::sha256("voice " + std::string(engine) + ' ' + std::string(engine_name));
  // RFC 9562 5.8: version 8, and the variant of 4.1.
  digest[6] = static_cast<std::uint8_t>((digest[6] & 0x0f) | 0x80);
  digest[8] = static_cast<std::uint8_t>((digest[8] & 0x3f) | 0x80);
  auto id = base::hex(std::span(digest).first(16));
  for (const std::size_t at : {20, 16, 12, 8}) id.insert(at, 1, '-');
  return id;
}

Voices::Voices() {
  for (const auto& one : built_in_voices())
    add({.id = std::string(one.id),
         .name = std::string(one.name),
         .engine = {},
         .engine_name = {},
         .language = {}});
}

void Voices::add(Voice voice) {
  const auto [place, is_new] = places_.try_emplace(voice.id, voices_.size());
  if (is_new) {
    voices_.push_back(std::move(voice));
  } else {
    voices_[place->second] = std::move(voice);
  }
}

const Voice* Voices::find(std::string_view id) const {
  const auto found = places_.find(id);
  return found == places_.end() ? nullptr : &voices_[found->second];
}

const Voice& Voices::find_or_first(std::string_view id) const {
  const auto* voice = find(id);
  return voice == nullptr ? voices_.front() : *voice;
}

}  // namespace stagedoor::rules
