// What a persona may look up: documents of a workspace, in groups (contract 1.8 of the Anam dialect
// calls them folders as well), cut into passages that are found by their words.
//
//   upload ──text, bounded──▶ passages ──indexed──▶ READY
//
// Rule knowledge-by-name-and-size: a document is UTF-8 text of a kind that is read here (txt, md,
// csv, json, log), of at most `document_bytes_max`; another kind is refused by its name. A
// workspace keeps a bounded number of bytes.
//
// Rule knowledge-of-one-workspace: documents are their group's, and with it one workspace's, of one
// environment and perhaps one app's; a search reaches the groups that it names and no others.
//
// Used by: actions/keep_knowledge.h, anam/knowledge.h, server/knowledge_runner.h
// Kept by: store/sqlite_knowledge.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "rules/audit.h"
#include "rules/catalog_item.h"

namespace stagedoor::rules {

inline constexpr std::size_t document_bytes_max = 16u << 20;
inline constexpr std::size_t documents_of_group_max = 1000;
inline constexpr std::int64_t knowledge_bytes_of_workspace_max = 256ll << 20;
inline constexpr std::size_t search_count_max = 20, search_count_otherwise = 5;

// Groups are catalog items.
const ItemForm& knowledge_group_form();

struct Document {
  std::string id;  // a UUID
  std::string group_id;
  ItemScope scope;  // in which its group is found
  std::string filename;
  std::string type;  // "md"
  std::int64_t bytes = 0;
  base::Instant created_at = {}, updated_at = {};
};

// "md" of "notes.MD". `unsupported` with a hint that names what is read; `malformed` for a name
// that is none: 1 to 255 bytes without control characters.
base::Result<std::string> document_type_of(std::string_view filename);
// `malformed` with a hint: too long, empty, or no UTF-8 text.
base::Result<base::Done> check_document(std::string_view content);

// How a document is cut, in bytes; cuts lie between words where there are any.
struct Cut {
  std::size_t length = 1000;  // 100 to 8,000
  std::size_t overlap = 200;  // 0 to half of it
};
// `malformed` with a hint.
base::Result<base::Done> check(const Cut& cut);
// Passages that together are all of it, each beginning with the end of the one before. Views of
// `content`; never inside a UTF-8 character.
std::vector<std::string_view> passages_of(std::string_view content, const Cut& cut);

// A query as words, without their blanks and signs; at most 32, of 64 bytes each.
std::vector<std::string> words_of_query(std::string_view query);

struct Passage {
  std::string document_id, filename, content;
  std::int64_t number = 0;  // within its document, from 0
  double score = 0;         // the better, the greater
};

// What a model reads of a search: a JSON list of passages, the best first, each with the name of
// its document, of about `passages_bytes_max` at most; or words that say that there are none.
inline constexpr std::size_t passages_bytes_max = 16u << 10;
std::string text_of_passages(const std::vector<Passage>& passages);
// The names of the documents in such a text, each once, in its order; none in any other text.
std::vector<std::string> documents_in(std::string_view passages_text);

// Where documents are kept. Safe for concurrent use; not from an event loop.
class Knowledge {
 public:
  virtual ~Knowledge() = default;
  // Of a group, newest first.
  virtual base::Result<std::vector<Document>> list(const ItemScope& scope,
                                                   std::string_view group_id) = 0;
  virtual base::Result<std::int64_t> count(const ItemScope& scope, std::string_view group_id) = 0;
  // `not_found` also for what is outside the scope.
  virtual base::Result<Document> find(const ItemScope& scope, std::string_view id) = 0;
  virtual base::Result<std::string> content(const ItemScope& scope, std::string_view id) = 0;
  // The best first. No words: nothing.
  struct Query {
    std::vector<std::string> group_ids;
    std::vector<std::string> words;
    std::size_t count = search_count_otherwise;
  };
  virtual base::Result<std::vector<Passage>> search(const ItemScope& scope, const Query& query) = 0;

  // Each of these is durable, with its entry, when it returns. `not_found` for the group,
  // `conflict` where the group or the workspace is full.
  virtual base::Result<base::Done> add(const Document& document, std::string_view content,
                                       const std::vector<std::string_view>& passages,
                                       const AuditEntry& entry) = 0;
  virtual base::Result<Document> rename(const ItemScope& scope, std::string_view id,
                                        std::string_view filename, const AuditEntry& entry) = 0;
  virtual base::Result<base::Done> remove(const ItemScope& scope, std::string_view id,
                                          const AuditEntry& entry) = 0;
};

}  // namespace stagedoor::rules
