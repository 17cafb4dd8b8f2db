// Any bytes as the body of a sign-up and of a log-in: no crash, what is refused is told with a hint
// that repeats nothing secret, and what is accepted is within its bounds.
#include <cstdint>
#include <cstdlib>

#include "api/account_json.h"
#include "base/text.h"

namespace {

using namespace stagedoor;

void require(bool holds) {
  if (!holds) std::abort();
}

void check_sign_up(std::string_view body) {
  const auto wanted = api::read_sign_up(body);
  if (!wanted) return require(!wanted.error().hint.empty());
  require(wanted->name.size() <= rules::account_name_bytes_max);
  require(!wanted->password.expose().empty() && wanted->password.expose().size() <= 1024);
}

void check_log_in(std::string_view body) {
  const auto wanted = api::read_log_in(body);
  if (!wanted) return require(!wanted.error().hint.empty());
  const auto& key = wanted->email.key;
  require(!key.empty() && key.size() <= rules::email_bytes_max);
  // Its key is one of its own: read again, it is the same.
  const auto again = rules::read_email(key);
  require(again && again->key == key);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto body = base::as_text({data, size});
  check_sign_up(body);
  check_log_in(body);
  return 0;
}
