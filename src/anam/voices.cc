#include "anam/voices.h"

#include <algorithm>
#include <cctype>
#include <string>
#include <utility>
#include <vector>

#include "anam/error_reply.h"
#include "anam/lists.h"
#include "base/iso_time.h"

namespace stagedoor::anam {
namespace {

using base::ErrorCode;
using http::Request;
using http::Response;
using rules::Permission;
using rules::Voice;

std::string_view word_of(rules::VoiceGender gender) {
  switch (gender) {
    case rules::VoiceGender::neutral:
      return "NEUTRAL";
    case rules::VoiceGender::male:
      return "MALE";
    case rules::VoiceGender::female:
      return "FEMALE";
  }
  std::unreachable();
}

bool is_searched(const Voice& voice, std::string_view search) {
  const auto has = [&](std::string_view text) {
    const auto same = [](char a, char b) {
      return std::tolower(static_cast<unsigned char>(a)) ==
             std::tolower(static_cast<unsigned char>(b));
    };
    return !std::ranges::search(text, search, same).empty();
  };
  return search.empty() || search == voice.id || has(voice.name) || search == voice.language;
}

// "en-us" is spoken in US.
std::string country_of(std::string_view language) {
  const auto dash = language.find('-');
  if (dash == language.npos || language.size() != dash + 3) return {};
  std::string country(language.substr(dash + 1));
  std::ranges::transform(country, country.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return country;
}

std::vector<std::string_view> tags_of(const Voice& voice) {
  std::vector<std::string_view> tags;
  // Views, not a list of strings: its copies would be gone.
  for (const auto tag : {std::string_view(voice.engine), std::string_view(voice.language)})
    if (!tag.empty()) tags.push_back(tag);
  return tags;
}

void refuse_making(const rules::Caller&, const Request&, Response& response) {
  reply(response, {ErrorCode::unsupported, "a voice from a recording",
                   "This server makes no voices from recordings; choose one of GET /v1/voices."});
}

}  // namespace

void append_voice_members(base::JsonWriter& out, const Voice& voice) {
  out.text("id", voice.id).text("displayName", voice.name);
  // The vendor's word for a provider is one of four, and this is none of them.
  out.json("provider", "null").text_or_null("providerVoiceId", voice.engine_name);
  static constexpr base::JsonName none[] = {"providerModelId", "sampleUrl", "previewSampleUrl"};
  for (const auto name : none) out.json(name, "null");
  out.text("gender", word_of(voice.gender)).text_or_null("country", country_of(voice.language));
  out.json("description", "null").texts("displayTags", tags_of(voice));
  out.json("isZdr", "true").json("createdByOrganizationId", "null");
  out.text_or_null("engine", voice.engine).text_or_null("language", voice.language);
  out.text("createdAt", base::iso_time({})).text("updatedAt", base::iso_time({}));
}

void Voices::add_to(http::Router& router, const front::Guard& guard) const {
  const std::string path = "/v1/voices", one = path + "/{id}";
  router.errors(path, [](Response& response, int status, std::string_view what) {
    reply(response, status, what);
  });
  using Method = void (Voices::*)(const Request&, Response&) const;
  const auto does = [this](Method method) {
    return [this, method](const rules::Caller&, const Request& in, Response& out) {
      (this->*method)(in, out);
    };
  };
  router.add({"GET", path, guard.quick(Permission::personas_read, does(&Voices::list))});
  router.add({"GET", one, guard.quick(Permission::personas_read, does(&Voices::show))});
  for (const auto* making : {"/v1/voices", "/v1/voices/presigned-upload"})
    router.add({"POST", making, guard.quick(Permission::personas_write, &refuse_making)});
  for (const auto* method : {"PUT", "DELETE"})
    router.add(
        {method, one, guard.quick(Permission::personas_write, does(&Voices::refuse_change))});
}

void Voices::list(const Request& request, Response& response) const {
  auto page = page_of(request, response);
  if (!page) return;
  const auto search = request.query("search").value_or("");
  std::vector<const Voice*> meant;
  for (const auto& voice : voices_.all())
    if (is_searched(voice, search)) meant.push_back(&voice);
  page->total = static_cast<std::int64_t>(meant.size());
  base::JsonWriter body(start_answer(response, 200));
  auto& out = body.begin("data");
  out += '[';
  const auto end = std::min(page->skip() + page->size, page->total);
  for (auto at = page->skip(); at < end; ++at) {
    if (at > page->skip()) out += ',';
    base::JsonWriter voice(out);
    append_voice_members(voice, *meant[static_cast<std::size_t>(at)]);
    voice.end();
  }
  out += ']';
  append_meta(body, *page);
  body.end();
}

void Voices::show(const Request& request, Response& response) const {
  const auto* voice = voices_.find(request.path_part("id"));
  if (voice == nullptr)
    return reply(response,
                 {ErrorCode::not_found, "no such voice", "There is no voice with this id."});
  base::JsonWriter body(start_answer(response, 200));
  append_voice_members(body, *voice);
  body.end();
}

void Voices::refuse_change(const Request& request, Response& response) const {
  if (voices_.find(request.path_part("id")) == nullptr)
    return reply(response,
                 {ErrorCode::not_found, "no such voice", "There is no voice with this id."});
  reply(response, {ErrorCode::forbidden, "a voice changed",
                   "This voice is the server's own and stays as it is."});
}

}  // namespace stagedoor::anam
