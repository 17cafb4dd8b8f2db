#include "server/key_office.h"

#include <fstream>
#include <sstream>

namespace stagedoor::server {
namespace {

base::Result<rules::LeakReporterKeys> read_reporters(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  if (!file) {
    return base::fail(base::ErrorCode::unavailable, "keys of leak reporters",
                      "leaks.github_public_keys_file: " + path + " can't be read.");
  }
  auto keys = rules::LeakReporterKeys::read(content.str());
  if (keys) return keys;
  auto error = keys.error();
  error.hint = "leaks.github_public_keys_file: " + path + ": " + error.hint;
  return base::fail(std::move(error));
}

}  // namespace

KeyOffice::KeyOffice(Workspace& workspace, const actions::AdmitCall& admit)
    : verify_({.keys = *workspace.keys,
               .hasher = *workspace.hasher,
               .admit = admit,
               .key_usage = *workspace.key_usage,
               .clock = workspace.clock}),
      keys_(
          {.verbs = *workspace.key_verbs, .uses = *workspace.key_usage, .clock = workspace.clock}),
      verification_(verify_) {}

base::Result<std::unique_ptr<KeyOffice>> KeyOffice::open(Workspace& workspace,
                                                         const actions::AdmitCall& admit,
                                                         const Config& config) {
  std::unique_ptr<KeyOffice> office(new KeyOffice(workspace, admit));
  if (config.leak_reporter_keys_file.empty()) return office;
  auto reporters = read_reporters(config.leak_reporter_keys_file);
  if (!reporters) return base::fail(reporters.error());
  office->reporters_ = *std::move(reporters);
  office->freeze_.emplace(actions::FreezeLeakedKeys::Parts{.reporters = *office->reporters_,
                                                           .keys = *workspace.keys,
                                                           .hasher = *workspace.hasher,
                                                           .records = *workspace.key_records,
                                                           .catalog = *workspace.catalog,
                                                           .clock = workspace.clock});
  office->leak_reports_.emplace(*office->freeze_, admit);
  return office;
}

void KeyOffice::add_to(http::Router& router, const front::Guard& guard) const {
  keys_.add_to(router, guard);
  verification_.add_to(router, guard);
  if (leak_reports_) leak_reports_->add_to(router, guard);
}

}  // namespace stagedoor::server
