#include "http/form.h"

#include <algorithm>
#include <optional>

#include "http/request.h"

namespace stagedoor::http {
namespace {

using base::ErrorCode;

constexpr std::size_t boundary_bytes_max = 70;  // RFC 2046 5.1.1

std::unexpected<base::Error> no_form(std::string hint) {
  return base::fail(ErrorCode::malformed, "not a form", std::move(hint));
}

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// `name="a; \"b\""` out of a field's parameters; nullopt: not there.
std::optional<std::string> parameter(std::string_view field, std::string_view wanted) {
  std::size_t at = field.find(';');
  while (at < field.size()) {
    const auto equals = field.find('=', at + 1);
    if (equals == field.npos) return std::nullopt;
    const auto name = trimmed(field.substr(at + 1, equals - at - 1));
    std::string value;
    auto next = equals + 1;
    if (next < field.size() && field[next] == '"') {
      for (++next; next < field.size() && field[next] != '"'; ++next) {
        if (field[next] == '\\' && next + 1 < field.size()) ++next;
        value += field[next];
      }
      next = field.find(';', std::min(next, field.size()));
    } else {
      const auto end = std::min(field.find(';', next), field.size());
      value = trimmed(field.substr(next, end - next));
      next = end;
    }
    if (same_name(name, wanted)) return value;
    at = next;
  }
  return std::nullopt;
}

// The field of a part's head; empty: not there.
std::string_view field_of(std::string_view head, std::string_view name) {
  while (!head.empty()) {
    const auto end = std::min(head.find("\r\n"), head.size());
    const auto line = head.substr(0, end);
    head.remove_prefix(std::min(end + 2, head.size()));
    const auto colon = line.find(':');
    if (colon != line.npos && same_name(trimmed(line.substr(0, colon)), name))
      return trimmed(line.substr(colon + 1));
  }
  return {};
}

base::Result<FormPart> part_of(std::string_view bytes) {
  const auto end = bytes.find("\r\n\r\n");
  if (end == bytes.npos || end > form_part_head_bytes_max)
    return no_form("A part of the form has no head.");
  const auto head = bytes.substr(0, end);
  const auto disposition = field_of(head, "Content-Disposition");
  auto name = parameter(disposition, "name");
  if (!disposition.starts_with("form-data") || !name)
    return no_form("A part of the form has no name.");
  return FormPart{.name = *std::move(name),
                  .filename = parameter(disposition, "filename").value_or(""),
                  .content_type = std::string(field_of(head, "Content-Type")),
                  .content = bytes.substr(end + 4)};
}

}  // namespace

base::Result<std::vector<FormPart>> read_form(std::string_view content_type,
                                              std::string_view body) {
  const auto boundary = parameter(content_type, "boundary").value_or("");
  if (!content_type.starts_with("multipart/form-data") || boundary.empty() ||
      boundary.size() > boundary_bytes_max)
    return no_form("The body must be multipart/form-data with a boundary.");
  const auto dashes = "--" + boundary;
  if (!body.starts_with(dashes)) return no_form("The form does not begin with its boundary.");
  body.remove_prefix(dashes.size());
  const auto between = "\r\n" + dashes;
  std::vector<FormPart> parts;
  while (!body.starts_with("--")) {
    if (!body.starts_with("\r\n")) return no_form("The form's boundary is broken.");
    if (parts.size() == form_parts_max) return no_form("The form has more than 32 parts.");
    body.remove_prefix(2);
    const auto end = body.find(between);
    if (end == body.npos) return no_form("The form has no end.");
    auto part = part_of(body.substr(0, end));
    if (!part) return base::fail(part.error());
    parts.push_back(*std::move(part));
    body.remove_prefix(end + between.size());
  }
  return parts;
}

const FormPart* part_named(const std::vector<FormPart>& parts, std::string_view name) {
  const auto found = std::ranges::find(parts, name, &FormPart::name);
  return found == parts.end() ? nullptr : &*found;
}

}  // namespace stagedoor::http
