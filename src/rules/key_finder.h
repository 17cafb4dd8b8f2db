// Finds API keys in bytes of any kind, by prefix and checksum alone (rule api-key-format): offline,
// without asking whether such a key exists.
//
// Used by: server/key_scan.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "rules/api_key.h"

namespace stagedoor::rules {

// Takes a text piece by piece and tells every key in it, once, however the pieces are cut. Keeps
// less than one key's length between them. Not safe for concurrent use.
class KeyFinder {
 public:
  // `line` counts from 1.
  using Found = std::function<void(const ApiKeyText& key, std::uint64_t line)>;
  explicit KeyFinder(Found found) : found_(std::move(found)) {}
  ~KeyFinder();
  KeyFinder(const KeyFinder&) = delete;
  KeyFinder& operator=(const KeyFinder&) = delete;

  void take(std::string_view piece);

 private:
  // Looks at every place in `text` where a whole key fits; lines are counted up to the end of what
  // need not be looked at again, whose length it gives.
  std::size_t look(std::string_view text);

  Found found_;
  std::string rest_;  // the end of what was taken, where a key may have begun
  std::uint64_t line_ = 1;
};

}  // namespace stagedoor::rules
