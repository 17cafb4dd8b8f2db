// GET /v1/avatars and GET /v1/avatars/{id}, which two vendors have: Anam's for whoever shows an API
// key, Avatarium's for anybody.
//
// Rule avatars-by-credential: a call with a Bearer credential that is no token of a person is
// answered, or refused, in Anam's dialect; one with a person's token or without a credential in
// Avatarium's. Anam's answers hold what Avatarium's clients read as well.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "http/router.h"
#include "server/anam_door.h"
#include "server/avatarium_door.h"

namespace stagedoor::server {

void add_shared_avatars(http::Router& router, const AnamDoor& anam, const AvatariumDoor& avatarium);

}  // namespace stagedoor::server
