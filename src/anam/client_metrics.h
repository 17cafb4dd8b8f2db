// POST /v1/metrics/client: what the vendor's clients tell of themselves (contract 3.9), kept as
// counters by name. Without credential, so nothing of it is believed or kept but how often it came.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

#include "http/router.h"

namespace stagedoor::anam {

// Safe for concurrent use.
class ClientMetrics {
 public:
  static constexpr std::size_t batch_max = 50;
  // The last counts what has another name.
  static constexpr std::array<std::string_view, 10> names = {"client_error",
                                                             "client_connection_closed",
                                                             "client_connection_established",
                                                             "client_connection_milestone",
                                                             "client_connection_milestones",
                                                             "client_session_attempt",
                                                             "client_session_success",
                                                             "client_ice_restart",
                                                             "client_input_audio_settings",
                                                             "other"};

  void add_to(http::Router& router);
  std::uint64_t count(std::size_t name) const { return counts_[name].load(); }

 private:
  void take(const http::Request& request, http::Response& response);

  std::array<std::atomic<std::uint64_t>, names.size()> counts_{};
};

}  // namespace stagedoor::anam
