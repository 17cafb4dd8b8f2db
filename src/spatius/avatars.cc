#include "spatius/avatars.h"

#include <fmt/format.h>

#include <iterator>
#include <vector>

#include "base/json.h"
#include "rules/built_in.h"
#include "spatius/error_reply.h"
#include "stage/motion.h"

namespace stagedoor::spatius {
namespace {

using base::ErrorCode;

// Public data without credentials: any page may read it.
void allow_any_origin(http::Response& response) {
  response.header("Access-Control-Allow-Origin", "*");
}

std::string app_id_of(const http::Request& request) {
  if (const auto header = request.header("X-App-ID")) return std::string(*header);
  return request.query("appId").value_or("");
}

void append_face(std::string& out, const stage::Face& face) {
  out += '{';
  for (std::size_t i = 0; i < stage::shape_count; ++i)
    fmt::format_to(std::back_inserter(out), "\"{}\":{:.4f},", stage::shape_names[i],
                   face.shapes[i]);
  fmt::format_to(std::back_inserter(out),
                 "\"headPitch\":{:.4f},\"headYaw\":{:.4f},\"headRoll\":{:.4f},"
                 "\"eyePitch\":{:.4f},\"eyeYaw\":{:.4f}}}",
                 face.head_pitch, face.head_yaw, face.head_roll, face.eye_pitch, face.eye_yaw);
}

// The motion of two seconds of silence.
std::string idle_json() {
  constexpr int rate_hz = 16000;
  constexpr std::uint64_t seed = 1;
  const std::vector<std::int16_t> silence(2 * rate_hz);
  std::vector<stage::Face> faces;
  stage::Motion motion(rate_hz, seed);
  motion.push(silence, faces);
  motion.finish(faces);
  std::string out = "{\"framesPerSecond\":25,\"frames\":[";
  for (const auto& face : faces) {
    if (out.back() == '}') out += ',';
    append_face(out, face);
  }
  return out + "]}";
}

}  // namespace

Avatars::Avatars(Parts parts, Options options)
    : parts_(parts), options_(std::move(options)), idle_(idle_json()) {}

std::optional<rules::Avatar> Avatars::known(const http::Request& request,
                                            http::Response& response) const {
  const auto app_id = app_id_of(request);
  const auto refuse = [&](ErrorCode code, std::string hint) {
    reply_console(response, base::Error{code, "avatar metadata", std::move(hint)});
    allow_any_origin(response);
    return std::nullopt;
  };
  if (app_id.empty())
    return refuse(ErrorCode::malformed, "Give the App ID in the header X-App-ID or as ?appId=.");
  const auto* app = parts_.catalog.app(app_id);
  if (app == nullptr) return refuse(ErrorCode::app_unknown, "App not found.");
  auto avatar =
      rules::avatar_in({app->workspace_id, {}, app->id}, parts_.catalog, request.path_part("id"));
  if (!avatar) return refuse(ErrorCode::avatar_unknown, "Avatar not found.");
  return avatar;
}

void Avatars::metadata(const http::Request& request, http::Response& response) const {
  const auto avatar = known(request, response);
  if (!avatar) return;
  const auto here = options_.public_url + "/v2/character/" + avatar->id;
  const auto query = "?appId=" + app_id_of(request);
  auto& body = response.start(200, "application/json");
  const auto text = [&](std::string_view value) { base::append_json_string(body, value); };
  body += "{\"characterId\":";
  text(avatar->id);
  body += ",\"name\":";
  text(avatar->name);
  body += ",\"version\":";
  text(avatar->version);
  body += ",\"camera\":{\"default\":{\"remote\":";
  text(here + "/camera" + query);
  body += "}},\"models\":{\"faceSheet\":{\"remote\":";
  text(options_.public_url + "/door/face-sheet.json");
  body += "}},\"animations\":{\"idle\":{\"remote\":";
  text(here + "/idle" + query);
  body += "}}}";
  allow_any_origin(response);
}

void Avatars::camera(const http::Request& request, http::Response& response) const {
  if (!known(request, response)) return;
  response.start(200, "application/json") =
      R"({"fieldOfViewDegrees":20,"position":[0,0,1.6],"target":[0,0,0],"up":[0,1,0]})";
  allow_any_origin(response);
}

void Avatars::idle_animation(const http::Request& request, http::Response& response) const {
  if (!known(request, response)) return;
  response.start(200, "application/json") = idle_;
  allow_any_origin(response);
}

void Avatars::preflight(const http::Request&, http::Response& response) {
  response.start(204, "");
  allow_any_origin(response);
  response.header("Access-Control-Allow-Methods", "GET");
  response.header("Access-Control-Allow-Headers", "X-App-ID");
  response.header("Access-Control-Max-Age", "600");
}

}  // namespace stagedoor::spatius
