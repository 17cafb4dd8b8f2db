// A coroutine on one event loop, with the loop's own executor type: the type-erased one costs a
// fifth of the speed.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

namespace stagedoor::http {

using Executor = boost::asio::io_context::executor_type;

template <class T = void>
using Task = boost::asio::awaitable<T, Executor>;

}  // namespace stagedoor::http
