// Any bytes as any of the bodies: no crash; what is refused says why.
#include <cstdlib>

#include "avatarium/requests.h"
#include "base/text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stagedoor;
  const auto text = base::as_text({data, size});
  const auto check = [](const auto& read) {
    if (!read && read.error().error.hint.empty()) std::abort();
  };
  const auto conversation = avatarium::read_new_conversation(text);
  check(conversation);
  if (conversation && conversation->settings.find("apiKey\":") != std::string::npos &&
      conversation->settings.find("byokAI\":") != std::string::npos)
    std::abort();
  check(avatarium::read_new_message(text));
  check(avatarium::read_speech(text, avatarium::Speech::wanted));
  check(avatarium::read_speech(text, avatarium::Speech::preview));
  const auto avatar = avatarium::read_new_avatar(text);
  check(avatar);
  if (avatar && (avatar->slug.empty() || avatar->slug.size() > 64)) std::abort();
  return 0;
}
