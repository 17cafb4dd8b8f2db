// Text in which credentials are replaced: the last line of defence before a log.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>
#include <string_view>

namespace stagedoor::base {

// Whether `text` holds the beginning of any credential that `redacted` knows; cheaper than that.
bool may_hold_credential(std::string_view text);

// `text` with every API key, JWT, refresh token, invitation code, share link's token and Agora
// token in it cut down to `av_test_***`, `eyJ***`, `sdr_***`, `inv_***`, `sh_***` and `007eJ***`,
// and no longer than `bytes_max`. Whoever writes a log should not have to know where a stranger may
// have put his key: a path, an App ID, a member name.
std::string redacted(std::string_view text, std::size_t bytes_max = 256);

}  // namespace stagedoor::base
