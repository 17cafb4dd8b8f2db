#include "api/account_json.h"

#include "api/body.h"
#include "base/json.h"

namespace stagedoor::api {
namespace {

std::string& begin(std::string& out, std::string_view name) {
  if (!out.ends_with('{')) out += ',';
  base::append_json_string(out, name);
  return out += ':';
}

constexpr Members::Bytes any_password = {1, 1024};
constexpr Members::Bytes any_email = {1, 512};

}  // namespace

base::Result<actions::SignUp::Request> read_sign_up(std::string_view json) {
  Body body(json);
  actions::SignUp::Request wanted;
  wanted.email = body.text("email", any_email);
  wanted.password = base::Secret(body.text("password", any_password));
  wanted.name = body.text_if("name", {0, rules::account_name_bytes_max}).value_or("");
  if (const auto code = body.text_if("invitation_code", {1, rules::invitation_code_bytes_max}))
    wanted.code = base::Secret(*code);
  if (const auto read = body.finish(); !read) return base::fail(read.error());
  return wanted;
}

base::Result<LogInWish> read_log_in(std::string_view json) {
  Body body(json);
  const auto email_text = body.text("email", any_email);
  base::Secret password(body.text("password", any_password));
  if (const auto read = body.finish(); !read) return base::fail(read.error());
  auto email = rules::read_email(email_text);
  if (!email) return base::fail(email.error());
  return LogInWish{.email = *std::move(email), .password = std::move(password)};
}

void append_text(std::string& out, std::string_view name, std::string_view value) {
  base::append_json_string(begin(out, name), value);
}

void append_text_or_null(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty())
    begin(out, name) += "null";
  else
    append_text(out, name, value);
}

void append_number(std::string& out, std::string_view name, std::int64_t value) {
  begin(out, name) += std::to_string(value);
}

void append_flag(std::string& out, std::string_view name, bool value) {
  begin(out, name) += value ? "true" : "false";
}

void append_time(std::string& out, std::string_view name, base::Instant instant) {
  append_number(out, name, base::unix_seconds(instant));
}

void append_texts(std::string& out, std::string_view name,
                  const std::vector<std::string_view>& values) {
  begin(out, name) += '[';
  for (const auto& value : values) {
    if (&value != &values.front()) out += ',';
    base::append_json_string(out, value);
  }
  out += ']';
}

void append_account(std::string& out, const rules::Account& account) {
  out += '{';
  append_text(out, "id", account.id);
  append_text_or_null(out, "email", account.email);
  append_flag(out, "email_verified", account.email_is_verified);
  append_text(out, "name", account.name);
  append_time(out, "created_at", account.created_at);
  out += '}';
}

void append_membership(std::string& out, const rules::Membership& membership) {
  out += '{';
  append_text(out, "workspace_id", membership.workspace_id);
  append_text(out, "name", membership.workspace_name);
  append_text(out, "role", rules::name_of(membership.role));
  out += '}';
}

void append_member(std::string& out, const rules::MemberRecord& member) {
  out += '{';
  append_text(out, "account_id", member.account_id);
  append_text_or_null(out, "email", member.email);
  append_text(out, "name", member.name);
  append_text(out, "role", rules::name_of(member.role));
  append_time(out, "since_at", member.since);
  out += '}';
}

void append_invitation(std::string& out, const rules::Invitation& invitation) {
  out += '{';
  append_text(out, "id", invitation.id);
  append_text(out, "email", invitation.email_key);
  append_text(out, "role", rules::name_of(invitation.role));
  append_text(out, "created_by", invitation.created_by);
  append_time(out, "created_at", invitation.created_at);
  append_time(out, "expires_at", invitation.expires_at);
  out += '}';
}

void reply_logged_in(http::Response& response, const actions::LoggedIn& logged_in) {
  response.header("Cache-Control", "no-store");
  auto& body = response.start(200, "application/json");
  body += "{\"account\":";
  append_account(body, logged_in.account);
  append_text(body, "token_type", "Bearer");
  append_text(body, "access_token", logged_in.access_token.expose());
  append_time(body, "access_expires_at", logged_in.access_expires_at);
  append_text(body, "refresh_token", logged_in.refresh_token.expose());
  append_time(body, "refresh_expires_at", logged_in.refresh_expires_at);
  body += '}';
}

}  // namespace stagedoor::api
