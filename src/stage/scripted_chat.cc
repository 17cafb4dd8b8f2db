// SPDX-License-Identifier: Apache-2.0

#include "stage/scripted_chat.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stagedoor::stage {
namespace {

constexpr std::size_t pairs_max = 64;
constexpr std::size_t words_max = 200;
constexpr double likeness_min = 0.5;

// Words that say nothing of what a question is about.
constexpr std::array<std::string_view, 36> small_words = {
    "a",      "an",    "the",   "is",   "are",  "was",  "do",  "does", "did",
    "can",    "could", "would", "you",  "your", "i",    "me",  "my",   "we",
    "it",     "of",    "to",    "in",   "on",   "at",   "and", "or",   "for",
    "please", "tell",  "about", "what", "that", "this", "be",  "have", "there"};

struct Pair {
  std::string question, answer;
};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())))
    text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())))
    text.remove_suffix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

// What stands behind "Q:" or "Question:", whatever its case.
std::optional<std::string_view> behind(std::string_view line, std::string_view mark,
                                       std::string_view word) {
  const auto colon = line.find(':');
  if (colon == line.npos) return std::nullopt;
  const auto head = lower(trimmed(line.substr(0, colon)));
  if (head != mark && head != word) return std::nullopt;
  return trimmed(line.substr(colon + 1));
}

std::vector<Pair> pairs_in(std::string_view prompt) {
  std::vector<Pair> pairs;
  std::string question;
  while (!prompt.empty() && pairs.size() < pairs_max) {
    const auto end = std::min(prompt.find('\n'), prompt.size());
    const auto line = trimmed(prompt.substr(0, end));
    prompt.remove_prefix(std::min(end + 1, prompt.size()));
    if (const auto asked = behind(line, "q", "question")) {
      question = *asked;
    } else if (const auto answer = behind(line, "a", "answer"); answer && !question.empty()) {
      pairs.push_back({std::exchange(question, {}), std::string(*answer)});
    }
  }
  return pairs;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  const auto take = [&] {
    if (!word.empty() && words.size() < words_max) words.push_back(std::move(word));
    word.clear();
  };
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) || byte >= 0x80) {
      word += static_cast<char>(std::tolower(byte));
    } else if (c != '\'') {
      take();
    }
  }
  take();
  return words;
}

// Words that carry meaning, or all where none does, each once.
std::vector<std::string> telling_words(std::string_view text) {
  const auto all = words_of(text);
  std::vector<std::string> telling;
  for (const auto& word : all)
    if (std::ranges::find(small_words, word) == small_words.end()) telling.push_back(word);
  if (telling.empty()) telling = all;
  std::ranges::sort(telling);
  telling.erase(std::ranges::unique(telling).begin(), telling.end());
  return telling;
}

// 0..1: the share of words that two texts have in common (Dice).
double likeness(const std::vector<std::string>& one, const std::vector<std::string>& other) {
  if (one.empty() || other.empty()) return 0;
  std::vector<std::string> both;
  std::ranges::set_intersection(one, other, std::back_inserter(both));
  return 2.0 * static_cast<double>(both.size()) / static_cast<double>(one.size() + other.size());
}

const Pair* best_of(const std::vector<Pair>& pairs, std::string_view asked) {
  const auto wanted = telling_words(asked);
  const Pair* best = nullptr;
  double best_likeness = likeness_min;
  for (const auto& pair : pairs) {
    const auto like = likeness(telling_words(pair.question), wanted);
    if (like < best_likeness || (best && like == best_likeness)) continue;
    best = &pair;
    best_likeness = like;
  }
  return best;
}

bool says_any(std::string_view text, std::initializer_list<std::string_view> phrases) {
  std::string spaced = " ";
  for (const auto& word : words_of(text)) spaced += word + ' ';
  return std::ranges::any_of(phrases, [&](std::string_view phrase) {
    return spaced.contains(' ' + std::string(phrase) + ' ');
  });
}

std::string introduction(const ChatRequest& request) {
  const auto name = request.persona_name;
  return name.empty() ? "I am a scripted partner" : "I am " + name + ", a scripted partner";
}

// What it can be asked, as an invitation.
std::string invitation(const std::vector<Pair>& pairs) {
  if (pairs.empty()) return "I have no answers prepared.";
  std::string text = "You can ask me, for example: " + pairs.front().question;
  if (pairs.size() > 1) text += " Or: " + pairs[1].question;
  return text;
}

std::string opening(const ChatRequest& request, const std::vector<Pair>& pairs) {
  if (!request.greeting.empty()) return request.greeting;
  return "Hello! " + introduction(request) + ". " + invitation(pairs);
}

// Said once, as far as the conversation is remembered.
constexpr std::string_view excuse =
    "My language model does not answer now, so I am scripted for the time being. ";

bool needs_excuse(const ChatRequest& request) {
  return request.is_for_stand_in && std::ranges::none_of(request.messages, [](const auto& message) {
           return message.role == ChatMessage::Role::persona &&
                  message.text.contains(trimmed(excuse));
         });
}

std::string reply(const ChatRequest& request) {
  const auto pairs = pairs_in(request.system_prompt);
  const auto last_of = [&](ChatMessage::Role role) {
    return std::ranges::find(request.messages.rbegin(), request.messages.rend(), role,
                             &ChatMessage::role);
  };
  const bool has_spoken = last_of(ChatMessage::Role::persona) != request.messages.rend();
  const auto last_asked = last_of(ChatMessage::Role::user);
  if (request.is_unasked || last_asked == request.messages.rend())
    return has_spoken ? "Are you still there? " + invitation(pairs) : opening(request, pairs);
  const auto& asked = last_asked->text;
  if (const auto* pair = best_of(pairs, asked)) return pair->answer;
  if (says_any(asked, {"your name", "who are you", "what are you"}))
    return introduction(request) + ". " + invitation(pairs);
  if (says_any(asked, {"hello", "hi", "hey", "good morning", "good evening"}))
    return has_spoken ? "Hello! " + invitation(pairs) : opening(request, pairs);
  if (says_any(asked, {"bye", "goodbye"})) return "Goodbye!";
  if (says_any(asked, {"thanks", "thank you"})) return "You are welcome.";
  return "I am scripted, and I have no answer to that. " + invitation(pairs);
}

}  // namespace

std::unique_ptr<Job> ScriptedChat::answer(ChatRequest request, ChatSink sink) {
  sink(ChatDelta{std::string(needs_excuse(request) ? excuse : "") + reply(request)});
  sink(ChatEnd{});
  return std::make_unique<Job>();
}

}  // namespace stagedoor::stage
