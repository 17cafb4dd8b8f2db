#include "server/room_services.h"

#include "store/secret_file.h"

namespace stagedoor::server {
namespace {

std::unexpected<base::Error> half(const std::string& settings) {
  return base::fail(base::ErrorCode::malformed, "a room service is set up by half",
                    settings + " must be set together.");
}

base::Result<std::optional<rules::LiveKitSigner>> livekit_of(const Config::Rooms& rooms) {
  const int parts = !rooms.livekit_url.empty() + !rooms.livekit_api_key.empty() +
                    !rooms.livekit_secret_file.empty();
  if (parts == 0) return std::nullopt;
  if (parts != 3)
    return half("rooms.livekit_url, rooms.livekit_api_key and rooms.livekit_secret_file");
  const auto secret = store::read_private_line(rooms.livekit_secret_file);
  if (!secret) return base::fail(secret.error());
  return rules::LiveKitSigner(rooms.livekit_api_key, *secret);
}

base::Result<std::optional<rules::AgoraSigner>> agora_of(const Config::Rooms& rooms) {
  if (rooms.agora_app_id.empty() != rooms.agora_certificate_file.empty())
    return half("rooms.agora_app_id and rooms.agora_certificate_file");
  if (rooms.agora_app_id.empty()) return std::nullopt;
  auto certificate = store::read_private_line(rooms.agora_certificate_file);
  if (!certificate) return base::fail(certificate.error());
  auto signer = rules::AgoraSigner::make(rooms.agora_app_id, *std::move(certificate));
  if (!signer) return base::fail(signer.error());
  return *std::move(signer);
}

}  // namespace

base::Result<std::unique_ptr<RoomServices>> RoomServices::open(const Config& config, Parts parts) {
  const auto& rooms = config.rooms;
  auto livekit = livekit_of(rooms);
  if (!livekit) return base::fail(livekit.error());
  auto agora = agora_of(rooms);
  if (!agora) return base::fail(agora.error());
  const bool names_some = !rooms.workspaces.empty() || !rooms.apps.empty();
  std::unique_ptr<RoomServices> made(new RoomServices);
  made->livekit_ = *std::move(livekit);
  made->agora_ = *std::move(agora);
  made->mint_.emplace(
      actions::MintRoomToken::Parts{.livekit = made->livekit_ ? &*made->livekit_ : nullptr,
                                    .agora = made->agora_ ? &*made->agora_ : nullptr,
                                    .catalog = parts.catalog,
                                    .records = parts.records,
                                    .limit_end_user = parts.limit_end_user,
                                    .minutes = parts.minutes,
                                    .clock = parts.clock,
                                    .random = parts.random},
      actions::MintRoomToken::Options{
          .allows_grants_for_all_rooms = rooms.livekit_grants_for_all_rooms,
          .accepts_test_keys = rooms.accept_test_keys,
          .workspaces =
              names_some ? rooms.workspaces : std::vector<std::string>{parts.first_workspace_id},
          .apps = rooms.apps,
          .rooms_by_app = rooms.rooms_by_app});
  made->tokens_.emplace(*made->mint_, api::RoomTokens::Options{.livekit_url = rooms.livekit_url,
                                                               .agora_app_id = rooms.agora_app_id});
  return made;
}

}  // namespace stagedoor::server
