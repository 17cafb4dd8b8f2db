// The language models that workspaces bring, as what answers in a conversation.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "engines/web_calls.h"
#include "rules/catalog_item.h"
#include "stage/chat.h"

namespace stagedoor::server {

// Safe for concurrent use; not from an event loop.
class LanguageModels {
 public:
  struct Parts {
    rules::CatalogItems& items;
    engines::WebCalls& calls;
    // Their addresses come from whoever may write a persona, as those of webhooks do, and the same
    // setting opens private ones to both.
    engines::PrivateAddresses private_addresses;
  };
  explicit LanguageModels(Parts parts) : parts_(parts) {}

  // As it is kept now. `not_found`; `unavailable` where its key can't be opened.
  base::Result<std::shared_ptr<stage::Chat>> operator()(const rules::ItemScope& scope,
                                                        std::string_view id) const;

 private:
  Parts parts_;
};

}  // namespace stagedoor::server
