#include "server/key_scan.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>
#include <vector>

#include "actions/find_api_key.h"
#include "base/json_writer.h"
#include "rules/key_finder.h"
#include "server/complain.h"
#include "server/workspace.h"

namespace stagedoor::server {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t piece_bytes = 1 << 20;

class Scan {
 public:
  Scan(const KeyScan& wish, Workspace* workspace)
      : wish_(wish), workspace_(workspace), piece_(piece_bytes, '\0') {}

  // Whatever it is that the path names.
  void look_at(const fs::path& path);
  int exit_code() const { return found_ > 0 ? 1 : unread_ > 0 ? 3 : 0; }
  void tell_sum() const;

 private:
  void look_into(const fs::path& folder);
  void read_file(const fs::path& path);
  void tell_found(const fs::path& path, const rules::ApiKeyText& key, std::uint64_t line);
  void tell_unread(const fs::path& path, std::string_view why);
  std::string_view standing_of(const rules::ApiKeyText& key) const;

  const KeyScan& wish_;
  Workspace* workspace_;  // null: none was named
  std::string piece_;
  std::uint64_t files_ = 0, found_ = 0, unread_ = 0, links_ = 0;
};

void Scan::tell_unread(const fs::path& path, std::string_view why) {
  ++unread_;
  fmt::print(stderr, "stagedoor: {} was not read: {}\n", path.string(), why);
}

std::string_view Scan::standing_of(const rules::ApiKeyText& key) const {
  const auto known = actions::look_up_api_key(*workspace_->keys, *workspace_->hasher, key);
  if (!known) return "unknown";
  if (known->standing == rules::ApiKeyStanding::revoked) return "revoked";
  if (known->standing == rules::ApiKeyStanding::frozen) return "frozen";
  return known->has_expired(workspace_->clock.now()) ? "expired" : "good";
}

void Scan::tell_found(const fs::path& path, const rules::ApiKeyText& key, std::uint64_t line) {
  ++found_;
  const auto standing = workspace_ == nullptr ? std::string_view() : standing_of(key);
  if (!wish_.json) {
    fmt::print("{}:{}: {}{}{}\n", path.string(), line, key.ends(), standing.empty() ? "" : " ",
               standing);
    return;
  }
  std::string text;
  base::JsonWriter writer(text);
  writer.text("file", path.string()).number("line", static_cast<std::int64_t>(line));
  writer.text("ends", key.ends()).text("environment", rules::name_of(key.environment()));
  writer.text_or_null("state", standing).end();
  fmt::print("{}\n", text);
}

void Scan::read_file(const fs::path& path) {
  // Not through a link that took the file's place, and not waiting for a pipe that did.
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (file < 0) return tell_unread(path, std::generic_category().message(errno));
  ++files_;
  rules::KeyFinder finder(
      [&](const rules::ApiKeyText& key, std::uint64_t line) { tell_found(path, key, line); });
  for (;;) {
    const auto length = ::read(file, piece_.data(), piece_.size());
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) tell_unread(path, std::generic_category().message(errno));
    if (length <= 0) break;
    finder.take({piece_.data(), static_cast<std::size_t>(length)});
  }
  ::close(file);
}

void Scan::look_at(const fs::path& path) {
  std::error_code trouble;
  const auto status = fs::symlink_status(path, trouble);
  if (trouble || status.type() == fs::file_type::not_found)
    return tell_unread(path, trouble ? trouble.message() : "there is no such file");
  switch (status.type()) {
    case fs::file_type::regular:
      return read_file(path);
    case fs::file_type::directory:
      return look_into(path);
    case fs::file_type::symlink:
      ++links_;
      fmt::print(stderr, "stagedoor: {} is a link and was not followed\n", path.string());
      return;
    default:
      return tell_unread(path, "it is neither a file nor a folder");
  }
}

void Scan::look_into(const fs::path& folder) {
  // One open folder per level; names are read as they come, so that wide ones need no memory.
  std::vector<fs::directory_iterator> levels;
  std::error_code trouble;
  const auto enter = [&](const fs::path& path) {
    fs::directory_iterator level(path, trouble);
    if (trouble) return tell_unread(path, trouble.message());
    levels.push_back(std::move(level));
  };
  enter(folder);
  while (!levels.empty()) {
    if (levels.back() == fs::directory_iterator()) {
      levels.pop_back();
      continue;
    }
    const auto path = levels.back()->path();
    const bool is_folder =
        levels.back()->symlink_status(trouble).type() == fs::file_type::directory;
    levels.back().increment(trouble);
    if (trouble) {
      tell_unread(path.parent_path(), trouble.message());
      levels.pop_back();
    }
    if (is_folder) {
      enter(path);
    } else {
      look_at(path);
    }
  }
}

void Scan::tell_sum() const {
  fmt::print(stderr, "stagedoor: {} files read, {} keys found, {} not read, {} links\n", files_,
             found_, unread_, links_);
}

}  // namespace

int scan_for_keys(const KeyScan& wish, const Config& config) {
  std::unique_ptr<Workspace> workspace;
  if (!wish.data.empty()) {
    auto opened = Workspace::open({wish.data}, config);
    if (!opened) return complain(opened.error());
    workspace = *std::move(opened);
  }
  Scan scan(wish, workspace.get());
  scan.look_at(wish.path);
  scan.tell_sum();
  return scan.exit_code();
}

}  // namespace stagedoor::server
