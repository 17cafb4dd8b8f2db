// Parts of a live face's report in the shape of the Anam dialect (contract 1.2).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/json_writer.h"
#include "rules/session_analytics.h"
#include "rules/session_report.h"

namespace stagedoor::anam {

// As an array.
void append_messages(std::string& out, std::span<const rules::ReportedMessage> messages);
// null where it is nothing.
void append_millis(base::JsonWriter& out, base::JsonName name,
                   std::optional<std::chrono::milliseconds> time);
void append_percentiles(base::JsonWriter& out, base::JsonName name,
                        const std::optional<rules::Percentiles>& percentiles);
// `latencies` with its three parts.
void append_latencies(base::JsonWriter& out, const rules::TurnPercentiles& percentiles);

std::string_view word_of(rules::ExitStatus status);
// turnkey, custom_llm_client, custom_llm_server.
std::string_view word_of(rules::SessionKind kind);

}  // namespace stagedoor::anam
