// Work that an engine does for somebody, who may lose interest.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

namespace stagedoor::stage {

// Destroying it cancels the work. The destructor does not wait: a call to the sink that has already
// begun on another thread may still be going on when it returns, and none begins afterwards. So a
// sink owns what it touches, or holds it weakly, and its user drops what comes too late. A job may
// be destroyed inside its own sink.
class Job {
 public:
  Job() = default;
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;
  virtual ~Job() = default;
};

}  // namespace stagedoor::stage
