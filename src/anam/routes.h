// The routes of a class of this door: each runs a method of it on a worker, and what the plumbing
// refuses below its paths is said in the dialect's words.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>
#include <utility>

#include "anam/error_reply.h"
#include "anam/lists.h"
#include "front/guard.h"
#include "http/router.h"
#include "rules/caller.h"

namespace stagedoor::anam {

template <class Door>
class Routes {
 public:
  using Method = void (Door::*)(const rules::Caller&, const http::Request&, http::Response&) const;
  // On a workspace's things (call_of).
  using OnKept = void (Door::*)(const actions::KeepCall&, const http::Request&,
                                http::Response&) const;

  // All of them must stay.
  Routes(const Door& door, http::Router& router, const front::Guard& guard)
      : door_(door), router_(router), guard_(guard) {}

  void below(std::string path) const {
    router_.errors(std::move(path), [](http::Response& response, int status,
                                       std::string_view what) { reply(response, status, what); });
  }
  void add(std::string method, std::string pattern, rules::Permission needs, Method work) const {
    router_.add({std::move(method), std::move(pattern),
                 guard_.slow(needs, [&door = door_, work](
                                        const rules::Caller& caller, const http::Request& in,
                                        http::Response& out) { (door.*work)(caller, in, out); })});
  }
  void add(std::string method, std::string pattern, rules::Permission needs, OnKept work) const {
    router_.add(
        {std::move(method), std::move(pattern),
         guard_.slow(needs, [&door = door_, work](const rules::Caller& caller,
                                                  const http::Request& in, http::Response& out) {
           if (const auto call = call_of(caller, in, out)) (door.*work)(*call, in, out);
         })});
  }
  // The five calls on things of one kind, which those who may read or write personas make.
  void add_kept(const std::string& path, OnKept list, OnKept create, OnKept show, OnKept change,
                OnKept remove) const {
    using rules::Permission;
    below(path);
    add("GET", path, Permission::personas_read, list);
    add("POST", path, Permission::personas_write, create);
    add("GET", path + "/{id}", Permission::personas_read, show);
    add("PUT", path + "/{id}", Permission::personas_write, change);
    add("DELETE", path + "/{id}", Permission::personas_write, remove);
  }

 private:
  const Door& door_;
  http::Router& router_;
  const front::Guard& guard_;
};

}  // namespace stagedoor::anam
