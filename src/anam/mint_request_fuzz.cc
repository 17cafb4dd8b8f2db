// Any bytes as the body of a mint call, or of one that begins a session: no crash; what is refused
// says why, and what is accepted is within its bounds and has one address.
#include <cstdlib>

#include "anam/mint_request.h"
#include "base/json.h"
#include "base/text.h"
#include "rules/session_report.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stagedoor;
  if (const auto client = anam::read_client_side(base::as_text({data, size}))) {
    const auto& metadata = client->metadata;
    if (metadata.size() > rules::client_metadata_bytes_max) std::abort();
    if (!metadata.empty() && rules::redacted_object(metadata).empty()) std::abort();
  }
  const auto read = anam::read_mint_request(base::as_text({data, size}));
  if (!read) {
    if (read.error().error.hint.empty()) std::abort();
    if (read.error().faults.size() > 3 * base::field_faults_max) std::abort();
    return 0;
  }
  if (read->content.has_value() == !read->persona_id.empty()) std::abort();
  if (!read->content) return 0;
  // Reading its own canonical form again must change nothing.
  base::JsonReader reader;
  const auto json = reader.read(read->content->json());
  if (!json) std::abort();
  const auto again = rules::PersonaContent::read(*json, rules::PersonaForm::inline_content, "");
  if (!again || again->json() != read->content->json()) std::abort();
  static const crypto::HmacKey key(base::Secret(std::string(32, 'k')));
  const auto snapshot = rules::snapshot_of({*read->content, {}, read->session_options, {}}, key);
  const auto facts = rules::facts_of(snapshot.content, {}, rules::Transcripts::kept);
  if (facts.persona.empty()) std::abort();
  if (snapshot.digest != rules::snapshot_of({*again, {}, read->session_options, {}}, key).digest)
    std::abort();
  return 0;
}
