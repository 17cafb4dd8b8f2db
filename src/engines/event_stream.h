// Server-sent events (WHATWG HTML 9.2) as their bytes arrive: the `data` of each.
//
// Other fields and comments are passed over. Not safe for concurrent use.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace stagedoor::engines {

class EventStream {
 public:
  static constexpr std::size_t event_bytes_max = 256u << 10;
  // Takes the data of one event; false: no more is wanted.
  using Taker = std::function<bool(std::string_view data)>;

  // False once the taker wanted no more, or an event or line was longer than event_bytes_max.
  bool push(std::string_view bytes, const Taker& take);

 private:
  bool read_line(std::string_view line, const Taker& take);

  std::string line_, data_;
  bool has_data_ = false, was_return_ = false;
};

}  // namespace stagedoor::engines
