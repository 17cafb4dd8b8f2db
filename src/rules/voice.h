// The voices that personas may have: each voice of the engines that are built in or set up, under
// an id of its own, and the ids that the vendors' documents print.
//
// Rule voice-ids-stable: the id of an engine's voice follows from the names of the two alone (a
// UUID of version 8, RFC 9562 5.8, over their SHA-256), so that a persona has its voice also on
// another server and after any change of the settings.
//
// Used by: rules/persona.h, actions/mint_persona_token.h
// Filled by: server/live_stage.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stagedoor::rules {

enum class VoiceGender : unsigned char { neutral, male, female };

struct Voice {
  std::string id;           // a UUID
  std::string name;         // for people
  std::string engine;       // "flite"; empty: whichever speaks where nothing is said
  std::string engine_name;  // what the engine calls it; empty: its default
  std::string language;     // as the engine names it: "en-us"; empty: not one alone
  VoiceGender gender = VoiceGender::neutral;
};

std::string voice_id_of(std::string_view engine, std::string_view engine_name);

// All voices. At first those that are built in; filled once, before anything is served, and from
// then on safe for concurrent use.
class Voices {
 public:
  Voices();
  // In the order of a list; a voice whose id is there already takes its place.
  void add(Voice voice);

  std::span<const Voice> all() const { return voices_; }
  // Null: there is none.
  const Voice* find(std::string_view id) const;
  // That of an id, or what stands where it names none.
  const Voice& find_or_first(std::string_view id) const;

 private:
  std::vector<Voice> voices_;
  std::map<std::string, std::size_t, std::less<>> places_;
};

}  // namespace stagedoor::rules
