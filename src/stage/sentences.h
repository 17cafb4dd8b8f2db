// Text as it comes, cut into pieces that can be spoken one after another.
//
// The pieces put together are the text, byte for byte. A piece ends with a sentence (. ! ? … 。 ！
// ？ and a blank or a line's end behind them, but not after a title or an initial: "Dr. Who"); the
// first one may end with a clause, so that speech begins early; and a piece that would be longer
// than piece_bytes_max ends at the last blank before that. Not safe for concurrent use.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace stagedoor::stage {

class Sentences {
 public:
  static constexpr std::size_t piece_bytes_max = 400;

  // Appends the pieces that are whole.
  void push(std::string_view text, std::vector<std::string>& out);
  // Appends what is left.
  void finish(std::vector<std::string>& out);

  std::size_t held_bytes() const { return held_.size(); }

 private:
  std::size_t next_end() const;

  std::string held_;
  bool has_given_ = false;
};

// Whether there is anything in the text to be spoken.
bool has_words(std::string_view text);

}  // namespace stagedoor::stage
