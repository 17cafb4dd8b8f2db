// GET /problems/{type}: what a problem means, for people who follow its address.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "http/router.h"

namespace stagedoor::api {

void add_problem_pages(http::Router& router);

}  // namespace stagedoor::api
