// SPDX-License-Identifier: Apache-2.0

#include "stage/sentences.h"

#include <algorithm>
#include <array>

namespace stagedoor::stage {
namespace {

constexpr std::size_t first_clause_bytes_min = 48;
constexpr std::array<std::string_view, 14> titles = {
    "Mr", "Mrs", "Ms", "Dr", "Prof", "St", "vs", "e.g", "i.e", "etc.", "No", "Jr", "Sr", "approx"};
constexpr std::array<std::string_view, 4> wide_ends = {"。", "！", "？", "…"};

bool is_blank(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

// The word that ends before `at`.
std::string_view word_before(std::string_view text, std::size_t at) {
  std::size_t begin = at;
  while (begin > 0 && !is_blank(text[begin - 1]) && text[begin - 1] != '(') --begin;
  return text.substr(begin, at - begin);
}

// Whether the full stop at `at` belongs to the word before it.
bool is_abbreviation(std::string_view text, std::size_t at) {
  const auto word = word_before(text, at);
  const bool is_initial = word.size() == 1 && word[0] >= 'A' && word[0] <= 'Z' && word != "I";
  return is_initial || std::ranges::find(titles, word) != titles.end();
}

std::size_t after_closers(std::string_view text, std::size_t at) {
  while (at < text.size() && (text[at] == '"' || text[at] == '\'' || text[at] == ')' ||
                              text[at] == '.' || text[at] == '!' || text[at] == '?'))
    ++at;
  return at;
}

// A place within `limit` where a text may be cut: behind its last blank, or between characters.
std::size_t last_cut(std::string_view text, std::size_t limit) {
  const auto blank = text.substr(0, limit).find_last_of(" \n\t");
  if (blank != text.npos && blank > 0) return blank;
  while (limit > 1 && (static_cast<unsigned char>(text[limit]) & 0xc0) == 0x80) --limit;
  return limit;
}

}  // namespace

// Where the first piece of what is held ends; 0: not known yet.
std::size_t Sentences::next_end() const {
  const std::string_view text = held_;
  for (std::size_t at = 0; at < text.size() && at < piece_bytes_max; ++at) {
    const char c = text[at];
    if (c == '\n' && has_words(text.substr(0, at))) return at + 1;
    for (const auto end : wide_ends)
      if (text.substr(at).starts_with(end)) return at + end.size();
    const bool is_end = c == '.' || c == '!' || c == '?';
    const bool is_clause =
        (c == ',' || c == ';' || c == ':') && !has_given_ && at >= first_clause_bytes_min;
    if (!is_end && !is_clause) continue;
    const auto behind = after_closers(text, at + 1);
    if (behind >= text.size()) return text.size() > piece_bytes_max ? piece_bytes_max : 0;
    if (!is_blank(text[behind])) continue;
    if (c == '.' && is_abbreviation(text, at)) continue;
    if (behind <= piece_bytes_max) return behind;
  }
  return text.size() > piece_bytes_max ? last_cut(text, piece_bytes_max) : 0;
}

void Sentences::push(std::string_view text, std::vector<std::string>& out) {
  // In steps, so that what is held stays small whatever comes.
  while (!text.empty()) {
    const auto step = text.substr(0, 2 * piece_bytes_max);
    held_ += step;
    text.remove_prefix(step.size());
    for (auto end = next_end(); end != 0; end = next_end()) {
      out.push_back(held_.substr(0, end));
      held_.erase(0, end);
      has_given_ = true;
    }
  }
}

void Sentences::finish(std::vector<std::string>& out) {
  if (!held_.empty()) out.push_back(std::move(held_));
  held_.clear();
}

bool has_words(std::string_view text) {
  return std::ranges::any_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           static_cast<unsigned char>(c) >= 0x80;
  });
}

}  // namespace stagedoor::stage
