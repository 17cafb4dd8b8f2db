#include "anam/kept_items.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "anam/error_reply.h"
#include "anam/lists.h"
#include "anam/routes.h"

namespace stagedoor::anam {
namespace {

using http::Request;
using http::Response;

void refuse_built_in(Response& response) {
  reply(response, {base::ErrorCode::forbidden, "a built-in item changed",
                   "This is built in and stays as it is."});
}

bool is_searched(const rules::BuiltIn& one, std::string_view search) {
  const auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  };
  return search == one.id || !std::ranges::search(one.name, search, same).empty() || search.empty();
}

}  // namespace

void KeptItems::add_to(http::Router& router, const front::Guard& guard) const {
  Routes(*this, router, guard)
      .add_kept(kind_.path, &KeptItems::list, &KeptItems::create, &KeptItems::show,
                &KeptItems::change, &KeptItems::remove);
}

const rules::BuiltIn* KeptItems::built_in(std::string_view id) const {
  const auto found = std::ranges::find(kind_.built_in, id, &rules::BuiltIn::id);
  return found == kind_.built_in.end() ? nullptr : &*found;
}

std::optional<bool> KeptItems::wants_built_in(const Request& request, Response& response) const {
  const auto& name = kind_.built_in_parameter;
  const auto wanted = name.empty() ? std::nullopt : request.query(name);
  if (!wanted || wanted == "true") return true;
  if (wanted == "false") return false;
  anam::refuse(response, {{name, "invalid_choice", "must be true or false"}});
  return std::nullopt;
}

void KeptItems::list(const Call& call, const Request& request, Response& response) const {
  const auto with_built_in = wants_built_in(request, response);
  if (!with_built_in) return;
  const bool is_bare = kind_.list == Kind::List::bare;
  auto page = is_bare ? std::optional(Page{.size = rules::items_of_workspace_max})
                      : page_of(request, response);
  if (!page) return;
  const auto search = request.query("search").value_or("");
  const auto found = parts_.items.list(
      call.scope(), kind_.form.kind, {.search = search, .skip = page->skip(), .count = page->size});
  if (!found) return reply(response, found.error());
  std::vector<const rules::BuiltIn*> built_in;
  if (*with_built_in)
    for (const auto& one : kind_.built_in)
      if (is_searched(one, search)) built_in.push_back(&one);
  page->total = found->total + static_cast<std::int64_t>(built_in.size());
  std::string out = "[";
  for (const auto& item : found->items) {
    if (out.back() != '[') out += ',';
    kind_.append(out, item);
  }
  // Those of the page that stand behind the workspace's own.
  const auto end = std::min(page->skip() + page->size, page->total);
  for (auto at = std::max(page->skip(), found->total); at < end; ++at) {
    if (out.back() != '[') out += ',';
    kind_.append_built_in(out, *built_in[static_cast<std::size_t>(at - found->total)]);
  }
  out += ']';
  auto& text = start_answer(response, 200);
  if (is_bare) {
    text = std::move(out);
    return;
  }
  base::JsonWriter body(text);
  body.json("data", out);
  append_meta(body, *page);
  body.end();
}

void KeptItems::create(const Call& call, const Request& request, Response& response) const {
  const auto body = body_of(request);
  if (!body) return reply(response, body.error());
  const auto made = parts_.keep.create(call, kind_.form, *body);
  if (!made) return refuse(response, made.error());
  kind_.append(start_answer(response, 201), *made);
}

void KeptItems::show(const Call& call, const Request& request, Response& response) const {
  const auto id = request.path_part("id");
  if (const auto* one = built_in(id))
    return kind_.append_built_in(start_answer(response, 200), *one);
  const auto item = parts_.items.find(call.scope(), kind_.form.kind, id);
  if (!item) return reply(response, item.error());
  kind_.append(start_answer(response, 200), *item);
}

void KeptItems::change(const Call& call, const Request& request, Response& response) const {
  const auto id = request.path_part("id");
  if (built_in(id) != nullptr) return refuse_built_in(response);
  const auto body = body_of(request);
  if (!body) return reply(response, body.error());
  const auto changed = parts_.keep.change(call, kind_.form, id, *body);
  if (!changed) return refuse(response, changed.error());
  kind_.append(start_answer(response, 200), *changed);
}

void KeptItems::remove(const Call& call, const Request& request, Response& response) const {
  const auto id = request.path_part("id");
  if (built_in(id) != nullptr) return refuse_built_in(response);
  const auto removed = parts_.keep.remove(call, kind_.form, id);
  if (!removed) return reply(response, removed.error());
  response.start(204, "");
}

}  // namespace stagedoor::anam
