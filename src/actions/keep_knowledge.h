// Takes documents into a knowledge group, renames them and takes them away.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>
#include <string_view>

#include "actions/keep_call.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "rules/knowledge.h"

namespace stagedoor::actions {

// Safe for concurrent use; not from an event loop.
class KeepKnowledge {
 public:
  struct Parts {
    rules::Knowledge& knowledge;
    const base::Clock& clock;
    base::Random& random;
  };
  explicit KeepKnowledge(Parts parts) : parts_(parts) {}

  struct Upload {
    std::string_view filename, content;
    rules::Cut cut;
  };
  // `malformed` and `unsupported` with a hint, `not_found` for the group, `conflict`.
  base::Result<rules::Document> add(const KeepCall& call, std::string_view group_id,
                                    const Upload& upload) const;
  // `not_found`; the kind of a document stays what it was: `malformed`.
  base::Result<rules::Document> rename(const KeepCall& call, std::string_view id,
                                       std::string_view filename) const;
  base::Result<base::Done> remove(const KeepCall& call, std::string_view id) const;

 private:
  Parts parts_;
};

}  // namespace stagedoor::actions
