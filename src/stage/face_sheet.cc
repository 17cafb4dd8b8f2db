// SPDX-License-Identifier: Apache-2.0

#include "stage/face_sheet.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/json.h"
#include "base/text.h"

namespace stagedoor::stage {
namespace {

using simdjson::dom::element;
using Names = std::map<std::string_view, std::uint16_t, std::less<>>;

std::string joined(const std::string& where, std::string_view name) {
  return where.empty() ? std::string(name) : where + "." + std::string(name);
}
std::string item(const std::string& where, std::size_t index) {
  return where + "[" + std::to_string(index) + "]";
}
std::string in_quotes(std::string_view name) {
  return "\"" + std::string(name.substr(0, 60)) + "\"";
}

// Remembers the first thing that is wrong; what is read after it does not matter any more.
class Faults {
 public:
  void add(const std::string& where, std::string_view what) {
    if (first_.empty()) first_ = (where.empty() ? "The sheet" : where) + ": " + std::string(what);
  }
  const std::string& first() const { return first_; }

 private:
  std::string first_;
};

// The members of one object; what nobody took is refused at the end of its life.
class Members {
 public:
  Members(element value, std::string where, Faults& faults)
      : where_(std::move(where)), faults_(faults) {
    if (value.get(object_) != simdjson::SUCCESS) {
      faults_.add(where_, "must be an object");
      is_object_ = false;
    }
  }
  ~Members() {
    if (!is_object_) return;
    for (const auto& [name, value] : object_) {
      if (std::ranges::find(taken_, name) == taken_.end())
        faults_.add(joined(where_, name), "the format has no such member");
    }
  }
  Members(const Members&) = delete;
  Members& operator=(const Members&) = delete;

  std::optional<element> take(std::string_view name) {
    taken_.push_back(name);
    element value;
    if (!is_object_ || object_[name].get(value) != simdjson::SUCCESS) return std::nullopt;
    return value;
  }
  std::optional<element> need(std::string_view name) {
    auto value = take(name);
    if (!value) faults_.add(where_, "needs " + in_quotes(name));
    return value;
  }
  std::string path(std::string_view name) const { return joined(where_, name); }

 private:
  simdjson::dom::object object_;
  std::string where_;
  Faults& faults_;
  std::vector<std::string_view> taken_;
  bool is_object_ = true;
};

class SheetReader {
 public:
  explicit SheetReader(Faults& faults) : faults_(faults) {
    for (std::size_t i = 0; i < face_input_count; ++i)
      inputs_[face_input_name(i)] = static_cast<std::uint16_t>(i);
  }
  FaceSheet read(element root);

 private:
  double number(element value, const std::string& where);
  double number_or(Members& members, std::string_view name, double otherwise);
  SheetPoint point(element value, const std::string& where);
  SheetPoint needed_point(Members& members, std::string_view name);
  std::string text(element value, const std::string& where);
  SheetColour colour(std::string_view spelled, const std::string& where);
  std::optional<std::uint16_t> find(const Names& names, element value, const std::string& where,
                                    std::string_view kind);
  // Calls `each(item, where)` for every item of a list, `each(name, item, where)` for every member.
  template <class Each>
  void list(element value, const std::string& where, std::size_t most, Each each);
  template <class Each>
  void map(element value, const std::string& where, std::size_t most, Each each);

  std::vector<SheetOffset> offsets(std::optional<element> value, const std::string& where);
  std::vector<SheetFade> fades(std::optional<element> value, const std::string& where);
  void head(element root, FaceSheet& sheet);
  void gradients(element value, FaceSheet& sheet);
  void gradient(Members& members, SheetGradient& gradient);
  void points(element value, FaceSheet& sheet);
  void bindings(element value, FaceSheet& sheet);
  void meet(element value, FaceSheet& sheet);
  void instead(element value, FaceSheet& sheet);
  void clips(element value, FaceSheet& sheet);
  void layers(element value, FaceSheet& sheet);
  SheetPath path(Members& members);
  SheetShape shape(element value, const std::string& where);
  void fill(element value, const std::string& where, SheetShape& shape);

  Faults& faults_;
  Names inputs_, points_, gradients_, clips_;
  std::size_t shape_count_ = 0;
};

double SheetReader::number(element value, const std::string& where) {
  double read = 0;
  if (!value.is_number() || value.get_double().get(read) != simdjson::SUCCESS ||
      !(std::abs(read) <= sheet_number_max)) {
    faults_.add(where, "must be a number within 10,000 of 0");
    return 0;
  }
  return read;
}

double SheetReader::number_or(Members& members, std::string_view name, double otherwise) {
  const auto value = members.take(name);
  return value ? number(*value, members.path(name)) : otherwise;
}

SheetPoint SheetReader::point(element value, const std::string& where) {
  simdjson::dom::array pair;
  if (value.get(pair) != simdjson::SUCCESS || pair.size() != 2) {
    faults_.add(where, "must be two numbers, [x, y]");
    return {};
  }
  return {number(pair.at(0).value_unsafe(), where), number(pair.at(1).value_unsafe(), where)};
}

SheetPoint SheetReader::needed_point(Members& members, std::string_view name) {
  const auto value = members.need(name);
  return value ? point(*value, members.path(name)) : SheetPoint{};
}

std::string SheetReader::text(element value, const std::string& where) {
  std::string_view read;
  if (value.get(read) != simdjson::SUCCESS || read.empty() || read.size() > 100) {
    faults_.add(where, "must be a text of 1 to 100 bytes");
    return {};
  }
  return std::string(read);
}

SheetColour SheetReader::colour(std::string_view spelled, const std::string& where) {
  const bool has_form = (spelled.size() == 7 || spelled.size() == 9) && spelled[0] == '#';
  const auto bytes = has_form ? base::from_hex(spelled.substr(1)) : std::nullopt;
  if (!bytes) {
    faults_.add(where, "must be a colour, #rrggbb or #rrggbbaa");
    return {};
  }
  const auto alpha = bytes->size() == 4 ? (*bytes)[3] : std::uint8_t{255};
  return {(*bytes)[0], (*bytes)[1], (*bytes)[2], alpha};
}

std::optional<std::uint16_t> SheetReader::find(const Names& names, element value,
                                               const std::string& where, std::string_view kind) {
  const auto name = text(value, where);
  const auto found = names.find(name);
  if (found != names.end()) return found->second;
  faults_.add(where, "there is no " + std::string(kind) + " " + in_quotes(name));
  return std::nullopt;
}

template <class Each>
void SheetReader::list(element value, const std::string& where, std::size_t most, Each each) {
  simdjson::dom::array items;
  if (value.get(items) != simdjson::SUCCESS || items.size() > most)
    return faults_.add(where, "must be a list of at most " + std::to_string(most));
  std::size_t index = 0;
  for (const auto entry : items) each(entry, item(where, index++));
}

template <class Each>
void SheetReader::map(element value, const std::string& where, std::size_t most, Each each) {
  simdjson::dom::object members;
  if (value.get(members) != simdjson::SUCCESS || members.size() > most)
    return faults_.add(where, "must be an object of at most " + std::to_string(most) + " members");
  for (const auto& [name, entry] : members) each(name, entry, joined(where, name));
}

std::vector<SheetOffset> SheetReader::offsets(std::optional<element> value,
                                              const std::string& where) {
  std::vector<SheetOffset> read;
  if (!value) return read;
  map(*value, where, sheet_offsets_max,
      [&](std::string_view name, element entry, const std::string& at) {
        const auto input = inputs_.find(name);
        if (input == inputs_.end()) return faults_.add(at, "there is no such input");
        read.push_back({static_cast<std::uint8_t>(input->second), point(entry, at)});
      });
  return read;
}

std::vector<SheetFade> SheetReader::fades(std::optional<element> value, const std::string& where) {
  std::vector<SheetFade> read;
  if (!value) return read;
  map(*value, where, sheet_offsets_max,
      [&](std::string_view name, element entry, const std::string& at) {
        const auto input = inputs_.find(name);
        if (input == inputs_.end()) return faults_.add(at, "there is no such input");
        read.push_back({static_cast<std::uint8_t>(input->second), number(entry, at)});
      });
  return read;
}

void SheetReader::head(element value, FaceSheet& sheet) {
  Members members(value, "head", faults_);
  sheet.head_centre = needed_point(members, "centre");
  sheet.neck = needed_point(members, "neck");
  const auto radius = members.need("radius");
  sheet.head_radius = radius ? number(*radius, "head.radius") : 0;
  if (!(sheet.head_radius >= 1)) faults_.add("head.radius", "must be at least 1");
}

void SheetReader::gradients(element value, FaceSheet& sheet) {
  map(value, "paints", sheet_gradients_max,
      [&](std::string_view name, element entry, const std::string& where) {
        gradients_[name] = static_cast<std::uint16_t>(sheet.gradients.size());
        Members members(entry, where, faults_);
        gradient(members, sheet.gradients.emplace_back());
      });
}

void SheetReader::gradient(Members& members, SheetGradient& gradient) {
  if (const auto centre = members.take("centre")) {
    gradient.kind = SheetGradient::Kind::radial;
    gradient.anchor = point(*centre, members.path("centre"));
    const auto radii = needed_point(members, "radii");
    gradient.across = radii.x;
    gradient.down = radii.y;
    if (!(radii.x > 0.01 && radii.y > 0.01))
      faults_.add(members.path("radii"), "must both be above 0.01");
  } else {
    gradient.anchor = needed_point(members, "from");
    gradient.far_end = needed_point(members, "to");
    if (gradient.anchor == gradient.far_end)
      faults_.add(members.path("to"), "must be another point than from");
  }
  const auto stops = members.need("stops");
  if (!stops) return;
  const auto where = members.path("stops");
  list(*stops, where, sheet_stops_max, [&](element entry, const std::string& at) {
    simdjson::dom::array pair;
    std::string_view spelled;
    if (entry.get(pair) != simdjson::SUCCESS || pair.size() != 2 ||
        pair.at(1).get(spelled) != simdjson::SUCCESS)
      return faults_.add(at, "must be [place, colour]");
    const double place = number(pair.at(0).value_unsafe(), at);
    if (place < 0 || place > 1 || (!gradient.stops.empty() && place < gradient.stops.back().place))
      faults_.add(at, "its place must be from 0 to 1, and not before the stop before it");
    gradient.stops.push_back({place, colour(spelled, at)});
  });
  if (gradient.stops.size() < 2) faults_.add(where, "must be two stops at least");
}

void SheetReader::points(element value, FaceSheet& sheet) {
  map(value, "points", sheet_points_max,
      [&](std::string_view name, element entry, const std::string& where) {
        points_[name] = static_cast<std::uint16_t>(sheet.points.size());
        sheet.points.push_back({point(entry, where), {}});
      });
}

void SheetReader::bindings(element value, FaceSheet& sheet) {
  map(value, "bindings", face_input_count,
      [&](std::string_view name, element moves, const std::string& where) {
        const auto input = inputs_.find(name);
        if (input == inputs_.end()) return faults_.add(where, "there is no such input");
        map(moves, where, sheet_points_max,
            [&](std::string_view of, element offset, const std::string& at) {
              const auto moved = points_.find(of);
              if (moved == points_.end()) return faults_.add(at, "there is no such point");
              sheet.points[moved->second].moves.push_back(
                  {static_cast<std::uint8_t>(input->second), point(offset, at)});
            });
      });
}

void SheetReader::meet(element value, FaceSheet& sheet) {
  list(value, "meet", sheet_points_max, [&](element entry, const std::string& where) {
    simdjson::dom::array pair;
    if (entry.get(pair) != simdjson::SUCCESS || pair.size() != 2)
      return faults_.add(where, "must be two points' names, [upper, lower]");
    const auto upper = find(points_, pair.at(0).value_unsafe(), where, "point");
    const auto lower = find(points_, pair.at(1).value_unsafe(), where, "point");
    if (upper && lower) sheet.meet.emplace_back(*upper, *lower);
  });
}

void SheetReader::instead(element value, FaceSheet& sheet) {
  map(value, "instead", face_input_count,
      [&](std::string_view name, element others, const std::string& where) {
        const auto input = inputs_.find(name);
        if (input == inputs_.end()) return faults_.add(where, "there is no such input");
        auto& pair = sheet.instead.emplace_back();
        pair.first = static_cast<std::uint8_t>(input->second);
        list(others, where, face_input_count, [&](element entry, const std::string& at) {
          const auto other = find(inputs_, entry, at, "input");
          if (other) pair.second.push_back(static_cast<std::uint8_t>(*other));
        });
      });
}

SheetPath SheetReader::path(Members& members) {
  SheetPath read;
  const auto entries = members.need("path");
  if (!entries) return read;
  const auto where = members.path("path");
  list(*entries, where, sheet_path_points_max, [&](element entry, const std::string& at) {
    auto& added = read.points.emplace_back();
    if (entry.is_string())
      added.named = find(points_, entry, at, "point");
    else
      added.fixed = point(entry, at);
  });
  if (const auto closed = members.take("closed")) {
    if (closed->get(read.is_closed) != simdjson::SUCCESS)
      faults_.add(members.path("closed"), "must be true or false");
  }
  const std::size_t least = read.is_closed ? 3 : 2;
  if (read.points.size() < least)
    faults_.add(where, "must have " + std::to_string(least) + " points at least");
  if (const auto corners = members.take("corners")) {
    list(*corners, members.path("corners"), sheet_path_points_max,
         [&](element entry, const std::string& at) {
           std::uint64_t index = 0;
           if (entry.get(index) != simdjson::SUCCESS || index >= read.points.size())
             return faults_.add(at, "must be the index of a point of the path");
           read.points[index].is_corner = true;
         });
  }
  return read;
}

void SheetReader::clips(element value, FaceSheet& sheet) {
  map(value, "clips", sheet_clips_max,
      [&](std::string_view name, element entry, const std::string& where) {
        clips_[name] = static_cast<std::uint16_t>(sheet.clips.size());
        Members members(entry, where, faults_);
        sheet.clips.push_back(path(members));
        if (!sheet.clips.back().is_closed) faults_.add(where, "a clip must be closed");
      });
}

void SheetReader::fill(element value, const std::string& where, SheetShape& shape) {
  const auto name = text(value, where);
  if (name.starts_with('#'))
    shape.plain_fill = colour(name, where);
  else
    shape.gradient_fill = find(gradients_, value, where, "paint");
}

SheetShape SheetReader::shape(element value, const std::string& where) {
  SheetShape read;
  Members members(value, where, faults_);
  if (++shape_count_ > sheet_shapes_max)
    faults_.add(where, "all layers together may have 1,024 shapes");
  read.path = path(members);
  if (const auto fill_value = members.take("fill")) fill(*fill_value, members.path("fill"), read);
  if (const auto stroke = members.take("stroke")) {
    const auto width = members.need("width");
    read.stroke = {colour(text(*stroke, members.path("stroke")), members.path("stroke")),
                   width ? number(*width, members.path("width")) : 1};
    if (!(read.stroke->width > 0)) faults_.add(members.path("width"), "must be above 0");
  }
  if (!read.plain_fill && !read.gradient_fill && !read.stroke)
    faults_.add(where, "needs a fill or a stroke, or it draws nothing");
  read.opacity = number_or(members, "opacity", 1);
  read.fade = fades(members.take("fade"), members.path("fade"));
  read.move = offsets(members.take("move"), members.path("move"));
  return read;
}

void SheetReader::layers(element value, FaceSheet& sheet) {
  list(value, "layers", sheet_layers_max, [&](element entry, const std::string& where) {
    Members members(entry, where, faults_);
    auto& layer = sheet.layers.emplace_back();
    if (const auto name = members.need("name")) layer.name = text(*name, members.path("name"));
    if (const auto clip = members.take("clip"))
      layer.clip = find(clips_, *clip, members.path("clip"), "clip");
    layer.follow = number_or(members, "follow", 0);
    layer.depth = number_or(members, "depth", 0);
    layer.bulge = number_or(members, "bulge", 0);
    layer.move = offsets(members.take("move"), members.path("move"));
    const auto shapes = members.need("shapes");
    if (!shapes) return;
    list(*shapes, members.path("shapes"), sheet_shapes_max,
         [&](element drawn, const std::string& at) { layer.shapes.push_back(shape(drawn, at)); });
  });
  if (sheet.layers.empty()) faults_.add("layers", "must be one at least");
}

FaceSheet SheetReader::read(element root) {
  FaceSheet sheet;
  Members members(root, "", faults_);
  std::string_view format;
  std::int64_t version = 0;
  const auto format_value = members.need("format"), version_value = members.need("version");
  if (!format_value || format_value->get(format) != simdjson::SUCCESS ||
      format != "stagedoor-face-sheet")
    faults_.add("format", "must be \"stagedoor-face-sheet\"");
  if (!version_value || version_value->get(version) != simdjson::SUCCESS || version != 1)
    faults_.add("version", "must be 1");
  if (const auto name = members.need("name")) sheet.name = text(*name, "name");
  const auto size = needed_point(members, "size");
  sheet.width = size.x;
  sheet.height = size.y;
  if (!(size.x >= 16 && size.y >= 16)) faults_.add("size", "must be at least 16 each way");
  sheet.focus = needed_point(members, "focus");
  // Each section only after those whose names it uses.
  const std::initializer_list<
      std::pair<std::string_view, void (SheetReader::*)(element, FaceSheet&)>>
      sections = {{"head", &SheetReader::head},     {"paints", &SheetReader::gradients},
                  {"points", &SheetReader::points}, {"bindings", &SheetReader::bindings},
                  {"meet", &SheetReader::meet},     {"instead", &SheetReader::instead},
                  {"clips", &SheetReader::clips},   {"layers", &SheetReader::layers}};
  for (const auto& [name, section] : sections) {
    if (const auto value = members.need(name)) (this->*section)(*value, sheet);
  }
  return sheet;
}

}  // namespace

FaceInputs inputs_of(const Face& face, float breath) {
  FaceInputs inputs;
  std::ranges::copy(face.shapes, inputs.values.begin());
  inputs.values[head_pitch_input] = face.head_pitch;
  inputs.values[head_yaw_input] = face.head_yaw;
  inputs.values[head_roll_input] = face.head_roll;
  inputs.values[eye_pitch_input] = face.eye_pitch;
  inputs.values[eye_yaw_input] = face.eye_yaw;
  inputs.values[breath_input] = breath;
  inputs.given.set();
  return inputs;
}

base::Result<FaceSheet> read_face_sheet(std::string_view json) {
  const auto refuse = [](std::string hint) {
    return base::fail(base::ErrorCode::malformed, "face sheet: " + hint, hint);
  };
  if (json.size() > sheet_bytes_max) return refuse("The sheet: is longer than 1 MiB");
  base::JsonReader reader;
  const auto root = reader.read(json);
  if (!root) return base::fail(root.error());
  Faults faults;
  auto sheet = SheetReader(faults).read(root->element());
  if (!faults.first().empty()) return refuse(faults.first());
  return sheet;
}

std::string_view face_input_name(std::size_t input) {
  static constexpr std::array<std::string_view, face_input_count - shape_count> others = {
      "headPitch", "headYaw", "headRoll", "eyePitch", "eyeYaw", "breath"};
  return input < shape_count ? shape_names[input] : others[input - shape_count];
}

}  // namespace stagedoor::stage
