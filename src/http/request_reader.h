// Bytes to one Request: a strict reading of HTTP/1.0 and 1.1 over Beast's parser, without copying.
//
// The head is parsed when it is whole, and only then; so the outcome depends on the bytes alone and
// not on how they were cut. What two servers in a row might read differently (request smuggling) is
// refused with 400: Content-Length beside Transfer-Encoding, more than one of either, another
// coding than chunked, bare CR or LF, folded lines, blanks before the colon, controls in fields. A
// chunked body is decoded in place, so that the whole request is in one block.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/input_buffer.h"
#include "http/request.h"

namespace stagedoor::http {

struct ReaderLimits {
  std::size_t head_bytes_max, body_bytes_max;
};

class RequestReader {
 public:
  static constexpr std::size_t fields_max = 128;

  enum class Progress { need_more, complete, refused };

  struct Refusal {
    int status = 400;
    std::string_view what;  // a sentence that outlives everything
  };

  explicit RequestReader(ReaderLimits limits) : limits_(limits) {}

  // Makes it ready for the next request, keeping the memory.
  void reset();

  // Looks at the bytes in `input`, which begin with those of this request and only grow. After
  // `complete` or `refused` call `reset` before the next.
  Progress read(InputBuffer& input);

  // The bytes in `input` have moved by so much: moves the views into them.
  void rebase(std::ptrdiff_t moved);

  // Gives the field list the least memory, for a request that will be held for long.
  void shrink();

  // Known when the head is read (`has_head`), the body when `complete`.
  const Request& request() const { return request_; }
  bool has_head() const { return stage_ != Stage::head; }
  bool keeps_alive() const { return keeps_alive_; }
  bool is_http_1_0() const { return version_ == 10; }
  bool expects_continue() const { return expects_continue_; }

  // How many bytes of `input` the complete request takes.
  std::size_t bytes_used() const { return head_bytes_ + body_bytes_; }
  // How many bytes are known to be still missing, at least 1.
  std::size_t bytes_wanted() const { return bytes_wanted_; }

  const Refusal& refusal() const { return refusal_; }

  // Facts of the connection, told once per request.
  void id(std::string_view id) { request_.id_ = id; }
  void peer(std::string_view peer, const base::Address& client) {
    request_.peer_ = peer;
    request_.client_ = client;
  }
  void route_pattern(std::string_view pattern) { request_.route_pattern_ = pattern; }
  // They outlive the request.
  void secrets_in_target(const SecretsInTarget& secrets) { request_.secrets_ = &secrets; }

 private:
  enum class Stage { head, length_body, chunked_body };

  // Beast's parser, telling us what it finds.
  class Parser final : public boost::beast::http::basic_parser<true> {
   public:
    explicit Parser(RequestReader& reader) : reader_(reader) {}

   private:
    using Error = boost::beast::error_code;
    using View = boost::beast::string_view;
    void on_request_impl(boost::beast::http::verb, View method, View target, int version,
                         Error& error) override;
    void on_response_impl(int, View, int, Error&) override {}
    void on_field_impl(boost::beast::http::field field, View name, View value,
                       Error& error) override;
    void on_header_impl(Error&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, Error&) override {}
    std::size_t on_body_impl(View body, Error&) override { return body.size(); }
    void on_chunk_header_impl(std::uint64_t, View, Error&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, View body, Error&) override;
    void on_finish_impl(Error&) override {}

    RequestReader& reader_;
  };

  Progress read_head(InputBuffer& input);
  Progress parse_head(InputBuffer& input, std::size_t head_bytes);
  Progress look_at_partial_head(std::string_view bytes);
  Progress finish_head();
  Progress read_length_body(InputBuffer& input);
  Progress read_chunked_body(InputBuffer& input);
  Progress finish(InputBuffer& input);
  Progress refuse(int status, std::string_view what);
  bool take_target(std::string_view target);
  bool take_field(boost::beast::http::field field, std::string_view name, std::string_view value);
  bool is_one_line(std::string_view name) const;

  ReaderLimits limits_;
  std::optional<Parser> parser_;
  Request request_;
  std::vector<std::pair<std::string_view, std::string_view>> fields_;
  Stage stage_ = Stage::head;
  int version_ = 11;
  bool keeps_alive_ = false, expects_continue_ = false;
  unsigned hosts_ = 0, lengths_ = 0, codings_ = 0;
  std::uint64_t length_ = 0;
  std::size_t scanned_ = 0;     // of the head: what holds no end and no fault
  std::size_t head_bytes_ = 0;  // the head, with blank lines before it
  std::size_t body_bytes_ = 0;  // decoded
  std::size_t bytes_wanted_ = 1;
  std::string_view head_;     // while it is parsed
  char* body_end_ = nullptr;  // while chunks are parsed: where the next decoded byte goes
  Refusal refusal_;
};

}  // namespace stagedoor::http
