// Text that must not be shown: a key, a token, a password.
//
// Rule secret-unprintable: a Secret has no `<<`, no formatter, no `==` and no copy; `expose()` is
// the only way out, it can be searched for, and the memory is wiped when the Secret ends.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string.h>

#include <string>
#include <string_view>
#include <utility>

namespace stagedoor::base {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  explicit Secret(std::string_view text) : text_(text) {}
  Secret(Secret&& other) noexcept : text_(std::move(other.text_)) { other.wipe(); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      wipe();
      text_ = std::move(other.text_);
      other.wipe();
    }
    return *this;
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { wipe(); }

  std::string_view expose() const { return text_; }
  bool is_empty() const { return text_.empty(); }

 private:
  // All that the memory may hold: a short text that was moved away is still in it.
  void wipe() {
    text_.resize(text_.capacity());
    explicit_bzero(text_.data(), text_.size());
    text_.clear();
  }
  std::string text_;
};

}  // namespace stagedoor::base
