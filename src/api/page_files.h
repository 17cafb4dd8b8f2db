// The files of the page at `/`, as they travel inside the binary.
//
// `path` is the whole path of the URL: `/` for index.html, `/door/<name>` for every other file of
// web/door. `etag` is quoted and made of the content's SHA-256. All views live as long as the
// program; the list is sorted by path and may be read by any thread. The definition is written by
// tools/embed-files when the tree is built.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <span>
#include <string_view>

namespace stagedoor::api {

struct PageFile {
  std::string_view path;
  std::string_view content_type;
  std::string_view etag;
  std::string_view content;
};

std::span<const PageFile> page_files();

}  // namespace stagedoor::api
