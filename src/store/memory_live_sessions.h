// Live sessions of this process.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>

#include "rules/live_session.h"

namespace stagedoor::store {

// Safe for concurrent use; must outlive every Place that it gave.
class MemoryLiveSessions : public rules::LiveSessions {
 public:
  base::Result<rules::Place> enter(const rules::PlacesOf& whose, int sessions_max,
                                   std::string_view token_id) override;
  std::optional<rules::Place> enter_again(const rules::PlacesOf& whose,
                                          std::string_view token_id) override;
  std::size_t count() const override;
  std::size_t count_of(const rules::PlacesOf& whose) const override;
  rules::Place announce(rules::LiveSession session, End end) override;
  std::size_t end_where(const IsMeant& is_meant, rules::SessionEnd why) override;
  bool end(std::string_view id, rules::SessionEnd why) override;
  std::optional<rules::LiveSession> find(std::string_view id) const override;
  std::vector<rules::LiveSession> list(const IsMeant& is_meant, std::string_view after,
                                       std::size_t count_max) const override;

 private:
  struct Known {
    rules::LiveSession session;
    End end;
    std::uint64_t number;  // tells the holders of one id apart
  };
  struct Held {
    int holders = 0;
    int places = 0;  // that they have; as many as holders, but where some share one
  };
  rules::Place hold_under_lock(std::string app, std::string_view token_id);
  void leave(const std::string& app, const std::string& token_id);

  mutable std::mutex mutex_;
  std::map<std::string, int, std::less<>> places_;         // by app and environment
  boost::unordered_flat_map<std::string, Held> of_token_;  // by token
  std::size_t count_ = 0;
  std::map<std::string, Known, std::less<>> known_;
  std::uint64_t announced_ = 0;
  // The last ones that were ended by their id, as many as can still be on their way in: a client
  // that came back in the moment before.
  static constexpr std::size_t ended_max = 4096;
  std::map<std::string, rules::SessionEnd, std::less<>> ended_;
  std::deque<std::string> ended_in_order_;
};

}  // namespace stagedoor::store
