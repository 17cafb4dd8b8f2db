// The page of a share link, `/share/TOKEN`: a visitor meets the persona that the link is for.
//
// The same page is delivered for every token, also for one that opens nothing; what a link opens is
// asked for by the page, once the visitor begins (POST /v1/auth/share-link).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "http/router.h"

namespace stagedoor::api {

void add_share_page(http::Router& router);

}  // namespace stagedoor::api
