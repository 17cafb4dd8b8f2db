#include "api/body.h"

#include <algorithm>

#include "base/text.h"

namespace stagedoor::api {
namespace {

using base::ErrorCode;
using base::Json;

std::string form_of(Members::Bytes bytes) {
  if (bytes.least == 0) return "must be a text of at most " + std::to_string(bytes.most) + " bytes";
  return "must be a text of " + std::to_string(bytes.least) + " to " + std::to_string(bytes.most) +
         " bytes";
}

std::string form_of(Members::Range range) {
  return "must be a whole number from " + std::to_string(range.least) + " to " +
         std::to_string(range.most);
}

std::optional<std::string_view> text_within(const Json& value, Members::Bytes bytes) {
  const auto text = value.text();
  if (!text || text->size() < bytes.least || text->size() > bytes.most) return std::nullopt;
  return text;
}

std::string_view nearest(std::string_view name, std::span<const std::string_view> known) {
  std::string_view best;
  std::size_t least = 4;
  for (const auto word : known) {
    const auto distance = base::edit_distance(name.substr(0, 64), word);
    if (distance < least) {
      least = distance;
      best = word;
    }
  }
  return best;
}

}  // namespace

std::optional<Json> Members::find(std::string_view name) {
  node_->asked.emplace_back(name);
  if (!node_->object) return std::nullopt;
  auto found = node_->object->member(name);
  return found && !found->is_null() ? found : std::nullopt;
}

std::optional<Json> Members::value_if(std::string_view name) {
  return find(name);
}

bool Members::is_null(std::string_view name) {
  node_->asked.emplace_back(name);
  const auto found = node_->object ? node_->object->member(name) : std::nullopt;
  return found && found->is_null();
}

bool Members::has(std::string_view name) {
  return find(name).has_value();
}

void Members::refuse(std::string_view name, std::string_view what) {
  if (reading_->error) return;
  const auto full = node_->path + std::string(name);
  reading_->error = base::Error{ErrorCode::malformed, "body member " + full.substr(0, 64),
                                "\"" + full + "\" " + std::string(what) + "."};
}

void Members::need(std::string_view name, std::string_view form) {
  if (node_->object) refuse(name, form);
}

std::string_view Members::text(std::string_view name, Bytes bytes) {
  const auto text = text_if(name, bytes);
  if (!text) need(name, form_of(bytes));
  return text.value_or("");
}

std::int64_t Members::number(std::string_view name, Range range) {
  const auto number = number_if(name, range);
  if (!number) need(name, form_of(range));
  return number.value_or(range.least);
}

std::optional<std::string_view> Members::text_if(std::string_view name, Bytes bytes) {
  const auto value = find(name);
  if (!value) return std::nullopt;
  const auto text = text_within(*value, bytes);
  if (!text) refuse(name, form_of(bytes));
  return text;
}

std::optional<std::int64_t> Members::number_if(std::string_view name, Range range) {
  const auto value = find(name);
  if (!value) return std::nullopt;
  const auto number = value->integer();
  if (number && *number >= range.least && *number <= range.most) return number;
  refuse(name, form_of(range));
  return std::nullopt;
}

std::optional<bool> Members::flag_if(std::string_view name) {
  const auto value = find(name);
  if (!value) return std::nullopt;
  bool flag = false;
  if (value->element().get(flag) == simdjson::SUCCESS) return flag;
  refuse(name, "must be true or false");
  return std::nullopt;
}

std::optional<std::vector<std::string_view>> Members::texts_if(std::string_view name,
                                                               std::size_t count_max, Bytes each) {
  const auto value = find(name);
  if (!value) return std::nullopt;
  std::vector<std::string_view> texts;
  simdjson::dom::array items;
  bool is_right = value->element().get(items) == simdjson::SUCCESS && items.size() <= count_max;
  if (is_right) {
    for (const auto item : items) {
      const auto text = text_within(Json(item), each);
      is_right = is_right && text;
      texts.push_back(text.value_or(""));
    }
  }
  if (is_right) return texts;
  refuse(name, "must be a list of at most " + std::to_string(count_max) + " items, each of which " +
                   form_of(each));
  return std::nullopt;
}

std::optional<std::vector<std::pair<std::string_view, std::string_view>>> Members::text_map_if(
    std::string_view name, std::size_t count_max, Bytes each) {
  const auto value = find(name);
  if (!value) return std::nullopt;
  std::vector<std::pair<std::string_view, std::string_view>> texts;
  simdjson::dom::object members;
  bool is_right = value->element().get(members) == simdjson::SUCCESS && members.size() <= count_max;
  if (is_right) {
    for (const auto member : members) {
      const auto text = text_within(Json(member.value), each);
      is_right = is_right && text;
      texts.emplace_back(member.key, text.value_or(""));
    }
  }
  if (is_right) return texts;
  refuse(name, "must be an object of at most " + std::to_string(count_max) +
                   " members, each of which " + form_of(each));
  return std::nullopt;
}

std::optional<std::size_t> Members::word_if(std::string_view name,
                                            std::span<const std::string_view> words) {
  const auto value = find(name);
  if (!value) return std::nullopt;
  const auto text = value->text();
  const auto found = text ? std::ranges::find(words, *text) : words.end();
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  std::string form = "must be one of";
  for (const auto word : words) form += (word == words.front() ? " " : ", ") + std::string(word);
  refuse(name, form);
  return std::nullopt;
}

std::optional<Members> Members::object_if(std::string_view name) {
  const auto value = find(name);
  if (!value) return std::nullopt;
  return inside(node_->path + std::string(name), *value);
}

std::vector<Members> Members::objects_if(std::string_view name, std::size_t count_max) {
  std::vector<Members> objects;
  const auto value = find(name);
  if (!value) return objects;
  simdjson::dom::array items;
  if (value->element().get(items) != simdjson::SUCCESS || items.size() == 0 ||
      items.size() > count_max) {
    refuse(name, "must be a list of 1 to " + std::to_string(count_max) + " objects");
    return objects;
  }
  for (const auto item : items)
    objects.push_back(inside(
        node_->path + std::string(name) + "[" + std::to_string(objects.size()) + "]", Json(item)));
  return objects;
}

Members Members::inside(std::string path, const Json& value) {
  reading_->inside.push_back(std::make_unique<Node>());
  auto* const node = reading_->inside.back().get();
  node->path = std::move(path);
  Members members(reading_, node);
  if (value.is_object()) {
    node->object = value;
  } else if (!reading_->error) {
    reading_->error = base::Error{ErrorCode::malformed, "body member " + node->path.substr(0, 64),
                                  "\"" + node->path + "\" must be an object."};
  }
  node->path += '.';
  return members;
}

Body::Body(std::string_view text) : Members(&whole_, nullptr) {
  node_ = &whole_.whole;  // only now is there something to point into
  thread_local base::JsonReader reader;
  auto json = reader.read(text.empty() ? "{}" : text);
  if (!json) {
    reading_->error = json.error();
  } else if (!json->is_object()) {
    reading_->error =
        base::Error{ErrorCode::malformed, "body is no object", "The body must be a JSON object."};
  } else {
    node_->object = *json;
  }
}

void Body::look_for_unknown(const Node& node) {
  simdjson::dom::object members;
  if (!node.object || node.object->element().get(members) != simdjson::SUCCESS) return;
  for (const auto member : members) {
    if (std::ranges::find(node.asked, member.key) != node.asked.end()) continue;
    const auto near = nearest(member.key, {node.asked.data(), node.asked.size()});
    auto hint = "\"" + node.path + std::string(member.key.substr(0, 64)) +
                "\" is no member of this body" +
                (near.empty() ? "." : "; did you mean \"" + std::string(near) + "\"?");
    reading_->error = base::Error{ErrorCode::malformed, "unknown body member", std::move(hint)};
    return;
  }
}

base::Result<base::Done> Body::finish() {
  if (!reading_->error) look_for_unknown(reading_->whole);
  for (const auto& node : reading_->inside)
    if (!reading_->error) look_for_unknown(*node);
  if (reading_->error) return base::fail(*reading_->error);
  return base::Done{};
}

}  // namespace stagedoor::api
