// A session of the ledger as JSON.
//
// Members in camel case are those of the Anam dialect, whose clients ask the same paths: one answer
// says everything twice, so that each reader finds its own words (api/anam.md).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <string>

#include "base/json_writer.h"
#include "rules/session_record.h"
#include "rules/session_report.h"

namespace stagedoor::api {

// Appends. Without its tool calls, as lists have it.
void write_session(std::string& out, const rules::SessionRecord& session);
// With them. `report` null: there is none, or not yet.
void write_session(std::string& out, const rules::SessionRecord& session,
                   const rules::SessionReport* report);

// Which of how many pages a list is.
struct NumberedPage {
  std::size_t number, size, total;
};
void write_meta(base::JsonWriter& body, const NumberedPage& page);

}  // namespace stagedoor::api
