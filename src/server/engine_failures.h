// Tells the operator that engines have failed: what a live face's client is told of in a few words
// has its reason in the log.
//
// Of each engine a line in ten seconds at most, with the number of failures since the line before:
// an endpoint that is away for an hour does not fill the log.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "engines/circuit_breakers.h"
#include "stage/fallback_attempt.h"

namespace stagedoor::server {

inline constexpr std::chrono::seconds engine_failure_told_every{10};

// For one engine. `log` and `clock` must live longer than what it returns.
stage::EngineFailed told_failures_of(std::string engine, base::Log& log, const base::Clock& clock);

// Of each endpoint that begins to be passed over, and that is asked again, a line.
engines::CircuitBreakers::Told told_breakers_of(base::Log& log);

}  // namespace stagedoor::server
