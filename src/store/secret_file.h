// Secrets read from files by path (rule secret-file-private in rules/server_secret.h).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"

namespace stagedoor::store {

// One secret of 32 bytes a line, as 64 lower-case hex digits, newest first; at most `lines_max`.
// Lines that begin with # do not count. `forbidden` where others than the owner may read the file,
// `malformed` for its content, `unavailable` where it can't be read.
base::Result<std::vector<base::Secret>> read_secret_file(const std::string& path,
                                                         std::size_t lines_max);

// Text of one secret for such a file: the first line of it. The file must be private as well.
base::Result<base::Secret> read_private_line(const std::string& path);

// Writes the secrets, durable and private from the start, in place of what was there.
base::Result<base::Done> write_secret_file(const std::string& path,
                                           const std::vector<base::Secret>& secrets);

// Writes one line of text, likewise.
base::Result<base::Done> write_private_line(const std::string& path, const base::Secret& text);

// Gives a file another name in its folder, on disk when it returns.
base::Result<base::Done> rename_durably(const std::string& from, const std::string& to);

base::Secret new_server_secret(base::Random& random);

}  // namespace stagedoor::store
