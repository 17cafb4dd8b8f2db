// Whatever comes as a form, its parts lie inside the body, and are bounded.
//
// SPDX-License-Identifier: Apache-2.0

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "http/form.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stagedoor::http;
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const auto line = std::min(all.find('\n'), all.size());
  const auto body = all.substr(std::min(line + 1, all.size()));
  for (const auto type :
       {all.substr(0, line), std::string_view("multipart/form-data; boundary=x")}) {
    const auto parts = read_form(type, body);
    if (!parts) continue;
    if (parts->size() > form_parts_max) std::abort();
    for (const auto& part : *parts) {
      if (part.name.size() + part.filename.size() > 2 * form_part_head_bytes_max) std::abort();
      if (part.content.data() < body.data() ||
          part.content.data() + part.content.size() > body.data() + body.size())
        std::abort();
    }
  }
  return 0;
}
