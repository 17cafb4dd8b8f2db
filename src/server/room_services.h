// The room services that the settings name, with their secrets read, and what mints for them.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <memory>
#include <optional>

#include "actions/mint_room_token.h"
#include "api/room_tokens.h"
#include "base/result.h"
#include "rules/room_token.h"
#include "server/config.h"

namespace stagedoor::server {

// Safe for concurrent use.
class RoomServices {
 public:
  struct Parts {
    const rules::Catalog& catalog;
    rules::ApiKeyRecords& records;
    const actions::LimitEndUser& limit_end_user;
    const rules::MinuteMeter& minutes;
    const base::Clock& clock;
    base::Random& random;
    // Whose apps may mint where the settings name none.
    std::string first_workspace_id;
  };
  // `malformed` with a hint where a service is set up by half; `forbidden` where others can read
  // its secret.
  static base::Result<std::unique_ptr<RoomServices>> open(const Config& config, Parts parts);

  void add_to(http::Router& router, const front::Guard& guard) const {
    tokens_->add_to(router, guard);
  }

 private:
  RoomServices() = default;

  std::optional<rules::LiveKitSigner> livekit_;
  std::optional<rules::AgoraSigner> agora_;
  std::optional<actions::MintRoomToken> mint_;
  std::optional<api::RoomTokens> tokens_;
};

}  // namespace stagedoor::server
