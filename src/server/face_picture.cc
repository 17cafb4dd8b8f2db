// SPDX-License-Identifier: Apache-2.0

#include "server/face_picture.h"

#include <cmath>
#include <fstream>
#include <iterator>
#include <memory>

#include "base/json.h"
#include "engines/face_painter.h"
#include "server/complain.h"
#include "stage/characters.h"

namespace stagedoor::server {
namespace {

using Sheet = std::shared_ptr<const stage::FaceSheet>;

base::Result<Sheet> sheet_of(const std::string& character) {
  if (!character.ends_with(".json")) return stage::sheet_of_character(character);
  std::ifstream file(character, std::ios::binary);
  if (!file)
    return base::fail(base::ErrorCode::not_found, "no such file", character + " can't be read.");
  auto sheet = stage::read_face_sheet(std::string(std::istreambuf_iterator<char>(file), {}));
  if (!sheet) return base::fail(sheet.error());
  return std::make_shared<const stage::FaceSheet>(*std::move(sheet));
}

base::Result<stage::FaceInputs> inputs_in(const std::string& text) {
  const auto refuse = [](std::string hint) {
    return base::fail(base::ErrorCode::malformed, "inputs", std::move(hint));
  };
  base::JsonReader reader;
  const auto json = reader.read(text);
  if (!json) return base::fail(json.error());
  simdjson::dom::object members;
  if (json->element().get(members) != simdjson::SUCCESS)
    return refuse("--inputs must be a JSON object.");
  stage::FaceInputs inputs;
  for (const auto& [name, value] : members) {
    std::size_t input = 0;
    while (input < stage::face_input_count && stage::face_input_name(input) != name) ++input;
    double number = 0;
    if (input == stage::face_input_count)
      return refuse("There is no input " + std::string(name) + ".");
    if (!value.is_number() || value.get_double().get(number) != simdjson::SUCCESS ||
        !(std::abs(number) <= 4))
      return refuse(std::string(name) + " must be a number from -4 to 4.");
    inputs.set(input, static_cast<float>(number));
  }
  return inputs;
}

}  // namespace

int draw_face(const FaceOptions& options) {
  const auto inputs = inputs_in(options.inputs);
  if (!inputs) {
    complain(inputs.error());
    return 2;
  }
  auto sheet = sheet_of(options.character);
  if (!sheet) return complain(sheet.error());
  auto painter = engines::FacePainter::create(*std::move(sheet), options.width, options.height);
  if (!painter) return complain(painter.error());
  painter->draw(*inputs);
  const auto written = painter->write_png(options.png);
  return written ? 0 : complain(written.error());
}

}  // namespace stagedoor::server
