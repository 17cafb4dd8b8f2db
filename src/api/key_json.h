// API keys as JSON of our own API: what a body wishes, what an answer shows.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <optional>
#include <string>

#include "actions/create_api_key.h"
#include "actions/import_api_keys.h"
#include "actions/key_wish.h"
#include "api/body.h"
#include "base/clock.h"
#include "base/json_writer.h"
#include "rules/api_key_records.h"
#include "rules/key_usage.h"

namespace stagedoor::api {

// The members name, scopes, expires_at, networks, tier and rate_limit.
actions::KeyWish read_key_wish(Members& members);
std::optional<rules::Environment> read_environment(Members& members);
// {"app_id", "environment", and a wish}: one new key. `malformed` with a hint that names the
// member.
base::Result<actions::CreateApiKey::Request> read_new_key(std::string_view json);
// {"app_id", "environment", "keys": [{"sha256", "ends", and a wish}]}: an import, from a body or a
// file. `malformed` with a hint that names the member.
base::Result<actions::ImportApiKeys::Request> read_key_import(std::string_view json);

// All members of a key but its text, into an object that the caller ends.
void write_key(base::JsonWriter& writer, const rules::ApiKey& key, base::Instant now);
// Adds `api_key`, the text: the only place that writes one.
void write_created_key(std::string& out, const actions::CreatedApiKey& created, base::Instant now);
void write_last_use(base::JsonWriter& writer, const std::optional<rules::KeyUse>& use);
void write_blast_radius(std::string& out, const rules::ApiKey& key,
                        const rules::BlastRadius& radius, base::Instant now);

}  // namespace stagedoor::api
