// Apps in SQLite: making and changing them (rules/app_records.h). They are read from the catalog.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string_view>
#include <vector>

#include "rules/app_records.h"
#include "store/append_audit.h"
#include "store/sqlite_catalog.h"
#include "store/sqlite_writer.h"

namespace stagedoor::store {

// Safe for concurrent use.
class SqliteApps : public rules::AppRecords {
 public:
  SqliteApps(SqliteWriter& writer, const SqliteCatalog& catalog, AppendAudit append)
      : writer_(writer), catalog_(catalog), append_(std::move(append)) {}

  std::vector<rules::App> list(std::string_view workspace_id, std::string_view after,
                               std::size_t count_max) const override;
  base::Result<base::Done> create(const rules::App& app, const rules::AuditEntry& entry) override;
  base::Result<rules::App> change(std::string_view id, const Change& change,
                                  const rules::AuditEntry& entry) override;

 private:
  SqliteWriter& writer_;
  const SqliteCatalog& catalog_;
  const AppendAudit append_;
};

}  // namespace stagedoor::store
