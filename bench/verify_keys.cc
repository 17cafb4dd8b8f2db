// How many keys a second one core verifies in process: the action in batches of 1,000, as POST
// /v1/keys/verify asks it, over a store of that many good keys.
//
//   verify_keys DATA KEYS_FILE [SECONDS]
//
// DATA and KEYS_FILE as bench/fill_keys.cc leaves them. Prints one JSON object: keys a second for
// batches of good keys, and of keys that do not exist.
//
// SPDX-License-Identifier: Apache-2.0

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "actions/verify_api_keys.h"
#include "server/json_log.h"
#include "server/reception.h"
#include "server/workspace.h"
#include "thread_time.h"

namespace {

using namespace stagedoor;
using bench::thread_seconds;

std::vector<std::string> lines_of(const char* path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

// Keys a second over batches that walk through all of `texts`.
double rate_of(const actions::VerifyApiKeys& verify, const rules::Caller& caller,
               const std::vector<std::string>& texts, double seconds,
               actions::KeyVerdict expected) {
  std::vector<std::string_view> views(texts.begin(), texts.end());
  actions::VerifyApiKeys::Batch batch;
  std::size_t at = 0, done = 0;
  const auto begin = thread_seconds();
  for (;;) {
    const auto count = std::min(actions::verified_at_once_max, views.size() - at);
    verify(caller, {}, std::span(views).subspan(at, count), batch);
    if (batch.outcomes.front().verdict != expected) std::abort();
    done += count;
    at = at + count == views.size() ? 0 : at + count;
    const auto took = thread_seconds() - begin;
    if (took > seconds) return static_cast<double>(done) / took;
  }
}

}  // namespace

int main(int argument_count, char** arguments) {
  if (argument_count < 3) {
    fmt::print(stderr, "verify_keys DATA KEYS_FILE [SECONDS]\n");
    return 2;
  }
  const double seconds = argument_count > 3 ? std::atof(arguments[3]) : 3;
  server::Config config;
  for (auto& [name, limit] : config.limits.tiers)
    limit = {1'000'000'000, std::chrono::minutes(1), 1'000'000'000};
  const auto workspace = server::Workspace::open(server::DataFolder{arguments[1]}, config);
  const auto good = lines_of(arguments[2]);
  if (!workspace || good.empty()) {
    fmt::print(stderr, "verify_keys: no workspace or no keys\n");
    return 1;
  }
  server::JsonLog log((*workspace)->clock, base::LogLevel::error);
  server::Reception reception(**workspace, config, log);
  const actions::VerifyApiKeys verify({.keys = *(*workspace)->keys,
                                       .hasher = *(*workspace)->hasher,
                                       .admit = reception.admit(),
                                       .key_usage = *(*workspace)->key_usage,
                                       .clock = (*workspace)->clock});
  const auto caller = (*(*workspace)->authenticate)(good.front(), base::Address{});
  if (!caller) return 1;
  std::vector<std::string> made_up;
  for (std::size_t i = 0; i < good.size(); ++i)
    made_up.emplace_back(
        rules::ApiKeyText::make(rules::Environment::test, (*workspace)->random).secret().expose());
  const auto valid = rate_of(verify, *caller, good, seconds, actions::KeyVerdict::valid);
  const auto unknown = rate_of(verify, *caller, made_up, seconds, actions::KeyVerdict::unknown);
  fmt::print(
      "{{\"keys\":{},\"valid_keys_per_second\":{:.0f},\"unknown_keys_per_second\":{:.0f}}}\n",
      (*workspace)->keys->count(), valid, unknown);
  return 0;
}
