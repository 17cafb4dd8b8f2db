#include "server/end_user_commands.h"

#include <fmt/format.h>

#include "base/json.h"
#include "server/complain.h"
#include "server/workspace.h"

namespace stagedoor::server {
namespace {

// In quotes also for people: whoever names end users must not write to the operator's terminal.
std::string json_text(std::string_view text) {
  std::string out;
  base::append_json_string(out, text);
  return out;
}

}  // namespace

int limit_end_user(const std::string& data, const Config& config, const EndUserWish& wish) {
  std::optional<rules::RateLimit> limit;
  if (wish.rate_limit != "none") {
    const auto read = rules::read_rate_limit(wish.rate_limit);
    if (!read) return complain(read.error());
    limit = *read;
  }
  const auto workspace = Workspace::open({data}, config);
  if (!workspace) return complain(workspace.error());
  const auto done = (*workspace)
                        ->keep_end_user_limit->change(actions::Actor::of_operator(), wish.app_id,
                                                      wish.end_user_id, limit);
  if (!done) return complain(done.error());
  fmt::print("{}  {}\n", json_text(wish.end_user_id),
             limit ? rules::text_of(*limit) : "that of the app");
  return 0;
}

int list_end_users(const std::string& data, const Config& config, const std::string& app_id,
                   bool json) {
  const auto workspace = Workspace::open({data}, config);
  if (!workspace) return complain(workspace.error());
  if ((*workspace)->catalog->app(app_id) == nullptr)
    return complain({base::ErrorCode::not_found, "no such app", "There is no app with this id."});
  const auto all = (*workspace)->end_user_limits->list(app_id, "", rules::end_user_limits_max);
  for (const auto& each : all) {
    const auto id = json_text(each.end_user_id);
    const auto limit = rules::text_of(each.limit);
    if (json) {
      fmt::print("{{\"end_user_id\":{},\"rate_limit\":\"{}\"}}\n", id, limit);
    } else {
      fmt::print("{}  {}\n", id, limit);
    }
  }
  return 0;
}

}  // namespace stagedoor::server
