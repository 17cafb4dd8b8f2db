// The bytes received on a connection and not yet done with: one block that grows by doubling.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

namespace stagedoor::http {

class InputBuffer {
 public:
  static constexpr std::size_t first_bytes = 4096;

  char* data() { return block_.get() + begin_; }
  std::size_t size() const { return end_ - begin_; }
  std::size_t capacity() const { return capacity_; }
  std::string_view view() { return {data(), size()}; }

  // Room after the last byte, at least `wanted`. May move all bytes: the answer is by how far
  // views into them must be moved.
  std::ptrdiff_t make_room(std::size_t wanted) {
    if (capacity_ - end_ >= wanted) return 0;
    if (capacity_ - size() >= wanted) return pack();
    std::size_t larger = capacity_ ? capacity_ : first_bytes;
    while (larger - size() < wanted) larger *= 2;
    return move_to_block_of(larger);
  }
  char* room() { return block_.get() + end_; }
  std::size_t room_size() const { return capacity_ - end_; }
  void received(std::size_t bytes) { end_ += bytes; }

  // Drops bytes from the front; the others stay where they are.
  void consume(std::size_t bytes) {
    begin_ += bytes;
    if (begin_ == end_) begin_ = end_ = 0;
  }

  // Cuts `bytes` out of the middle, `at` behind the front.
  void cut(std::size_t at, std::size_t bytes) {
    std::memmove(data() + at, data() + at + bytes, size() - at - bytes);
    end_ -= bytes;
  }

  // Gives back what is not in use; the answer is by how far views must be moved.
  std::ptrdiff_t shrink() { return move_to_block_of(size()); }

  void release() {
    block_.reset();
    begin_ = end_ = capacity_ = 0;
  }

 private:
  std::ptrdiff_t pack() {
    const auto moved = -static_cast<std::ptrdiff_t>(begin_);
    std::memmove(block_.get(), data(), size());
    end_ -= begin_;
    begin_ = 0;
    return moved;
  }

  std::ptrdiff_t move_to_block_of(std::size_t bytes) {
    auto larger = std::make_unique_for_overwrite<char[]>(bytes);
    if (size() > 0) std::memcpy(larger.get(), data(), size());
    const auto moved = reinterpret_cast<std::intptr_t>(larger.get()) -
                       reinterpret_cast<std::intptr_t>(block_.get()) -
                       static_cast<std::intptr_t>(begin_);
    end_ -= begin_;
    begin_ = 0;
    capacity_ = bytes;
    block_ = std::move(larger);
    return moved;
  }

  std::unique_ptr<char[]> block_;
  std::size_t begin_ = 0, end_ = 0, capacity_ = 0;
};

}  // namespace stagedoor::http
