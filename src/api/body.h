// The JSON body of a call of our own API, read member by member. What is missing, of another kind
// or unknown is told with its name; the first such thing is what the caller hears of.
//
//   Body body(request);
//   const auto room = body.text("room", {1, 256});
//   if (const auto read = body.finish(); !read) return reply_problem(response, read.error());
//
// Rule api-unknown-member-refused: a member that a call does not know is refused and named, with
// the nearest one that it knows: a misspelt limit must not silently be no limit.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "http/request.h"

namespace stagedoor::api {

// An object of the body. It and its texts live as long as the body that it is part of. One thread.
class Members {
 public:
  struct Bytes {
    std::size_t least, most;
  };
  struct Range {
    std::int64_t least, most;
  };

  // Required members; where one can't be read, the value means nothing and `finish` says why.
  std::string_view text(std::string_view name, Bytes bytes);
  std::int64_t number(std::string_view name, Range range);
  // Members that need not be there; null counts as not there.
  std::optional<std::string_view> text_if(std::string_view name, Bytes bytes);
  std::optional<std::int64_t> number_if(std::string_view name, Range range);
  std::optional<bool> flag_if(std::string_view name);
  std::optional<std::vector<std::string_view>> texts_if(std::string_view name,
                                                        std::size_t count_max, Bytes each);
  // An object whose values are all texts, under names of the caller's choice.
  std::optional<std::vector<std::pair<std::string_view, std::string_view>>> text_map_if(
      std::string_view name, std::size_t count_max, Bytes each);
  // One word of a list, by its index.
  std::optional<std::size_t> word_if(std::string_view name,
                                     std::span<const std::string_view> words);
  template <std::size_t count>
  std::optional<std::size_t> word_if(std::string_view name,
                                     const std::string_view (&words)[count]) {
    return word_if(name, std::span<const std::string_view>(words));
  }
  std::optional<Members> object_if(std::string_view name);
  // A list of 1 to `count_max` objects; empty where it is not there.
  std::vector<Members> objects_if(std::string_view name, std::size_t count_max);

  // Any value, for members that are read elsewhere.
  std::optional<base::Json> value_if(std::string_view name);

  bool has(std::string_view name);
  // It is there, and null: where that says more than leaving it out.
  bool is_null(std::string_view name);
  // What is wrong with the member beyond its kind; `what` continues a sentence: "must be ...".
  void refuse(std::string_view name, std::string_view what);

 protected:
  // One object that is read, and the names that were asked of it.
  struct Node {
    std::optional<base::Json> object;                           // nullopt: it could not be read
    std::string path;                                           // "" or "grants."
    boost::container::small_vector<std::string_view, 8> asked;  // constants
  };
  struct Reading {
    Node whole;
    std::vector<std::unique_ptr<Node>> inside;  // objects in it
    std::optional<base::Error> error;
  };
  Members(Reading* reading, Node* node) : reading_(reading), node_(node) {}

  std::optional<base::Json> find(std::string_view name);
  Members inside(std::string path, const base::Json& value);
  void need(std::string_view name, std::string_view form);

  Reading* reading_;
  Node* node_;
};

class Body : public Members {
 public:
  // An empty body counts as {}. Another Body must not be made on the thread while this one is used.
  explicit Body(const http::Request& request) : Body(request.body()) {}
  explicit Body(std::string_view json);
  Body(const Body&) = delete;
  Body& operator=(const Body&) = delete;

  // `malformed`, with a hint: not JSON, not an object, or the first member that is not right.
  base::Result<base::Done> finish();

 private:
  void look_for_unknown(const Node& node);

  Reading whole_;
};

}  // namespace stagedoor::api
