// A tool that looks something up in the documents of a workspace, for the conversation of one
// session.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engines/worker_pool.h"
#include "rules/knowledge.h"
#include "stage/tool_runner.h"

namespace stagedoor::server {

// Searches for all sessions, on a few threads. Safe for concurrent use.
class KnowledgeSearches {
 public:
  explicit KnowledgeSearches(rules::Knowledge& knowledge) : knowledge_(knowledge) {}
  // A tool over these groups; what it is called with is an object with `query`, and its result is a
  // JSON list of the best passages. It must not outlive the searches.
  std::shared_ptr<stage::ToolRunner> over(rules::ItemScope scope,
                                          std::vector<std::string> group_ids);

 private:
  friend class KnowledgeRunner;
  rules::Knowledge& knowledge_;
  engines::WorkerPool pool_{2, 256};
};

}  // namespace stagedoor::server
