// Where media come in, from the settings.
//
// Rule media-reach-the-told-address: where clients are told a public address and nothing says where
// media come in, they come in at every address of the machine, though the server itself listens on
// loopback behind a proxy, which hands no media on. A loopback address that the settings name for
// media, beside a public one for clients, is refused at the start: no media would ever come.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "base/result.h"
#include "media/port.h"
#include "server/config.h"

namespace stagedoor::server {

// `malformed`, with a hint that names the setting.
base::Result<media::PortOptions> media_port_of(const Config& config);

}  // namespace stagedoor::server
