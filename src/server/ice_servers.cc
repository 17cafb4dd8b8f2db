// SPDX-License-Identifier: Apache-2.0

#include "server/ice_servers.h"

#include <chrono>
#include <utility>

#include "base/json_writer.h"
#include "base/text.h"
#include "store/secret_file.h"

namespace stagedoor::server {

namespace {
constexpr std::size_t name_characters = 16;
}

base::Result<IceServers> IceServers::of(const LiveSettings& settings, const base::Clock& clock,
                                        base::Random& random) {
  if (settings.turn_urls.empty() != settings.turn_secret_file.empty())
    return base::fail(base::ErrorCode::malformed, "live.turn_secret_file",
                      "live.turn_urls and live.turn_secret_file go together: without the secret "
                      "that the TURN server knows no client is let in there");
  if (settings.turn_secret_file.empty()) return IceServers(settings, nullptr, clock, random);
  auto secret = store::read_private_line(settings.turn_secret_file);
  if (!secret) return base::fail(secret.error());
  return IceServers(settings, std::make_shared<const crypto::HmacSha1Key>(*secret), clock, random);
}

std::string IceServers::operator()() const {
  std::string text = "[";
  if (!settings_.stun_urls.empty()) {
    base::JsonWriter stun(text);
    // The vendor's Kotlin client needs the type wherever there is a server.
    stun.texts("urls", settings_.stun_urls).text("credentialType", "password");
    stun.end();
  }
  if (key_) {
    if (text.size() > 1) text += ',';
    const auto ends = base::unix_millis(clock_.now()) / 1000 + settings_.turn_credential_seconds;
    const auto user = std::to_string(ends) + ":" + base::random_base62(random_, name_characters);
    std::string password;
    base::append_base64(password, base::as_text(key_->mac(user)));
    base::JsonWriter turn(text);
    turn.texts("urls", settings_.turn_urls)
        .text("username", user)
        .text("credential", password)
        .text("credentialType", "password");
    turn.end();
  }
  return text + "]";
}

}  // namespace stagedoor::server
