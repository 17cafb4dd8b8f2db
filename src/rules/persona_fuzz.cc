// Any JSON as a persona, kept or for one token, and as a change of one: no crash, and what comes
// out obeys its form again.
#include <cstdlib>

#include "base/text.h"
#include "rules/persona.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stagedoor;
  using rules::PersonaContent;
  base::JsonReader reader, again;
  const auto json = reader.read(base::as_text({data, size}));
  if (!json) return 0;
  for (const auto form : {rules::PersonaForm::inline_content, rules::PersonaForm::kept}) {
    const auto content = PersonaContent::read(*json, form, "p");
    if (!content) {
      if (content.error().empty() || content.error().size() > base::field_faults_max) std::abort();
      continue;
    }
    const auto canonical = again.read(content->json());
    if (!canonical) std::abort();
    const auto same = PersonaContent::read(*canonical, form, "p");
    if (!same || same->json() != content->json()) std::abort();
  }
  const auto changed = PersonaContent::first("a").changed(*json);
  if (changed && changed->name().empty()) std::abort();
  (void)rules::read_session_options(*json, "o");
  return 0;
}
