// What usrsctp must not be left to find out about an SCTP packet: that its lengths are sound.
//
// usrsctp 0.9.5 (Debian 12) walks the parameters of an INIT that comes to an association that is up
// without asking whether one has a length at all; at a parameter of length 0 it stays for ever,
// under the mutex that all loops share (media/sctp.h). Its authors have mended that since.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "media/endpoint.h"

namespace stagedoor::media {

// Whether each chunk lies within the packet, and each parameter of a chunk that sets an association
// up or resets its streams within its chunk (RFC 9260 3, RFC 6525 3.1). A packet for which that
// does not hold is nobody's who speaks SCTP, and may be dropped. Safe for concurrent use.
bool has_sound_lengths(Bytes sctp_packet);

}  // namespace stagedoor::media
