// The verbs about API keys, made together since they stand on the same things.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "actions/change_api_key.h"
#include "actions/create_api_key.h"
#include "actions/import_api_keys.h"
#include "actions/read_api_keys.h"
#include "actions/rotate_api_key.h"

namespace stagedoor::actions {

// Safe for concurrent use; all of them wait for the disk.
struct KeyVerbs {
  explicit KeyVerbs(KeyMaking parts)
      : create(parts),
        import(parts),
        rotate(parts),
        rotate_app(parts),
        freeze(changing(parts)),
        unfreeze(changing(parts)),
        revoke(changing(parts)),
        read({parts.catalog, parts.records}) {}

  CreateApiKey create;
  ImportApiKeys import;
  RotateApiKey rotate;
  RotateAppKeys rotate_app;
  FreezeApiKey freeze;
  UnfreezeApiKey unfreeze;
  RevokeApiKey revoke;
  ReadApiKeys read;

 private:
  static KeyChanging changing(const KeyMaking& parts) {
    return {parts.catalog, parts.records, parts.tiers, parts.clock};
  }
};

}  // namespace stagedoor::actions
