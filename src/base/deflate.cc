#include "base/deflate.h"

#include <zlib.h>

#include <new>

namespace stagedoor::base {

std::string deflated(std::string_view bytes) {
  auto length = ::compressBound(bytes.size());
  std::string out(length, '\0');
  const auto result = ::compress(reinterpret_cast<Bytef*>(out.data()), &length,
                                 reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  // With room for the worst case only memory can be missing.
  if (result != Z_OK) throw std::bad_alloc();
  out.resize(length);
  return out;
}

}  // namespace stagedoor::base
