#include "spatius/session_configuration.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"

namespace stagedoor::spatius {
namespace {

constexpr std::int32_t invalid_argument = 3, unavailable = 14, unauthenticated = 16;

std::unexpected<ConfigurationRefusal> refuse(std::int32_t code, std::string text) {
  return std::unexpected(ConfigurationRefusal{code, std::move(text)});
}

std::string listed(std::span<const int> rates) {
  std::string text;
  for (const auto rate : rates) text += (text.empty() ? "" : ", ") + std::to_string(rate);
  return text;
}

// Three segments of base64url; whose signature it has is LiveKit's business.
bool looks_like_jwt(std::string_view text) {
  int segments = 0;
  for (;; ++segments) {
    const auto dot = text.find('.');
    const auto segment = text.substr(0, dot);
    if (segment.empty() || !base::from_base64url(segment)) return false;
    if (dot == text.npos) return segments == 2;
    text.remove_prefix(dot + 1);
  }
}

using Checked = std::expected<void, ConfigurationRefusal>;

// Contract 3.8 and 5.1: this server joins no room, and says so in words that the clients know.
Checked check_egress(const message::ClientConfigureSession& wanted) {
  if (wanted.egress_type() == message::EGRESS_TYPE_LIVEKIT) {
    const auto& livekit = wanted.livekit_egress();
    if (livekit.url().empty() || livekit.room_name().empty())
      return refuse(invalid_argument, "livekit_egress needs url and room_name");
    if (livekit.api_token().empty() && (livekit.api_key().empty() || livekit.api_secret().empty()))
      return refuse(invalid_argument,
                    "missing livekit credentials: livekit_egress must provide api_token or both "
                    "api_key and api_secret");
    if (!livekit.api_token().empty() && !looks_like_jwt(livekit.api_token()))
      return refuse(unauthenticated,
                    "failed to create egress connection: unauthorized: invalid token");
    return refuse(unavailable, "LiveKit egress client is not configured on server");
  }
  if (wanted.egress_type() == message::EGRESS_TYPE_AGORA) {
    if (wanted.agora_egress().channel_name().empty())
      return refuse(invalid_argument, "agora_egress needs channel_name");
    return refuse(unavailable, "Agora egress client is not configured on server");
  }
  if (wanted.egress_type() != message::EGRESS_TYPE_UNSPECIFIED)
    return refuse(invalid_argument, "unknown egress_type");
  return {};
}

Checked check_sound(const message::ClientConfigureSession& wanted, int rate_hz) {
  const bool is_opus = wanted.audio_format() == message::AUDIO_FORMAT_OGG_OPUS;
  if (!is_opus && wanted.audio_format() != message::AUDIO_FORMAT_PCM_S16LE)
    return refuse(invalid_argument, "unknown audio_format");
  const std::span<const int> rates =
      is_opus ? std::span<const int>(stage::opus_rates_hz) : stage::pcm_rates_hz;
  if (std::ranges::find(rates, rate_hz) == rates.end())
    return refuse(read_the_words, "unsupported sample rate: " + std::to_string(rate_hz) +
                                      "; supported: " + listed(rates));
  if (wanted.transport_compression() != message::TRANSPORT_COMPRESSION_NONE)
    return refuse(invalid_argument, "unknown transport_compression");
  return {};
}

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t number;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::uint64_t SessionConfiguration::seed_for(std::string_view req_id) const {
  return seed.value_or(base::crc32(req_id));
}

std::expected<SessionConfiguration, ConfigurationRefusal> read_configuration(
    const message::Message& first) {
  if (first.data_case() != message::Message::kClientConfigureSession) {
    if (first.type() == message::MESSAGE_CLIENT_CONFIGURE_SESSION)
      return refuse(read_the_words, "ClientConfigureSession message is nil");
    return refuse(read_the_words, "expected ClientConfigureSession message");
  }
  const auto& wanted = first.client_configure_session();
  if (auto egress = check_egress(wanted); !egress) return std::unexpected(egress.error());

  SessionConfiguration configuration;
  if (wanted.sample_rate() != 0) configuration.rate_hz = wanted.sample_rate();
  if (auto sound = check_sound(wanted, configuration.rate_hz); !sound)
    return std::unexpected(sound.error());
  if (wanted.audio_format() == message::AUDIO_FORMAT_OGG_OPUS)
    configuration.format = stage::AudioFormat::ogg_opus;

  const auto& extra = wanted.extra_params();
  if (const auto shapes = extra.find("stagedoor.blendshapes"); shapes != extra.end()) {
    if (shapes->second != "arkit52")
      return refuse(invalid_argument, "extra_params: stagedoor.blendshapes may be arkit52");
    configuration.wants_named_shapes = true;
  }
  if (const auto seed = extra.find("stagedoor.seed"); seed != extra.end()) {
    configuration.seed = number_of(seed->second);
    if (!configuration.seed)
      return refuse(invalid_argument, "extra_params: stagedoor.seed must be a whole number");
  }
  return configuration;
}

}  // namespace stagedoor::spatius
