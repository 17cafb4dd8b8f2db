#include "base/redact.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace stagedoor::base {
namespace {

// Shorter runs are no credentials: lists show the first characters of a key.
constexpr std::size_t key_run_min = 12, token_run_min = 16, share_run_min = 24;

// With what joins a second key to the first.
bool is_key_character(char c) {
  return is_base62(c) || c == '_';
}

bool is_token_character(char c) {
  return is_base62(c) || c == '-' || c == '_' || c == '.';
}

bool is_base64_character(char c) {
  return is_base62(c) || c == '+' || c == '/' || c == '=';
}

template <class Belongs>
std::size_t run_length(std::string_view text, Belongs belongs) {
  std::size_t length = 0;
  while (length < text.size() && belongs(text[length])) ++length;
  return length;
}

// How many characters from the start of `rest` are a credential, and how many of those may stay.
struct Found {
  std::size_t length = 0, kept = 0;
};

// How each kind of credential begins: their one home. `run_min` further characters make it one, and
// `kept` of its beginning may stay.
struct Kind {
  std::string_view prefix;
  bool (*belongs)(char);
  std::size_t run_min;
};
constexpr std::array<Kind, 7> kinds = {{
    {"av_live_", is_key_character, key_run_min},
    {"av_test_", is_key_character, key_run_min},
    {"sdr_", is_token_character, key_run_min},  // refresh tokens
    {"inv_", is_token_character, key_run_min},  // invitation codes
    {"sh_", is_base62, share_run_min},          // share links; no word is as long
    {"eyJ", is_token_character, token_run_min - 3},
    {"007eJ", is_base64_character, token_run_min},  // Agora's AccessToken2, "007" and a zlib stream
}};

Found credential_at(std::string_view rest) {
  for (const auto& kind : kinds) {
    if (!rest.starts_with(kind.prefix)) continue;
    const auto run = run_length(rest.substr(kind.prefix.size()), kind.belongs);
    if (run >= kind.run_min) return {kind.prefix.size() + run, kind.prefix.size()};
  }
  return {};
}

}  // namespace

bool may_hold_credential(std::string_view text) {
  return std::ranges::any_of(kinds,
                             [&](const Kind& kind) { return text.find(kind.prefix) != text.npos; });
}

std::string redacted(std::string_view text, std::size_t bytes_max) {
  std::string out;
  for (std::size_t at = 0; at < text.size() && out.size() < bytes_max;) {
    const auto found = credential_at(text.substr(at));
    if (found.length == 0) {
      out += text[at++];
      continue;
    }
    out += text.substr(at, found.kept);
    out += "***";
    at += found.length;
  }
  return out;
}

}  // namespace stagedoor::base
