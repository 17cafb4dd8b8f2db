// Any bytes as a document, as what is searched in documents and as what a search gave: no crash;
// the passages of a document are all of it, in bounded pieces that break no character.
#include <simdjson.h>
#include <cstdlib>

#include "base/text.h"
#include "rules/knowledge.h"

namespace {

using namespace stagedoor;

void must(bool holds) {
  if (!holds) std::abort();
}

void check_passages(std::string_view content, const rules::Cut& cut) {
  std::size_t from = 0, until = 0;
  for (const auto passage : rules::passages_of(content, cut)) {
    const auto begin = static_cast<std::size_t>(passage.data() - content.data());
    must(!passage.empty() && passage.size() <= cut.length);
    must(begin <= until && (until == 0 || begin > from));
    must(begin + passage.size() > until);
    must(simdjson::validate_utf8(passage.data(), passage.size()));
    from = begin;
    until = begin + passage.size();
  }
  must(until == content.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const rules::Cut cut{.length = 100u + data[0], .overlap = data[1]};
  const auto text = base::as_text({data + 2, size - 2});
  if (rules::check(cut) && rules::check_document(text)) check_passages(text, cut);
  const auto words = rules::words_of_query(text);
  must(words.size() <= 32);
  for (const auto& word : words) must(!word.empty() && word.size() <= 64);
  (void)rules::documents_in(text);
  if (const auto type = rules::document_type_of(text)) must(text.size() <= 255 && !type->empty());
  return 0;
}
