// Mono samples to one whole Ogg Opus stream (RFC 7845), 20 ms a packet, one packet a page, as a
// live client makes it: each page can be sent as soon as its 20 ms are over.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "server/speak_sound.h"

namespace stagedoor::server {

// The pages in order, heads first; the last says where the sound ends. The rate has to be one of
// stage::opus_rates_hz; else, or when libopus fails, `unavailable`.
base::Result<std::vector<std::string>> ogg_opus_pages(const Sound& sound);

}  // namespace stagedoor::server
