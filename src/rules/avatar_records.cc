#include "rules/avatar_records.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "base/json_shape.h"
#include "rules/built_in.h"

namespace stagedoor::rules {
namespace {

constexpr std::string_view drawn_tag = "drawn";

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

bool is_meant(const Avatar& avatar, const AvatarQuery& query) {
  if (!query.wants_drawn) return false;
  if (!query.search.empty() && avatar.id != query.search &&
      !lower(avatar.name).contains(lower(query.search)))
    return false;
  const auto tags = tags_of(avatar);
  return query.tags.empty() || std::ranges::any_of(query.tags, [&](const std::string& tag) {
           return std::ranges::find(tags, tag) != tags.end();
         });
}

}  // namespace

base::Result<base::Done> check_avatar_name(std::string_view name) {
  const auto length = base::character_count(name);
  if (length >= avatar_name_characters_min && length <= avatar_name_characters_max)
    return base::Done{};
  return base::fail(base::ErrorCode::malformed, "an avatar's name",
                    "An avatar's name has 3 to 50 characters.");
}

std::vector<std::string_view> tags_of(const Avatar& avatar) {
  return {drawn_tag, avatar.character};
}

std::vector<Avatar> avatars_meant(std::vector<Avatar> own, const AvatarQuery& query) {
  std::erase_if(own, [&](const Avatar& avatar) { return !is_meant(avatar, query); });
  for (const auto& one : built_in_avatars()) {
    auto avatar = avatar_of(one);
    if (is_meant(avatar, query)) own.push_back(std::move(avatar));
  }
  return own;
}

}  // namespace stagedoor::rules
