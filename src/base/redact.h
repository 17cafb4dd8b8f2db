// Text in which credentials are replaced: the last line of defence before a log.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>
#include <string_view>

namespace stagedoor::base {

// `text` with every API key, JWT, refresh token and invitation code in it cut down to
// `av_test_***`, `eyJ***`, `sdr_***` and `inv_***`, and no longer than `bytes_max`. Whoever writes
// a log should not have to know where a stranger may have put his key: a path, an App ID, a member
// name.
std::string redacted(std::string_view text, std::size_t bytes_max = 256);

}  // namespace stagedoor::base
