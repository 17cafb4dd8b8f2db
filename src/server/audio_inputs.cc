#include "server/audio_inputs.h"

#include "engines/opus_ogg.h"

namespace stagedoor::server {
namespace {

class OpusInput : public stage::AudioInput {
 public:
  explicit OpusInput(engines::OpusOgg opus) : opus_(std::move(opus)) {}
  base::Result<base::Done> push(std::span<const char> bytes,
                                std::vector<std::int16_t>& out) override {
    return opus_.push(bytes, out);
  }
  base::Result<base::Done> finish(std::vector<std::int16_t>& out) override {
    return opus_.finish(out);
  }

 private:
  engines::OpusOgg opus_;
};

}  // namespace

stage::AudioInputFactory audio_inputs() {
  return [](stage::AudioFormat format,
            int rate_hz) -> base::Result<std::unique_ptr<stage::AudioInput>> {
    if (format == stage::AudioFormat::pcm_s16le) return std::make_unique<stage::PcmInput>();
    auto opus = engines::OpusOgg::create(rate_hz);
    if (!opus) return base::fail(opus.error());
    return std::make_unique<OpusInput>(*std::move(opus));
  };
}

}  // namespace stagedoor::server
