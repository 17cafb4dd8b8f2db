#include "server/audit_commands.h"

#include <fmt/format.h>

#include <filesystem>

#include "rules/audit_trail.h"
#include "server/complain.h"
#include "server/workspace.h"
#include "store/sqlite_audit_log.h"
#include "store/sqlite_audit_trail.h"

namespace stagedoor::server {
namespace {

using base::ErrorCode;

std::optional<std::string> if_any(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

std::optional<base::Instant> instant_if_any(std::optional<std::int64_t> seconds) {
  return seconds ? std::optional(base::from_unix_seconds(*seconds)) : std::nullopt;
}

base::Result<std::optional<rules::AuditCheckpoint>> checkpoint_of(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const auto checkpoint = rules::parse_audit_checkpoint(text);
  if (!checkpoint) return base::fail(checkpoint.error());
  return *checkpoint;
}

base::Result<base::Done> check_folder(const DataFolder& folder) {
  if (std::filesystem::exists(folder.database())) return base::Done{};
  return base::fail(ErrorCode::not_found, "no workspace",
                    "There is no workspace in " + folder.path + ".");
}

}  // namespace

int verify_audit(const std::string& data, const AuditProof& proof) {
  const DataFolder folder{data};
  if (auto there = check_folder(folder); !there) return complain(there.error());
  const auto expected = checkpoint_of(proof.checkpoint);
  if (!expected) return complain(expected.error());
  const auto from = checkpoint_of(proof.from);
  if (!from) return complain(from.error());
  const auto sealer = store::read_audit_key(folder.audit_key());
  if (!sealer) return complain(sealer.error());
  store::SqliteReaders readers(folder.database());
  const store::SqliteAuditTrail trail(readers);
  const auto newest = trail.verify(*sealer, from->value_or(rules::AuditCheckpoint{}), *expected);
  if (!newest) return complain(newest.error());
  fmt::print("The audit log is whole: {} entries. Checkpoint {}\n", newest->number,
             rules::text_of(*newest));
  return 0;
}

int export_audit(const std::string& data, const AuditExport& wish) {
  const DataFolder folder{data};
  if (auto there = check_folder(folder); !there) return complain(there.error());
  rules::AuditQuery query;
  query.since = instant_if_any(wish.since_seconds);
  query.until = instant_if_any(wish.until_seconds);
  query.workspace_id = if_any(wish.workspace_id);
  query.actor = if_any(wish.actor);
  query.action = if_any(wish.action);
  query.subject = if_any(wish.subject);
  if (!wish.outcome.empty())
    query.outcome =
        wish.outcome == "done" ? rules::AuditOutcome::done : rules::AuditOutcome::refused;
  query.order = rules::AuditOrder::oldest_first;
  query.count_max = 1000;
  store::SqliteReaders readers(folder.database());
  const store::SqliteAuditTrail trail(readers);
  std::string lines;
  do {
    const auto page = trail.read(query);
    if (!page) return complain(page.error());
    lines.clear();
    for (const auto& kept : page->entries) {
      rules::append_json(lines, kept);
      lines += '\n';
    }
    if (std::fwrite(lines.data(), 1, lines.size(), stdout) != lines.size())
      return complain({ErrorCode::unavailable, "", "The lines could not be written."});
    query.beyond = page->beyond;
    query.last = page->last;
  } while (query.beyond != 0);
  return 0;
}

int print_audit_checkpoint(const std::string& data) {
  const DataFolder folder{data};
  if (auto there = check_folder(folder); !there) return complain(there.error());
  const auto sealer = store::read_audit_key(folder.audit_key());
  if (!sealer) return complain(sealer.error());
  store::SqliteReaders readers(folder.database());
  const auto newest = store::SqliteAuditTrail(readers).newest(*sealer);
  if (!newest) return complain(newest.error());
  fmt::print("{}\n", rules::text_of(*newest));
  return 0;
}

int renew_audit_key(const std::string& data, const Config& config) {
  const DataFolder folder{data};
  if (auto there = check_folder(folder); !there) return complain(there.error());
  crypto::SystemRandom random;
  rules::AuditCheckpoint from;
  {
    auto database =
        store::SqliteDatabase::open(folder.database(), store::SqliteDatabase::Mode::must_exist);
    if (!database) return complain(database.error());
    const auto renewed = store::renew_audit_key(*database, folder.audit_key(), random);
    if (!renewed) return complain(renewed.error());
    from = *renewed;
  }
  const auto workspace = Workspace::open(folder, config);
  if (!workspace) return complain(workspace.error());
  const auto recorded =
      (*workspace)
          ->record_by_operator(rules::AuditAction::audit_renew_key, folder.audit_key(),
                               "follows " + rules::text_of(from));
  if (!recorded) return complain(recorded.error());
  fmt::print(
      "The audit log goes on with a new key. What was written before can't be proved any more; "
      "what follows can: stagedoor audit verify --from {}\n",
      rules::text_of(from));
  return 0;
}

}  // namespace stagedoor::server
