// A folder of its own for a store under test, gone at the end.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>

#include "store/sqlite_database.h"

namespace stagedoor::store {

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "stagedoor-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string file(const std::string& name) const { return path_ + "/" + name; }
  std::string database_path() const { return file("store.db"); }

  // A connection to the database, which has the newest shape.
  SqliteDatabase database() const {
    auto opened = SqliteDatabase::open(database_path(), SqliteDatabase::Mode::create);
    EXPECT_TRUE(migrate(*opened));
    return *std::move(opened);
  }

 private:
  std::string path_;
};

}  // namespace stagedoor::store
