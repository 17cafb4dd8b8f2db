// The files of the page at `/` and of the page of a share link, as they travel inside the binary.
//
// `path` is the whole path of the URL: of web/door `/` for index.html, `/door/<name>` for every
// other file; of web/share `/share/<name>`, and empty for index.html, which is delivered for every
// link. `etag` is quoted and made of the content's SHA-256. All views live as long as the program;
// the lists are sorted by path and may be read by any thread. The definitions are written by
// tools/embed-files when the tree is built.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <span>
#include <string_view>

#include "http/request.h"
#include "http/response.h"

namespace stagedoor::api {

struct PageFile {
  std::string_view path;
  std::string_view content_type;
  std::string_view etag;
  std::string_view content;
};

std::span<const PageFile> page_files();
std::span<const PageFile> share_files();

// Answers with the file, or 304 where the browser has it; nobody may put it into a frame.
void deliver(const PageFile& file, const http::Request& request, http::Response& response);

}  // namespace stagedoor::api
