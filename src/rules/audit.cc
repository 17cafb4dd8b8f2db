#include "rules/audit.h"

#include <algorithm>
#include <charconv>

#include "base/redact.h"
#include "base/text.h"

namespace stagedoor::rules {
namespace {

using base::ErrorCode;

void cut(std::string& text) {
  if (text.size() <= audit_text_bytes_max) return;
  auto length = audit_text_bytes_max;
  // A byte 10xxxxxx goes on with a character (RFC 3629 3).
  const auto goes_on = [&](std::size_t at) {
    return (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
  };
  for (int back = 0; back < 3 && goes_on(length); ++back) --length;
  if (goes_on(length)) length = audit_text_bytes_max;
  text.resize(length);
}

void append_number(std::string& out, std::uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(number >> shift & 0xFF);
}

void append_text(std::string& out, std::string_view text) {
  append_number(out, text.size());
  out += text;
}

std::unexpected<base::Error> broken(std::string what) {
  return base::fail(ErrorCode::conflict, "audit log: " + what, what);
}

std::string entries_text(std::int64_t first, std::int64_t last) {
  if (first == last) return "Entry " + std::to_string(first) + " is missing.";
  return "Entries " + std::to_string(first) + " to " + std::to_string(last) + " are missing.";
}

}  // namespace

void make_fit(AuditEntry& entry) {
  for (auto* text : {&entry.workspace_id, &entry.actor, &entry.action, &entry.subject, &entry.peer,
                     &entry.request_id, &entry.detail}) {
    if (base::may_hold_credential(*text)) *text = base::redacted(*text, 2 * audit_text_bytes_max);
    cut(*text);
  }
}

std::string canonical_bytes(std::int64_t number, const AuditEntry& entry) {
  std::string bytes;
  bytes.reserve(256 + entry.detail.size());
  append_number(bytes, static_cast<std::uint64_t>(number));
  append_number(bytes, static_cast<std::uint64_t>(base::unix_millis(entry.at)));
  bytes += static_cast<char>(entry.outcome);
  for (const auto* text : {&entry.workspace_id, &entry.actor, &entry.action, &entry.subject,
                           &entry.peer, &entry.request_id, &entry.detail})
    append_text(bytes, *text);
  return bytes;
}

std::string text_of(const AuditCheckpoint& checkpoint) {
  return std::to_string(checkpoint.number) + ":" + base::hex(checkpoint.seal);
}

base::Result<AuditCheckpoint> parse_audit_checkpoint(std::string_view text) {
  AuditCheckpoint checkpoint;
  const auto colon = text.find(':');
  const auto digits = text.substr(0, colon);
  const auto* end = digits.data() + digits.size();
  const auto [stop, trouble] = std::from_chars(digits.data(), end, checkpoint.number);
  const auto bytes = colon == text.npos ? std::nullopt : base::from_hex(text.substr(colon + 1));
  if (trouble != std::errc() || stop != end || checkpoint.number < 0 || !bytes ||
      bytes->size() != checkpoint.seal.size()) {
    return base::fail(ErrorCode::malformed, "audit checkpoint",
                      "A checkpoint is a number, a colon and 64 lower-case hex digits.");
  }
  std::ranges::copy(*bytes, checkpoint.seal.begin());
  return checkpoint;
}

AuditSeal AuditSealer::seal(const AuditSeal& before, std::int64_t number,
                            const AuditEntry& entry) const {
  std::string bytes = "entry 1";
  bytes += base::as_text(before);
  bytes += canonical_bytes(number, entry);
  return key_.mac(bytes);
}

AuditSeal AuditSealer::head_proof(const AuditCheckpoint& head) const {
  std::string bytes = "head 1";
  append_number(bytes, static_cast<std::uint64_t>(head.number));
  bytes += base::as_text(head.seal);
  return key_.mac(bytes);
}

AuditWalk::AuditWalk(const AuditSealer& sealer, AuditCheckpoint begin,
                     std::optional<AuditCheckpoint> expected)
    : sealer_(sealer), at_(begin), expected_(expected) {}

base::Result<base::Done> AuditWalk::step(std::int64_t number, const AuditEntry& entry,
                                         std::string_view seal) {
  if (number < at_.number + 1)
    return broken("Entry " + std::to_string(number) + " was put in: the log begins with 1.");
  if (number > at_.number + 1) return broken(entries_text(at_.number + 1, number - 1));
  const auto right = sealer_.seal(at_.seal, number, entry);
  if (!crypto::equal(base::as_text(right), seal)) {
    return broken("Entry " + std::to_string(number) +
                  " does not bear the seal of its content at this place: it was changed, put in or "
                  "moved, or sealed with another key.");
  }
  at_ = {.number = number, .seal = right};
  return compare_with_expected();
}

base::Result<base::Done> AuditWalk::compare_with_expected() const {
  if (!expected_ || expected_->number != at_.number || expected_->seal == at_.seal)
    return base::Done{};
  return broken("Entry " + std::to_string(at_.number) +
                " is not the one of the checkpoint: the log was put back to an earlier state and "
                "went on from there.");
}

base::Result<base::Done> AuditWalk::end(const AuditCheckpoint& head,
                                        std::string_view head_proof) const {
  if (!crypto::equal(base::as_text(sealer_.head_proof(head)), head_proof))
    return broken("The note of where the log ends was changed, or made with another key.");
  if (head.number > at_.number) return broken(entries_text(at_.number + 1, head.number));
  if (head != at_)
    return broken("Entry " + std::to_string(head.number + 1) + " comes after the log's end.");
  if (expected_ && expected_->number > at_.number) {
    return broken("The log ends with entry " + std::to_string(at_.number) +
                  ", before the checkpoint: it was put back to an earlier state.");
  }
  return base::Done{};
}

}  // namespace stagedoor::rules
