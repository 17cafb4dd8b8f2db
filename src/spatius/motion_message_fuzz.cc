// A session's messages from a stranger: any bytes as the first message, any sound after it.
#include <cstdlib>

#include "spatius/session_configuration.h"
#include "spatius/utterance.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stagedoor;
  message::Message message;
  if (message.ParseFromArray(data, static_cast<int>(size)))
    (void)spatius::read_configuration(message);
  if (size < 2) return 0;

  constexpr std::array rates = {8000, 16000, 22050, 24000, 32000, 44100, 48000};
  const int rate = rates[data[0] % rates.size()];
  const std::size_t piece = 1 + data[1];
  const spatius::FrameForm form{.connection_id = "c", .with_named_shapes = data[0] > 127};
  spatius::Utterance utterance("r", std::make_unique<stage::PcmInput>(), rate, data[1]);
  const auto* bytes = reinterpret_cast<const char*>(data);
  std::size_t ends = 0;
  const auto perform = [&] {
    while (utterance.perform_slice()) {
      for (auto out = utterance.take_message(form); !out.empty();
           out = utterance.take_message(form)) {
        message::Message animation;
        if (!animation.ParseFromString(out)) std::abort();
        ends += animation.server_response_animation().end();
      }
    }
  };
  for (std::size_t at = 2; at < size; at += piece) {
    if (!utterance.hear({bytes + at, std::min(piece, size - at)})) std::abort();
    perform();
  }
  (void)utterance.hear_end();
  perform();
  const auto samples = (size - 2) / 2;
  if (ends != 1 || utterance.frames_taken() != samples * 25 / static_cast<std::size_t>(rate))
    std::abort();
  return 0;
}
