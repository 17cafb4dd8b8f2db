// SPDX-License-Identifier: Apache-2.0

#include "http/router.h"

#include <algorithm>
#include <array>
#include <cassert>

namespace stagedoor::http {

namespace {

bool is_part(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

// Both begin with '/'. Segment by segment; a {part} takes one that is not empty.
bool fits(std::string_view pattern, std::string_view path) {
  while (!pattern.empty() && !path.empty()) {
    const auto wanted = pattern.substr(0, std::min(pattern.find('/', 1), pattern.size()));
    const auto found = path.substr(0, std::min(path.find('/', 1), path.size()));
    if (is_part(wanted.substr(1)) ? found.size() < 2 : wanted != found) return false;
    pattern.remove_prefix(wanted.size());
    path.remove_prefix(found.size());
  }
  return pattern.empty() && path.empty();
}

bool serves(const Route& route, std::string_view method) {
  return route.method == method || (method == "HEAD" && route.method == "GET");
}

void add_method(std::string& allow, std::string_view method) {
  if (!allow.empty()) allow += ", ";
  allow += method;
}

}  // namespace

void Router::add(Route route) {
  assert(route.pattern.starts_with('/'));
  if (route.pattern.contains('{')) {
    patterns_.push_back(routes_.size());
  } else {
    exact_[route.pattern].push_back(routes_.size());
  }
  routes_.push_back(std::move(route));
}

void Router::errors(std::string prefix, ErrorWriter writer) {
  const auto longer = [&](const auto& other) { return other.first.size() < prefix.size(); };
  const auto place = std::ranges::find_if(errors_, longer);
  errors_.emplace(place, std::move(prefix), std::move(writer));
}

template <class Visit>
void Router::each_of_path(std::string_view path, Visit visit) const {
  if (const auto found = exact_.find(path); found != exact_.end()) {
    for (const auto index : found->second) {
      if (!visit(routes_[index])) return;
    }
  }
  if (!path.starts_with('/')) return;
  for (const auto index : patterns_) {
    if (fits(routes_[index].pattern, path) && !visit(routes_[index])) return;
  }
}

Router::Match Router::match(std::string_view method, std::string_view path) const {
  Match match;
  each_of_path(path, [&](const Route& route) {
    if (serves(route, method)) match.route = &route;
    return match.route == nullptr;
  });
  if (match.route) return match;
  each_of_path(path, [&](const Route& route) {
    match.path_known = true;
    add_method(match.allow, route.method);
    if (route.method == "GET") add_method(match.allow, "HEAD");
    return true;
  });
  return match;
}

const ErrorWriter& Router::errors_for(std::string_view path) const {
  for (const auto& [prefix, writer] : errors_) {
    if (path.starts_with(prefix)) return writer;
  }
  // What has no path ("", "*", or bytes that are no request) is the business of "/".
  if (!errors_.empty()) return errors_.back().second;
  static const ErrorWriter plain = [](Response& response, int status, std::string_view what) {
    response.start(status, "text/plain").append(what);
  };
  return plain;
}

}  // namespace stagedoor::http
