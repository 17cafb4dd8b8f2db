#include "server/audio_inputs.h"

#include "engines/opus_ogg.h"

namespace stagedoor::server {

stage::AudioInputFactory audio_inputs() {
  return [](stage::AudioFormat format,
            int rate_hz) -> base::Result<std::unique_ptr<stage::AudioInput>> {
    if (format == stage::AudioFormat::pcm_s16le) return std::make_unique<stage::PcmInput>();
    auto opus = engines::OpusOgg::create(rate_hz);
    if (!opus) return base::fail(opus.error());
    return std::make_unique<engines::OpusOgg>(*std::move(opus));
  };
}

}  // namespace stagedoor::server
