#include "rules/idempotency_key.h"

#include <algorithm>
#include <string>
#include <utility>

namespace stagedoor::rules {
namespace {

using base::ErrorCode;

base::Result<base::Done> check(std::string_view key) {
  const bool is_visible = std::ranges::all_of(key, [](char c) { return c > ' ' && c < 0x7f; });
  if (!key.empty() && key.size() <= idempotency_key_bytes_max && is_visible) return base::Done{};
  return base::fail(ErrorCode::malformed, "an idempotency key in no form",
                    "Idempotency-Key must be 1 to 255 visible ASCII characters.");
}

// No caller's id has a zero byte in it.
crypto::Digest name_of(const NamedMints::Call& call) {
  return crypto::sha256(std::string(call.minted_by).append(1, '\0').append(call.key));
}

base::Secret copy_of(const base::Secret& secret) {
  return base::Secret(std::string(secret.expose()));
}

}  // namespace

base::Result<const NamedMints::Known*> NamedMints::find_under_lock(const Call& call,
                                                                   base::Instant now) {
  while (!in_order_.empty() && in_order_.front().at + idempotency_key_lifetime <= now) {
    known_.erase(in_order_.front().name);
    in_order_.pop_front();
  }
  const auto found = known_.find(name_of(call));
  if (found == known_.end()) return nullptr;
  if (found->second.body == crypto::sha256(call.body)) return &found->second;
  return base::fail(ErrorCode::malformed, "an idempotency key with another body",
                    "This Idempotency-Key came with another body before; name each call anew.");
}

base::Result<std::optional<base::Secret>> NamedMints::find(const Call& call, base::Instant now) {
  if (auto checked = check(call.key); !checked) return base::fail(checked.error());
  const std::lock_guard lock(mutex_);
  const auto known = find_under_lock(call, now);
  if (!known) return base::fail(known.error());
  if (*known == nullptr) return std::nullopt;
  return copy_of((*known)->token);
}

base::Result<base::Secret> NamedMints::keep(const Call& call, base::Secret token,
                                            base::Instant now) {
  const std::lock_guard lock(mutex_);
  const auto known = find_under_lock(call, now);
  if (!known) return base::fail(known.error());
  if (*known != nullptr) return copy_of((*known)->token);
  if (in_order_.size() == count_max) {
    known_.erase(in_order_.front().name);
    in_order_.pop_front();
  }
  const auto name = name_of(call);
  known_.emplace(name, Known{crypto::sha256(call.body), copy_of(token)});
  in_order_.push_back({now, name});
  return token;
}

}  // namespace stagedoor::rules
