// Any bytes as a message of a signalling socket: no crash; what is refused says why, and what is
// taken is within the bounds of its kind.
#include <cstdlib>

#include "anam/signalling_messages.h"
#include "base/json_shape.h"
#include "base/text.h"

namespace {

using namespace stagedoor;

template <class... Case>
struct Cases : Case... {
  using Case::operator()...;
};

void must(bool holds) {
  if (!holds) std::abort();
}

void check(const anam::TalkChunk& chunk) {
  must(base::character_count(chunk.content) <= anam::talk_characters_max);
  must(chunk.correlation_id.size() <= anam::correlation_characters_max);
  must(chunk.utterance_id.size() <= anam::correlation_characters_max);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto read = anam::read_signalling_message(base::as_text({data, size}));
  if (!read) {
    must(!read.error().hint.empty());
    return 0;
  }
  std::visit(Cases{
                 [](const anam::Offer& offer) { must(!offer.sdp.empty()); },
                 [](const anam::TalkChunk& chunk) { check(chunk); },
                 [&](const anam::AgentSound& sound) {
                   must(sound.rate_hz >= 8000 && sound.rate_hz <= 48000);
                   must(sound.samples.size() * 2 <= size);
                 },
                 [](const anam::UnknownAction& action) { must(action.name.size() <= 64); },
                 [](const auto&) {},
             },
             *read);
  return 0;
}
