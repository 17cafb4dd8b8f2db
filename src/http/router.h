// Which handler a request goes to. Filled once at start, then read by all loops at once.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "http/request.h"
#include "http/response.h"
#include "http/task.h"
#include "http/upgrade.h"

namespace stagedoor::http {

// Answers at once, on the loop: no blocking. The fast path.
using Handler = std::function<void(const Request&, Response&)>;
// May wait; runs on the connection's loop. An empty task, `{}`: it has answered without waiting,
// which costs no coroutine.
using WaitingHandler = std::function<Task<>(const Request&, Response&)>;
// Takes a WebSocket upgrade, or refuses it with a plain answer (see http/upgrade.h). It is called
// for every GET of its path, also for one that asks for no upgrade.
using UpgradeHandler = std::function<Task<>(const Request&, Upgrade&)>;

// What the plumbing itself must refuse (before or without a handler), in the words of the door that
// owns the path. `status` is one of 400 404 405 408 413 415 431 500 503; `what` is a plain
// sentence.
using ErrorWriter = std::function<void(Response&, int status, std::string_view what)>;

struct Route {
  std::string method;   // GET, POST, ...; HEAD is served by GET
  std::string pattern;  // "/v2/character/{id}": a {name} part matches one non-empty path segment
  std::variant<Handler, WaitingHandler, UpgradeHandler> handler;
};

class Router {
 public:
  void add(Route route);
  // All paths that begin with `prefix` get their plumbing refusals from `writer`; the longest
  // prefix wins. "/" must be given.
  void errors(std::string prefix, ErrorWriter writer);

  struct Match {
    const Route* route = nullptr;  // null: nothing there
    bool path_known = false;       // the path exists with another method: 405
    std::string allow;             // for 405: the methods it has, for the Allow field
  };
  Match match(std::string_view method, std::string_view path) const;
  const ErrorWriter& errors_for(std::string_view path) const;
  const std::vector<Route>& routes() const { return routes_; }

 private:
  struct PathHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view path) const {
      return std::hash<std::string_view>{}(path);
    }
  };
  template <class Visit>
  void each_of_path(std::string_view path, Visit visit) const;

  std::vector<Route> routes_;
  // Indexes into routes_: of the paths without parts by path, and of the patterns in their order.
  std::unordered_map<std::string, std::vector<std::size_t>, PathHash, std::equal_to<>> exact_;
  std::vector<std::size_t> patterns_;
  std::vector<std::pair<std::string, ErrorWriter>> errors_;  // the longest prefix first
};

}  // namespace stagedoor::http
