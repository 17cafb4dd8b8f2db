#include "rules/account.h"

#include <algorithm>

#include "base/text.h"

namespace stagedoor::rules {
namespace {

constexpr std::size_t id_length = 20;

bool is_blank_or_control(char c) {
  return static_cast<unsigned char>(c) <= ' ' || c == 0x7f;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_domain(std::string_view text) {
  return !text.empty() && text.front() != '.' && text.back() != '.' && text.find("..") == text.npos;
}

}  // namespace

base::Result<Email> read_email(std::string_view text) {
  const auto refuse = [](std::string hint) {
    return base::fail(base::ErrorCode::malformed, "e-mail", std::move(hint));
  };
  if (text.size() > email_bytes_max) return refuse("An e-mail has at most 254 bytes.");
  if (std::ranges::any_of(text, is_blank_or_control))
    return refuse("An e-mail has no blanks or control characters.");
  const auto at = text.find('@');
  if (at == text.npos || text.find('@', at + 1) != text.npos)
    return refuse("An e-mail has exactly one @.");
  if (at == 0 || at > 64 || !is_domain(text.substr(at + 1)))
    return refuse("An e-mail is NAME@DOMAIN.");
  Email email{.text = std::string(text), .key = std::string(text)};
  std::ranges::transform(email.key, email.key.begin(), lower);
  return email;
}

std::string new_account_id(base::Random& random) {
  return "acc_" + base::random_base62(random, id_length);
}

bool is_account_id(std::string_view text) {
  return text.size() > 4 && text.starts_with("acc_");
}

std::string account_id_of(std::string_view issuer, std::string_view subject) {
  // The length keeps ("a", "bc") and ("ab", "c") apart.
  std::string both = std::to_string(issuer.size()) + ":";
  both.append(issuer).append(subject);
  const auto digest = crypto::sha256(both);
  std::string id = "acc_";
  // Each digit of its own byte: 20 digits keep more than 115 bits apart.
  for (std::size_t i = 0; i < id_length; ++i) id += base::base62_digits[digest[i] % 62];
  return id;
}

}  // namespace stagedoor::rules
