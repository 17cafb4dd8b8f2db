// Values of the query part of our own API's calls: those that every door reads (front/query.h).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "front/query.h"

namespace stagedoor::api {

using front::environment_in_query;
using front::limit_in_query;
using front::number_in_query;
using front::time_in_query;

}  // namespace stagedoor::api
