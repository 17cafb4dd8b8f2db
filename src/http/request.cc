// SPDX-License-Identifier: Apache-2.0

#include "http/request.h"

#include <algorithm>

namespace stagedoor::http {

namespace {

constexpr int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Takes the text up to `separator` off the front of `rest`.
std::string_view take_until(std::string_view& rest, char separator) {
  const auto end = std::min(rest.find(separator), rest.size());
  const auto taken = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return taken;
}

// Whether the name of a parameter, as sent, stands for one of the secret names. A name that cannot
// be decoded is taken for one: nobody reads its value, and it may be a credential misspelled.
bool is_secret(std::string_view name, std::span<const std::string> secret_names) {
  const auto decoded = percent_decoded(name, Plus::is_space);
  if (!decoded) return true;
  return std::ranges::any_of(
      secret_names, [&](const std::string& secret) { return same_name(secret, *decoded); });
}

std::string path_for_log(std::string_view path, std::span<const std::string> secret_prefixes) {
  for (const auto& prefix : secret_prefixes) {
    if (!path.starts_with(prefix)) continue;
    const auto end = std::min(path.find('/', prefix.size()), path.size());
    return prefix + "***" + std::string(path.substr(end));
  }
  return std::string(path);
}

}  // namespace

std::optional<std::string> percent_decoded(std::string_view text, Plus plus) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (text.size() - i < 3) return std::nullopt;
      const int high = digit_of(text[i + 1]);
      const int low = digit_of(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      decoded += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      decoded += text[i] == '+' && plus == Plus::is_space ? ' ' : text[i];
    }
  }
  return decoded;
}

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return lower(x) == lower(y); });
}

bool has_token(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    auto item = take_until(list, ',');
    while (!item.empty() && (item.front() == ' ' || item.front() == '\t')) item.remove_prefix(1);
    while (!item.empty() && (item.back() == ' ' || item.back() == '\t')) item.remove_suffix(1);
    if (same_name(item, token)) return true;
  }
  return false;
}

std::string Request::path_part(std::string_view name) const {
  auto pattern = route_pattern_;
  auto path = path_;
  while (!pattern.empty()) {
    const auto wanted = take_until(pattern, '/');
    const auto found = take_until(path, '/');
    if (wanted.size() == name.size() + 2 && wanted.front() == '{' &&
        wanted.substr(1, name.size()) == name) {
      return percent_decoded(found, Plus::is_plus).value_or("");
    }
  }
  return "";
}

std::optional<std::string> Request::query(std::string_view name) const {
  auto rest = query_;
  while (!rest.empty()) {
    auto parameter = take_until(rest, '&');
    const auto key = take_until(parameter, '=');
    if (percent_decoded(key, Plus::is_space) != name) continue;
    return percent_decoded(parameter, Plus::is_space);
  }
  return std::nullopt;
}

std::optional<std::string_view> Request::header(std::string_view name) const {
  for (const auto& [key, value] : headers_) {
    if (same_name(key, name)) return value;
  }
  return std::nullopt;
}

std::size_t Request::header_count(std::string_view name) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      headers_, [&](const auto& field) { return same_name(field.first, name); }));
}

std::string Request::target_for_log() const {
  static const SecretsInTarget none;
  const auto& secrets = secrets_ ? *secrets_ : none;
  std::string target = path_for_log(path_, secrets.path_prefixes);
  auto rest = query_;
  char separator = '?';
  while (!rest.empty()) {
    auto parameter = take_until(rest, '&');
    const bool has_value = parameter.contains('=');
    const auto key = take_until(parameter, '=');
    target += separator;
    separator = '&';
    target += key;
    if (has_value)
      target.append("=").append(is_secret(key, secrets.query_names) ? "***" : parameter);
  }
  return target;
}

KeptRequest::KeptRequest(const Request& request) : request_(request) {
  std::size_t bytes = 0;
  const auto each_view = [&](auto visit) {
    for (auto* view : {&request_.method_, &request_.path_, &request_.query_, &request_.body_,
                       &request_.id_, &request_.peer_})
      visit(*view);
    for (auto& [name, value] : headers_) {
      visit(name);
      visit(value);
    }
  };
  headers_.assign(request.headers_.begin(), request.headers_.end());
  each_view([&](std::string_view view) { bytes += view.size(); });
  text_.reserve(bytes);  // so that it never moves below
  each_view([&](std::string_view& view) {
    const auto at = text_.size();
    text_.append(view);
    view = std::string_view(text_).substr(at, view.size());
  });
  request_.headers_ = headers_;
}

}  // namespace stagedoor::http
