#include "rules/session_report.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "base/json.h"
#include "base/json_shape.h"
#include "base/redact.h"
#include "rules/built_in.h"
#include "rules/catalog_item.h"

namespace stagedoor::rules {
namespace {

using base::Json;

constexpr std::string_view hidden = "[redacted]";

// Objects whose values a webhook is let in with.
constexpr auto hidden_maps = std::to_array<std::string_view>({"headers", "queryParameters"});

// Parts of names that say that a text is a secret; in lower case, without hyphens and underscores.
constexpr auto secret_words =
    std::to_array<std::string_view>({"secret", "password", "token", "apikey", "authorization",
                                     "credential", "signedurl", "cookie"});

bool names_a_secret(std::string_view name) {
  std::string plain;
  for (const char c : name)
    if (c != '-' && c != '_')
      plain += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return std::ranges::any_of(secret_words,
                             [&](std::string_view word) { return plain.contains(word); });
}

// "https://user:pass@host/path?query" is "https://host/[redacted]": a path may be what lets one in.
std::string origin_of(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == url.npos) return std::string(hidden);
  const auto from = scheme + 3;
  const auto end = std::min(url.find_first_of("/?#", from), url.size());
  const auto at = url.substr(0, end).rfind('@');
  std::string out(url.substr(0, from));
  const auto host = at == url.npos || at < from ? from : at + 1;
  out += url.substr(host, end - host);
  if (end < url.size() && url.substr(end) != "/") out.append("/").append(hidden);
  return out;
}

class Redactor {
 public:
  explicit Redactor(std::string& out) : out_(out) {}

  void object(const Json& json) {
    simdjson::dom::object members;
    if (json.element().get(members) != simdjson::SUCCESS) return;
    char before = '{';
    if (members.size() == 0) out_ += before;
    for (const auto member : members) {
      out_ += std::exchange(before, ',');
      base::append_json_string(out_, base::redacted(member.key));
      out_ += ':';
      value(member.key, Json(member.value));
    }
    out_ += '}';
  }

 private:
  void value(std::string_view name, const Json& json) {
    if (const auto text = json.text()) {
      if (names_a_secret(name)) return base::append_json_string(out_, hidden);
      if (name == "url" || name.ends_with("Url"))
        return base::append_json_string(out_, origin_of(*text));
      return base::append_json_string(out_, base::redacted(*text, text->size()));
    }
    if (json.is_object()) {
      if (std::ranges::find(hidden_maps, name) != hidden_maps.end()) return hidden_map(json);
      return object(json);
    }
    simdjson::dom::array items;
    if (json.element().get(items) != simdjson::SUCCESS) return base::append_canonical(out_, json);
    char before = '[';
    if (items.size() == 0) out_ += before;
    for (const auto item : items) {
      out_ += std::exchange(before, ',');
      value(name, Json(item));
    }
    out_ += ']';
  }

  void hidden_map(const Json& json) {
    simdjson::dom::object members;
    if (json.element().get(members) != simdjson::SUCCESS) return;
    char before = '{';
    if (members.size() == 0) out_ += before;
    for (const auto member : members) {
      out_ += std::exchange(before, ',');
      base::append_json_string(out_, base::redacted(member.key));
      out_ += ':';
      base::append_json_string(out_, hidden);
    }
    out_ += '}';
  }

  std::string& out_;
};

bool flag_in(const Json& object, std::string_view name) {
  const auto member = object.member(name);
  return member && member->flag().value_or(false);
}

SessionKind kind_of(const Json& persona) {
  auto model = text_in(persona, "llmId");
  if (model.empty()) model = text_in(persona, "brainType");
  const bool is_clients = model == no_language_model_id || flag_in(persona, "disableBrains") ||
                          flag_in(persona, "enableAudioPassthrough");
  if (is_clients) return SessionKind::client_words;
  const bool is_own = !model.empty() && built_in_language_model(model) == nullptr;
  return is_own ? SessionKind::own_model : SessionKind::turnkey;
}

}  // namespace

ExitStatus exit_status_of(std::string_view end_reason) {
  // The client's, the persona's and the app's own way to end it.
  static constexpr auto normal =
      std::to_array<std::string_view>({"client", "hung_up", "persona_ended", "ended"});
  static constexpr auto by_engine =
      std::to_array<std::string_view>({"length_reached", "idle", "silence", "silent", "abandoned",
                                       "revoked", "shutting_down", "replaced", "minutes_used_up"});
  if (std::ranges::find(normal, end_reason) != normal.end()) return ExitStatus::normal_exit;
  if (std::ranges::find(by_engine, end_reason) != by_engine.end())
    return ExitStatus::closed_by_engine;
  return ExitStatus::error;
}

std::string redacted_object(std::string_view text) {
  thread_local base::JsonReader reader;
  const auto json = reader.read(text);
  std::string out;
  if (json && json->is_object()) Redactor(out).object(*json);
  return out;
}

SessionFacts facts_of(std::string_view snapshot, ClientWords client, Transcripts setting) {
  SessionFacts facts;
  facts.client_label = base::redacted(client.label, client.label.size());
  facts.client_metadata = redacted_object(client.metadata);
  thread_local base::JsonReader reader;
  const auto json = reader.read(snapshot);
  const auto persona = json ? json->member("persona") : std::nullopt;
  if (!persona || !persona->is_object()) return facts;
  facts.persona_id = text_in(*json, "personaId");
  const auto name = text_in(*persona, "name");
  facts.persona_name = base::redacted(name, name.size());
  facts.kind = kind_of(*persona);
  facts.keeps_transcript = setting == Transcripts::kept && !flag_in(*persona, "zeroDataRetention");
  Redactor(facts.persona).object(*persona);
  return facts;
}

}  // namespace stagedoor::rules
