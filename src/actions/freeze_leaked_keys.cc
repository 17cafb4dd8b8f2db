#include "actions/freeze_leaked_keys.h"

#include <algorithm>

#include "actions/find_api_key.h"
#include "actions/key_manager.h"
#include "base/text.h"
#include "crypto/hash.h"

namespace stagedoor::actions {
namespace {

using base::Done;

// What a leak touched, for the audit log: numbers, and where it was seen.
std::string touched(const rules::BlastRadius& radius, const rules::LeakReport& report) {
  return "leaked at " + report.url.substr(0, 256) + " (" + report.source.substr(0, 32) +
         "): " + std::to_string(radius.calls) + " calls from " +
         std::to_string(radius.network_count) + " networks, " +
         std::to_string(radius.session_count) + " sessions, " +
         std::to_string(radius.live_session_count) + " of them live, " +
         std::to_string(radius.keys_made_count) + " keys made with it, " +
         std::to_string(radius.room_token_count) + " room tokens";
}

// A reason is bounded and has no control characters, whatever a URL has.
std::string reason_of(const rules::LeakReport& report) {
  auto reason = "leaked: " + report.url.substr(0, 180);
  std::ranges::replace_if(
      reason, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return reason;
}

}  // namespace

base::Result<std::vector<FreezeLeakedKeys::Label>> FreezeLeakedKeys::operator()(
    const Request& request) const {
  if (auto is_signed = parts_.reporters.check(request.identifier, request.signature, request.body);
      !is_signed)
    return base::fail(is_signed.error());
  const auto reports = rules::read_leak_reports(request.body);
  if (!reports) return base::fail(reports.error());
  std::vector<Label> labels;
  for (const auto& report : *reports) {
    auto label = of_report(request, report);
    if (!label) return base::fail(label.error());
    labels.push_back(*std::move(label));
  }
  return labels;
}

base::Result<FreezeLeakedKeys::Label> FreezeLeakedKeys::of_report(
    const Request& request, const rules::LeakReport& report) const {
  Label label;
  label.token_sha256 = base::hex(crypto::sha256(report.token.expose()));
  label.type = report.type;
  const auto key = rules::ApiKeyText::parse(report.token.expose());
  if (!key) return label;
  const auto known = look_up_api_key(parts_.keys, parts_.hasher, *key);
  if (!known) return label;
  label.is_real = true;
  if (known->standing == rules::ApiKeyStanding::revoked) return label;
  if (auto frozen = freeze(request, report, known->id); !frozen) return base::fail(frozen.error());
  return label;
}

base::Result<Done> FreezeLeakedKeys::freeze(const Request& request, const rules::LeakReport& report,
                                            std::uint64_t id) const {
  const auto key = parts_.records.read(id);
  if (!key) return base::fail(key.error());
  const auto radius = parts_.records.blast_radius(*key);
  if (!radius) return base::fail(radius.error());
  rules::AuditEntry entry;
  entry.at = parts_.clock.now();
  entry.workspace_id = workspace_of(parts_.catalog, key->app_id);
  entry.actor = "github-secret-scanning";
  entry.action = name_of(rules::AuditAction::api_key_freeze);
  entry.subject = rules::api_key_id_text(id);
  entry.peer = request.peer;
  entry.request_id = request.request_id;
  entry.detail = touched(*radius, report);
  // Whoever has caught a report can send it again; it must not undo what an owner decided on it.
  const auto now = entry.at;
  const auto frozen = parts_.records.freeze_for_report(id, crypto::sha256(request.body), now,
                                                       reason_of(report), std::move(entry));
  // Revoked between the two: it is refused already.
  if (frozen || frozen.error().code == base::ErrorCode::conflict) return Done{};
  return base::fail(frozen.error());
}

}  // namespace stagedoor::actions
