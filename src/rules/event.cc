#include "rules/event.h"

#include "base/json_writer.h"
#include "rules/audit_action.h"

namespace stagedoor::rules {
namespace {

std::string_view name(const TokenTheftSuspected&) {
  return name_of(AuditAction::session_token_suspect_theft);
}

void write_data(std::string& out, const TokenTheftSuspected& theft) {
  base::JsonWriter(out)
      .text("app_id", theft.app_id)
      .text("environment", name_of(theft.environment))
      .text("session_token_id", theft.token_id)
      .text("minted_by", theft.minted_by)
      .text_or_null("end_user_id", theft.end_user_id)
      .text_or_null("earlier_peer", theft.earlier_peer)
      .text("peer", theft.peer)
      .end();
}

}  // namespace

std::string_view name_of(const Event& event) {
  return std::visit([](const auto& one) { return name(one); }, event);
}

std::string json_of(const Event& event) {
  std::string out;
  base::JsonWriter writer(out);
  writer.text("type", name_of(event));
  std::visit(
      [&](const auto& one) {
        writer.number("at", base::unix_seconds(one.at)).text("workspace_id", one.workspace_id);
        write_data(writer.begin("data"), one);
      },
      event);
  writer.end();
  return out;
}

}  // namespace stagedoor::rules
