#include "rules/key_finder.h"

#include <string.h>

#include <algorithm>

namespace stagedoor::rules {
namespace {

constexpr std::string_view prefix = "av_";

}  // namespace

KeyFinder::~KeyFinder() {
  if (!rest_.empty()) explicit_bzero(rest_.data(), rest_.size());
}

void KeyFinder::take(std::string_view piece) {
  // The seam first: what was left over, and as much as completes any key that began in it.
  if (!rest_.empty()) {
    const auto added = std::min(piece.size(), api_key_length - 1);
    const auto left = rest_.size();
    rest_.append(piece.substr(0, added));
    const auto done = look(rest_);
    if (done < left) {
      // Too short still to decide about all that was left over; nothing else is in the piece.
      rest_.erase(0, done);
      return;
    }
    piece.remove_prefix(done - left);
    explicit_bzero(rest_.data(), rest_.size());
    rest_.clear();
  }
  const auto done = look(piece);
  rest_.assign(piece.substr(done));
}

std::size_t KeyFinder::look(std::string_view text) {
  std::size_t at = 0;
  const auto pass_to = [&](std::size_t end) {
    line_ += static_cast<std::uint64_t>(std::count(text.begin() + static_cast<std::ptrdiff_t>(at),
                                                   text.begin() + static_cast<std::ptrdiff_t>(end),
                                                   '\n'));
    at = end;
  };
  while (at + api_key_length <= text.size()) {
    const auto begin = text.find(prefix, at);
    // Of the end, what is too short for a key is kept for the next piece.
    const auto last = text.size() - api_key_length + 1;
    if (begin == text.npos || begin >= last) {
      pass_to(last);
      break;
    }
    pass_to(begin);
    if (const auto key = ApiKeyText::parse(text.substr(begin, api_key_length))) {
      found_(*key, line_);
      pass_to(begin + api_key_length);
    } else {
      pass_to(begin + 1);
    }
  }
  return at;
}

}  // namespace stagedoor::rules
