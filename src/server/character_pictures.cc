#include "server/character_pictures.h"

#include "engines/face_painter.h"
#include "stage/characters.h"

namespace stagedoor::server {
namespace {

constexpr int width_pixels = 720, height_pixels = 480;

base::Result<std::string> drawn(std::string_view character) {
  auto sheet = stage::sheet_of_character(character);
  if (!sheet)
    return base::fail(base::ErrorCode::not_found, "no such character",
                      "There is no character with this name.");
  auto painter = engines::FacePainter::create(*std::move(sheet), width_pixels, height_pixels);
  if (!painter) return base::fail(painter.error());
  painter->draw(stage::FaceInputs());
  return painter->png();
}

}  // namespace

base::Result<std::string> CharacterPictures::operator()(std::string_view character) {
  const std::lock_guard lock(mutex_);
  if (const auto found = pictures_.find(character); found != pictures_.end()) return found->second;
  auto picture = drawn(character);
  if (picture) pictures_.emplace(character, *picture);
  return picture;
}

}  // namespace stagedoor::server
