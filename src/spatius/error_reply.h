// What each error becomes in the Spatius dialect, and nowhere else (contract: api/spatius.md).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "http/response.h"

namespace stagedoor::spatius {

// Console API: {"errors":[{id, status, code, title, detail, source?}]}, `status` a number.
// `pointer` is the JSON pointer of the member at fault, or empty.
void reply_console(http::Response& response, const base::Error& error,
                   std::string_view pointer = {});
void reply_console(http::Response& response, int status, std::string_view detail);

// Motion Server, before the upgrade: {"message":"..."} and a newline; clients compare the text.
void reply_upgrade(http::Response& response, const base::Error& error, std::string_view avatar_id);
void reply_upgrade(http::Response& response, int status, std::string_view message);

}  // namespace stagedoor::spatius
