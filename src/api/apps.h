// GET and POST /v1/apps, GET and PATCH /v1/apps/{app_id}.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "actions/keep_app.h"
#include "base/clock.h"
#include "front/guard.h"
#include "http/router.h"
#include "rules/caller.h"
#include "rules/monthly_minutes.h"

namespace stagedoor::api {

// Safe for concurrent use.
class Apps {
 public:
  struct Parts {
    const actions::KeepApp& keep;
    const rules::MinuteMeter& minutes;
    const base::Clock& clock;
  };
  explicit Apps(Parts parts) : parts_(parts) {}
  // This must outlive the router.
  void add_to(http::Router& router, const front::Guard& guard) const;

 private:
  using Caller = rules::Caller;
  void list(const Caller& caller, const http::Request& request, http::Response& response) const;
  void create(const Caller& caller, const http::Request& request, http::Response& response) const;
  void show(const Caller& caller, const http::Request& request, http::Response& response) const;
  void change(const Caller& caller, const http::Request& request, http::Response& response) const;
  void answer(http::Response& response, int status, const base::Result<rules::App>& app) const;
  void write(std::string& out, const rules::App& app) const;
  void write_month(std::string& out, const rules::App& app) const;

  Parts parts_;
};

}  // namespace stagedoor::api
