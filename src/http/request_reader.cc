// SPDX-License-Identifier: Apache-2.0

#include "http/request_reader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace stagedoor::http {

namespace {

namespace beast_http = boost::beast::http;

// A longer chunk header or trailer than this is nobody's honest request.
constexpr std::size_t chunk_head_bytes_max = 4096;
// RFC 9112 7.1: the shortest end of a chunked body, "0" CRLF CRLF. Beast's parser wants to see as
// much at once.
constexpr std::size_t last_chunk_bytes = 5;
// RFC 9112 2.2: empty lines before a request are ignored; we ignore so many bytes of them.
constexpr std::size_t blank_bytes_max = 8;

constexpr std::string_view digits = "0123456789";

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

// RFC 3986 3.2.2, the characters of a host and a port.
bool is_host(std::string_view text) {
  constexpr auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._~%!$&'()*+,;=:[]").contains(c);
  };
  return std::ranges::all_of(text, allowed);
}

bool has_broken_escape(std::string_view path) {
  constexpr auto is_digit = [](char c) {
    return std::string_view("0123456789abcdefABCDEF").contains(c);
  };
  for (auto at = path.find('%'); at != std::string_view::npos; at = path.find('%', at + 1)) {
    if (path.size() - at < 3 || !is_digit(path[at + 1]) || !is_digit(path[at + 2])) return true;
    if (path.substr(at + 1, 2) == "00") return true;
  }
  return false;
}

std::size_t blanks_before(std::string_view bytes) {
  std::size_t blanks = 0;
  while (blanks < blank_bytes_max && bytes.substr(blanks).starts_with("\r\n")) blanks += 2;
  return blanks;
}

void move_by(std::string_view& view, std::ptrdiff_t moved) {
  if (view.data()) {
    const auto address = reinterpret_cast<std::intptr_t>(view.data()) + moved;
    view = {reinterpret_cast<const char*>(address), view.size()};
  }
}

// Where the words for what Beast found wrong are chosen.
RequestReader::Refusal refusal_of(const boost::beast::error_code& error) {
  if (error == beast_http::error::body_limit) return {413, "The body is too large."};
  if (error == beast_http::error::header_limit) return {431, "The head is too large."};
  if (error == beast_http::error::bad_version) return {400, "The HTTP version is not 1.0 or 1.1."};
  if (error == beast_http::error::bad_target) return {400, "The target is malformed."};
  if (error == beast_http::error::bad_method) return {400, "The method is malformed."};
  if (error == beast_http::error::bad_content_length ||
      error == beast_http::error::multiple_content_length) {
    return {400, "Content-Length is malformed."};
  }
  if (error == beast_http::error::bad_transfer_encoding) {
    return {400, "Transfer-Encoding is not allowed here."};
  }
  if (error == beast_http::error::bad_chunk || error == beast_http::error::bad_chunk_extension) {
    return {400, "The chunked body is malformed."};
  }
  return {400, "The head is malformed."};
}

}  // namespace

void RequestReader::reset() {
  parser_.reset();
  fields_.clear();
  request_ = {};
  stage_ = Stage::head;
  keeps_alive_ = expects_continue_ = false;
  hosts_ = lengths_ = codings_ = 0;
  length_ = 0;
  scanned_ = head_bytes_ = body_bytes_ = 0;
  bytes_wanted_ = 1;
  refusal_ = {};
}

RequestReader::Progress RequestReader::refuse(int status, std::string_view what) {
  refusal_ = {status, what};
  return Progress::refused;
}

RequestReader::Progress RequestReader::read(InputBuffer& input) {
  if (stage_ == Stage::head) {
    const auto progress = read_head(input);
    if (progress != Progress::complete) return progress;
  }
  return stage_ == Stage::chunked_body ? read_chunked_body(input) : read_length_body(input);
}

RequestReader::Progress RequestReader::read_head(InputBuffer& input) {
  const auto bytes = input.view();
  const auto end = bytes.substr(0, limits_.head_bytes_max)
                       .find("\r\n\r\n", std::max<std::size_t>(scanned_, 3) - 3);
  const auto blanks = blanks_before(bytes);
  // The end of the blank lines before a request is not the end of its head.
  if (end != std::string_view::npos && end >= blanks) return parse_head(input, end + 4);
  if (end != std::string_view::npos) {
    const auto next = bytes.substr(0, limits_.head_bytes_max).find("\r\n\r\n", blanks);
    if (next != std::string_view::npos) return parse_head(input, next + 4);
  }
  return look_at_partial_head(bytes);
}

// A fault is told as soon as it is there, and not when the peer has closed or our patience is over.
RequestReader::Progress RequestReader::look_at_partial_head(std::string_view bytes) {
  const auto seen = std::min(bytes.size(), limits_.head_bytes_max);
  for (auto i = scanned_; i < seen; ++i) {
    const bool after_return = i > 0 && bytes[i - 1] == '\r';
    if ((bytes[i] == '\n') != after_return) {
      return refuse(400, "A line does not end with CR and LF.");
    }
    if (is_control(bytes[i]) && bytes[i] != '\r' && bytes[i] != '\n' && bytes[i] != '\t') {
      return refuse(400, "There is a control character in the head.");
    }
  }
  scanned_ = seen;
  if (bytes.size() >= limits_.head_bytes_max) return refuse(431, "The head is too large.");
  return Progress::need_more;
}

RequestReader::Progress RequestReader::parse_head(InputBuffer& input, std::size_t head_bytes) {
  const auto blanks = blanks_before(input.view());
  head_bytes_ = head_bytes;
  head_ = input.view().substr(blanks, head_bytes - blanks);
  parser_.emplace(*this);
  parser_->header_limit(static_cast<std::uint32_t>(limits_.head_bytes_max + last_chunk_bytes));
  parser_->body_limit(limits_.body_bytes_max);
  boost::beast::error_code error;
  const auto used = parser_->put(boost::asio::buffer(head_.data(), head_.size()), error);
  // What Beast could not put into words it refused for one of ours.
  if (!refusal_.what.empty()) return Progress::refused;
  if (error) {
    refusal_ = refusal_of(error);
    return Progress::refused;
  }
  if (used != head_.size() || !parser_->is_header_done()) {
    return refuse(400, "The head is malformed.");
  }
  request_.headers_ = fields_;
  return finish_head();
}

RequestReader::Progress RequestReader::finish_head() {
  // RFC 9112 3.2: exactly one Host in HTTP/1.1.
  if (version_ == 11 && hosts_ == 0) return refuse(400, "The Host field is missing.");
  if (codings_ > 0 && version_ == 10) {
    return refuse(400, "Transfer-Encoding is not allowed here.");
  }
  if (length_ > limits_.body_bytes_max) return refuse(413, "The body is too large.");
  keeps_alive_ = parser_->keep_alive();
  stage_ = codings_ > 0 ? Stage::chunked_body : Stage::length_body;
  return Progress::complete;
}

bool RequestReader::take_target(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    // RFC 9112 3.2.2: a server takes the absolute form too.
    if (target.size() > scheme.size() && same_name(target.substr(0, scheme.size()), scheme)) {
      target.remove_prefix(scheme.size());
      const auto authority = target.substr(0, target.find_first_of("/?"));
      if (authority.empty() || !is_host(authority)) return false;
      target.remove_prefix(authority.size());
      if (!target.starts_with('/')) {
        request_.path_ = "/";
        if (!target.empty()) request_.query_ = target.substr(1);
        return true;
      }
      break;
    }
  }
  if (target == "*" && request_.method_ == "OPTIONS") {
    request_.path_ = target;
    return true;
  }
  if (!target.starts_with('/')) return false;
  const auto path_end = std::min(target.find('?'), target.size());
  request_.path_ = target.substr(0, path_end);
  if (path_end < target.size()) request_.query_ = target.substr(path_end + 1);
  return !has_broken_escape(request_.path_);
}

void RequestReader::Parser::on_request_impl(beast_http::verb, View method, View sent_target,
                                            int version, Error& error) {
  const std::string_view target = sent_target;
  reader_.request_.method_ = method;
  reader_.version_ = version;
  if (target.contains('#') || !reader_.take_target(target)) error = beast_http::error::bad_target;
}

void RequestReader::Parser::on_field_impl(beast_http::field field, View name, View value,
                                          Error& error) {
  // Trailers are read past: nothing of ours wants them, and they must not pass for fields.
  if (reader_.stage_ != Stage::head) return;
  if (!reader_.take_field(field, name, value)) error = beast_http::error::bad_field;
}

// Whether the line that the name begins is not folded (RFC 9112 5.2: the next one begins with a
// blank). Beast would unfold it.
bool RequestReader::is_one_line(std::string_view name) const {
  const auto name_end = static_cast<std::size_t>(name.data() + name.size() - head_.data());
  const auto line_end = head_.find('\n', name_end);
  const auto next = line_end == std::string_view::npos ? head_.size() : line_end + 1;
  return next < head_.size() && head_[next] != ' ' && head_[next] != '\t';
}

bool RequestReader::take_field(beast_http::field field, std::string_view name,
                               std::string_view value) {
  const auto fault = [this](std::string_view what) {
    refusal_ = {400, what};
    return false;
  };
  if (fields_.size() == fields_max) {
    refusal_ = {431, "There are too many fields."};
    return false;
  }
  if (!is_one_line(name)) return fault("A field is folded over lines.");
  switch (field) {
    case beast_http::field::host:
      if (++hosts_ > 1) return fault("There is more than one Host field.");
      if (!is_host(value)) return fault("The Host field is malformed.");
      break;
    case beast_http::field::content_length: {
      if (++lengths_ > 1) return fault("There is more than one Content-Length.");
      if (codings_ > 0) return fault("Content-Length beside Transfer-Encoding.");
      const auto read = std::from_chars(value.data(), value.data() + value.size(), length_);
      if (value.empty() || value.find_first_not_of(digits) != std::string_view::npos ||
          read.ec != std::errc{}) {
        return fault("Content-Length is malformed.");
      }
      break;
    }
    case beast_http::field::transfer_encoding:
      if (++codings_ > 1) return fault("There is more than one Transfer-Encoding.");
      if (lengths_ > 0) return fault("Content-Length beside Transfer-Encoding.");
      if (!same_name(value, "chunked")) return fault("A Transfer-Encoding other than chunked.");
      break;
    case beast_http::field::expect:
      expects_continue_ = same_name(value, "100-continue");
      break;
    default:
      break;
  }
  fields_.emplace_back(name, value);
  return true;
}

RequestReader::Progress RequestReader::read_length_body(InputBuffer& input) {
  const auto whole = head_bytes_ + static_cast<std::size_t>(length_);
  if (input.size() < whole) {
    bytes_wanted_ = whole - input.size();
    return Progress::need_more;
  }
  body_bytes_ = static_cast<std::size_t>(length_);
  return finish(input);
}

std::size_t RequestReader::Parser::on_chunk_body_impl(std::uint64_t, View body, Error&) {
  std::memmove(reader_.body_end_, body.data(), body.size());
  reader_.body_end_ += body.size();
  reader_.body_bytes_ += body.size();
  return body.size();
}

// The block holds: the head, what is decoded, what is not. In that order Beast's parser is given
// the last part, and what it has taken is cut out.
RequestReader::Progress RequestReader::read_chunked_body(InputBuffer& input) {
  const auto decoded_before = head_bytes_ + body_bytes_;
  body_end_ = input.data() + decoded_before;
  auto rest = input.view().substr(decoded_before);
  auto progress = Progress::need_more;
  while (progress == Progress::need_more && rest.size() >= last_chunk_bytes) {
    const auto shown = rest.substr(0, chunk_head_bytes_max);
    boost::beast::error_code error;
    const auto used = parser_->put(boost::asio::buffer(shown.data(), shown.size()), error);
    rest.remove_prefix(used);
    if (parser_->is_done()) {
      progress = Progress::complete;
    } else if (error == beast_http::error::need_more && used == 0) {
      if (shown.size() < chunk_head_bytes_max) break;
      progress = refuse(400, "The chunked body is malformed.");
    } else if (error && error != beast_http::error::need_more) {
      refusal_ = refusal_of(error);
      progress = Progress::refused;
    }
  }
  const auto decoded = head_bytes_ + body_bytes_;
  input.cut(decoded, input.size() - decoded - rest.size());
  bytes_wanted_ = 1;
  return progress == Progress::complete ? finish(input) : progress;
}

RequestReader::Progress RequestReader::finish(InputBuffer& input) {
  request_.body_ = input.view().substr(head_bytes_, body_bytes_);
  return Progress::complete;
}

void RequestReader::rebase(std::ptrdiff_t moved) {
  if (moved == 0 || stage_ == Stage::head) return;
  for (auto& [name, value] : fields_) {
    move_by(name, moved);
    move_by(value, moved);
  }
  move_by(request_.method_, moved);
  // The path of an absolute target without one is a constant of ours.
  if (request_.path_.data() >= head_.data() &&
      request_.path_.data() < head_.data() + head_.size()) {
    move_by(request_.path_, moved);
  }
  move_by(request_.query_, moved);
  move_by(request_.body_, moved);
  move_by(head_, moved);
}

void RequestReader::shrink() {
  fields_.shrink_to_fit();
  request_.headers_ = fields_;
}

}  // namespace stagedoor::http
