#include "rules/test_mode.h"

#include <algorithm>
#include <array>
#include <string>

namespace stagedoor::rules {
namespace {

using base::ErrorCode;

constexpr TestForce refusal(std::string_view avatar_id, std::string_view end_user_id, ForcedAt at,
                            ErrorCode error) {
  TestForce force{avatar_id, end_user_id, at};
  force.error = error;
  return force;
}

constexpr TestForce ending(std::string_view avatar_id, std::string_view end_user_id,
                           SessionEnd end) {
  TestForce force{avatar_id, end_user_id, ForcedAt::performing};
  force.end = end;
  return force;
}

constexpr std::array forces = {
    refusal("7e570000-0000-4000-8000-000000000401", "test-force-mint-401", ForcedAt::minting,
            ErrorCode::unauthenticated),
    refusal("7e570000-0000-4000-8000-000000000402", "test-force-mint-402", ForcedAt::minting,
            ErrorCode::payment_required),
    refusal("7e570000-0000-4000-8000-000000000403", "test-force-mint-403", ForcedAt::minting,
            ErrorCode::forbidden),
    refusal("7e570000-0000-4000-8000-000000000429", "test-force-mint-429", ForcedAt::minting,
            ErrorCode::rate_limited),
    refusal("7e570000-0000-4000-8000-000000000503", "test-force-mint-503", ForcedAt::minting,
            ErrorCode::unavailable),
    refusal("7e570000-0000-4000-8000-000000000101", "test-force-connect-expired",
            ForcedAt::connecting, ErrorCode::token_expired),
    refusal("7e570000-0000-4000-8000-000000000102", "test-force-connect-spent",
            ForcedAt::connecting, ErrorCode::token_spent),
    refusal("7e570000-0000-4000-8000-000000000103", "test-force-connect-402", ForcedAt::connecting,
            ErrorCode::payment_required),
    refusal("7e570000-0000-4000-8000-000000000104", "test-force-connect-429", ForcedAt::connecting,
            ErrorCode::concurrency_limited),
    refusal("7e570000-0000-4000-8000-000000000105", "test-force-connect-503", ForcedAt::connecting,
            ErrorCode::unavailable),
    ending("7e570000-0000-4000-8000-000000000201", "test-force-session-length",
           SessionEnd::length_reached),
    ending("7e570000-0000-4000-8000-000000000202", "test-force-session-idle", SessionEnd::idle),
    ending("7e570000-0000-4000-8000-000000000203", "test-force-session-revoked",
           SessionEnd::revoked),
    ending("7e570000-0000-4000-8000-000000000204", "test-force-session-going-away",
           SessionEnd::shutting_down),
    ending("7e570000-0000-4000-8000-000000000205", "test-force-session-minutes",
           SessionEnd::minutes_used_up),
};

const TestForce* force_of(Environment environment, std::string_view avatar_id,
                          std::string_view end_user_id) {
  if (environment != Environment::test) return nullptr;
  // Few requests mean either, and those that do not are told at a glance.
  if (avatar_id.starts_with("7e570000-")) {
    const auto* found = std::ranges::find(forces, avatar_id, &TestForce::avatar_id);
    if (found != forces.end()) return found;
  }
  if (!end_user_id.starts_with("test-force-")) return nullptr;
  const auto* found = std::ranges::find(forces, end_user_id, &TestForce::end_user_id);
  return found == forces.end() ? nullptr : found;
}

}  // namespace

std::span<const TestForce> test_forces() {
  return forces;
}

bool is_test_avatar(Environment environment, std::string_view avatar_id) {
  return force_of(environment, avatar_id, {}) != nullptr;
}

base::Result<base::Done> forced_refusal(ForcedAt at, Environment environment,
                                        std::string_view avatar_id, std::string_view end_user_id) {
  const auto* force = force_of(environment, avatar_id, end_user_id);
  if (force == nullptr || force->at != at || at == ForcedAt::performing) return base::Done{};
  return base::fail(force->error, "forced by the test value " + std::string(force->end_user_id));
}

std::optional<SessionEnd> forced_end(Environment environment, std::string_view avatar_id,
                                     std::string_view end_user_id) {
  const auto* force = force_of(environment, avatar_id, end_user_id);
  if (force == nullptr || force->at != ForcedAt::performing) return std::nullopt;
  return force->end;
}

}  // namespace stagedoor::rules
