// Any bytes as the body that creates a key and as the one that asks about keys: no crash, what is
// refused is told with a hint, and what is accepted is within its bounds.
#include <cstdint>
#include <cstdlib>

#include "api/key_json.h"
#include "api/key_verification.h"
#include "base/text.h"
#include "rules/api_key.h"

namespace {

using namespace stagedoor;

void require(bool holds) {
  if (!holds) std::abort();
}

void check_new_key(std::string_view body) {
  const auto wanted = api::read_new_key(body);
  if (!wanted) return require(!wanted.error().hint.empty());
  require(!wanted->wish.name.empty() && wanted->wish.name.size() <= 100);
  require(wanted->app_id.size() <= 64);
}

void check_question(std::string_view body) {
  const auto question = api::read_key_question(body);
  if (!question) return require(!question.error().hint.empty());
  require(question->texts().size() <= actions::verified_at_once_max);
  require(!question->one || question->list.empty());
  for (const auto text : question->texts()) {
    require(text.size() <= rules::foreign_key_bytes_max);
    // Read what the views point at: they must be alive.
    require(body.size() >= text.size());
    (void)rules::ApiKeyText::parse(text);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto body = base::as_text({data, size});
  check_new_key(body);
  check_question(body);
  return 0;
}
