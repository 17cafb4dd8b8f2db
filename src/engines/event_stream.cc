// SPDX-License-Identifier: Apache-2.0

#include "engines/event_stream.h"

namespace stagedoor::engines {

// A line ends with CR, LF, or both.
bool EventStream::push(std::string_view bytes, const Taker& take) {
  for (const char c : bytes) {
    const bool is_second_half = c == '\n' && was_return_;
    was_return_ = c == '\r';
    if (is_second_half) continue;
    if (c != '\n' && c != '\r') {
      if (line_.size() >= event_bytes_max) return false;
      line_ += c;
      continue;
    }
    if (!read_line(line_, take)) return false;
    line_.clear();
  }
  return true;
}

bool EventStream::read_line(std::string_view line, const Taker& take) {
  if (line.empty()) {
    const bool is_wanted = !has_data_ || take(data_);
    data_.clear();
    has_data_ = false;
    return is_wanted;
  }
  if (!line.starts_with("data")) return true;
  line.remove_prefix(4);
  if (!line.empty() && line.front() != ':') return true;  // Another field, such as "database".
  if (!line.empty()) line.remove_prefix(1);
  if (line.starts_with(' ')) line.remove_prefix(1);
  if (data_.size() + line.size() >= event_bytes_max) return false;
  if (has_data_) data_ += '\n';
  data_ += line;
  has_data_ = true;
  return true;
}

}  // namespace stagedoor::engines
