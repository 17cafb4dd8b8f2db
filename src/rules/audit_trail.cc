#include "rules/audit_trail.h"

#include "base/json.h"
#include "base/text.h"

namespace stagedoor::rules {
namespace {

bool is_action(std::string_view wanted, std::string_view action) {
  if (wanted.ends_with('*')) return action.starts_with(wanted.substr(0, wanted.size() - 1));
  return action == wanted;
}

void append_member(std::string& out, std::string_view name, std::string_view text) {
  out += ',';
  base::append_json_string(out, name);
  out += ':';
  base::append_json_string(out, text);
}

}  // namespace

std::string place_text(std::string_view app_id, Environment environment) {
  return std::string(app_id).append(", ").append(name_of(environment));
}

bool is_meant(const AuditQuery& query, const AuditEntry& entry) {
  return (!query.since || entry.at >= *query.since) && (!query.until || entry.at < *query.until) &&
         (!query.actor || entry.actor == *query.actor) &&
         (!query.subject || entry.subject == *query.subject) &&
         (!query.action || is_action(*query.action, entry.action)) &&
         (!query.outcome || entry.outcome == *query.outcome);
}

void append_json(std::string& out, const KeptAuditEntry& kept) {
  const auto& entry = kept.entry;
  const auto millis = base::unix_millis(entry.at);
  out += "{\"number\":" + std::to_string(kept.number);
  out += ",\"at\":" + std::to_string(millis / 1000) + ".";
  const auto thousandths = std::to_string(1000 + millis % 1000);
  out += thousandths.substr(1);
  append_member(out, "workspace_id", entry.workspace_id);
  append_member(out, "actor", entry.actor);
  append_member(out, "action", entry.action);
  append_member(out, "subject", entry.subject);
  append_member(out, "outcome", entry.outcome == AuditOutcome::done ? "done" : "refused");
  append_member(out, "peer", entry.peer);
  append_member(out, "request_id", entry.request_id);
  append_member(out, "detail", entry.detail);
  append_member(out, "seal", base::hex(kept.seal));
  out += '}';
}

}  // namespace stagedoor::rules
