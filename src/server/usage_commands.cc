#include "server/usage_commands.h"

#include <fmt/format.h>

#include <filesystem>

#include "server/complain.h"
#include "server/workspace.h"
#include "store/sqlite_usage.h"

namespace stagedoor::server {

int reconcile_usage(const std::string& data) {
  constexpr std::int64_t told_max = 1000;
  const DataFolder folder{data};
  if (!std::filesystem::exists(folder.database()))
    return complain(
        {base::ErrorCode::not_found, "no workspace", "There is no workspace in " + data + "."});
  store::SqliteReaders readers(folder.database());
  std::int64_t told = 0;
  const auto agreement = store::SqliteUsage(readers).reconcile([&](const std::string& sentence) {
    if (told++ < told_max) fmt::print("{}\n", sentence);
  });
  if (!agreement) return complain(agreement.error());
  if (agreement->mismatches == 0) {
    fmt::print("The ledger and the audit log agree on {} sessions.\n", agreement->sessions);
    return 0;
  }
  return complain({base::ErrorCode::conflict, "usage does not reconcile",
                   fmt::format("The ledger of {} sessions and the audit log differ in {} things.",
                               agreement->sessions, agreement->mismatches)});
}

}  // namespace stagedoor::server
