// Accounts, members and log-ins as JSON objects of our own API.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "actions/people.h"
#include "actions/sign_up.h"
#include "base/result.h"
#include "base/secret.h"
#include "http/response.h"
#include "rules/account.h"
#include "rules/member.h"

namespace stagedoor::api {

// Appends ",\"name\":value", without the comma behind a brace that opens.
void append_text(std::string& out, std::string_view name, std::string_view value);
void append_text_or_null(std::string& out, std::string_view name, std::string_view value);
void append_number(std::string& out, std::string_view name, std::int64_t value);
void append_flag(std::string& out, std::string_view name, bool value);
void append_time(std::string& out, std::string_view name, base::Instant instant);
void append_texts(std::string& out, std::string_view name,
                  const std::vector<std::string_view>& values);

void append_account(std::string& out, const rules::Account& account);
void append_membership(std::string& out, const rules::Membership& membership);
void append_member(std::string& out, const rules::MemberRecord& member);
void append_invitation(std::string& out, const rules::Invitation& invitation);

// The bodies of a sign-up and of a log-in: `malformed` with a hint that names the member. Whether a
// password is long enough is for the action to say; this only bounds what is read.
base::Result<actions::SignUp::Request> read_sign_up(std::string_view json);
struct LogInWish {
  rules::Email email;
  base::Secret password;
};
base::Result<LogInWish> read_log_in(std::string_view json);

// {"account":{...},"access_token":...}; not to be kept by anybody on the way.
void reply_logged_in(http::Response& response, const actions::LoggedIn& logged_in);

// {"data":[...],"next":null}: everything in one answer.
template <class List, class Append>
void reply_list(http::Response& response, const List& list, Append append) {
  response.header("Cache-Control", "no-store");
  auto& body = response.start(200, "application/json");
  body += "{\"data\":[";
  for (const auto& item : list) {
    if (&item != &list.front()) body += ',';
    append(body, item);
  }
  body += "],\"next\":null}";
}

}  // namespace stagedoor::api
