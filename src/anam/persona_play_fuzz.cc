// From the body of a mint call to what is played: any persona that a token is minted for can be
// played, within its bounds; and any bytes where a snapshot should be do no harm.
#include <cstdlib>

#include "anam/mint_request.h"
#include "anam/persona_play.h"
#include "base/text.h"

namespace {

using namespace stagedoor;
using namespace std::chrono_literals;

void must(bool holds) {
  if (!holds) std::abort();
}

void check(const anam::PersonaPlay& play) {
  const auto& conversation = play.conversation;
  must(conversation.speed >= 0.5 && conversation.speed <= 2);
  const auto& detection = conversation.voice_detection;
  must(detection.end_of_speech_sensitivity >= 0 && detection.end_of_speech_sensitivity <= 1);
  must(detection.silence_before_auto_end_turn >= 500ms &&
       detection.silence_before_auto_end_turn <= 10s);
  must(conversation.tools.size() <= rules::persona_tools_max);
  for (const auto& tool : conversation.tools) {
    must(!tool.tool.name.empty());
    must(tool.timeout >= 1s && tool.timeout <= 600s);
    must(tool.kind != stage::ConversationTool::Kind::webhook || !tool.webhook.url.empty());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = base::as_text({data, size});
  (void)anam::play_of(bytes, {});
  const auto client = anam::read_client_side(bytes);
  const auto wanted = anam::read_mint_request(bytes);
  if (!wanted || !wanted->content) return 0;
  static const crypto::HmacKey key(base::Secret(std::string(32, 'k')));
  const auto snapshot =
      rules::snapshot_of({*wanted->content, {}, wanted->session_options, "ada"}, key).content;
  auto play = anam::play_of(snapshot, {});
  must(play.has_value());
  check(*play);
  if (client) anam::prefer(client->voice_detection, *play);
  check(*play);
  return 0;
}
