#include "base/redact.h"

#include "base/text.h"

namespace stagedoor::base {
namespace {

// Shorter runs are no credentials: lists show the first characters of a key.
constexpr std::size_t key_run_min = 12, token_run_min = 16;

// With what joins a second key to the first.
bool is_key_character(char c) {
  return is_base62(c) || c == '_';
}

bool is_token_character(char c) {
  return is_base62(c) || c == '-' || c == '_' || c == '.';
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

Found credential_at(std::string_view rest) {
  if (rest.starts_with("av_live_") || rest.starts_with("av_test_")) {
    const auto run = run_length(rest.substr(8), is_key_character);
    if (run >= key_run_min) return {8 + run, 8};
  }
  // Refresh tokens and invitation codes.
  if (rest.starts_with("sdr_") || rest.starts_with("inv_")) {
    const auto run = run_length(rest.substr(4), is_token_character);
    if (run >= key_run_min) return {4 + run, 4};
  }
  if (rest.starts_with("eyJ")) {
    const auto run = run_length(rest, is_token_character);
    if (run >= token_run_min) return {run, 3};
  }
  return {};
}

}  // namespace

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
