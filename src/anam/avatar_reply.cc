#include "anam/avatar_reply.h"

#include "base/iso_time.h"
#include "rules/avatar_records.h"

namespace stagedoor::anam {

std::string picture_of(std::string_view public_url, std::string_view character) {
  return std::string(public_url) + "/v1/characters/" + std::string(character) + "/picture.png";
}

void append_avatar_members(base::JsonWriter& out, const rules::Avatar& avatar,
                           std::string_view public_url) {
  const auto picture = picture_of(public_url, avatar.character);
  out.text("id", avatar.id).text("displayName", avatar.name).text("variantName", "");
  out.text("imageUrl", picture).text("landscapeImageUrl", picture);
  out.json("portraitImageUrl", "null").text("videoUrl", "").json("idleVideoUrl", "null");
  out.json("description", "null");
  out.text_or_null("createdByOrganizationId", avatar.workspace_id);
  out.texts("displayTags", rules::tags_of(avatar));
  out.json("availableVersions", "[]").json("activeVersion", "null");
  out.text("renderStyle", "illustrated").text("character", avatar.character);
  out.text("createdAt", base::iso_time(avatar.created_at));
  out.text("updatedAt", base::iso_time(avatar.updated_at));
}

}  // namespace stagedoor::anam
